"""A run that goes on from a checkpoint of another one: which checkpoint that is, and whether the two fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.models import ModelStore, ResolvedModel
from tunesmith.domains.training import repository
from tunesmith.domains.training.errors import CheckpointNotFound
from tunesmith.domains.training.tables import FinetuningJobRow, TrainingCheckpointRow
from tunesmith.wire.methods import MethodSection
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError


@dataclass(frozen=True)
class Ancestor:
    """A checkpoint, and the run that wrote it."""

    checkpoint: TrainingCheckpointRow
    job: FinetuningJobRow


async def get_ancestor(unit: Unit, checkpoint_id: int) -> Ancestor:
    """Raises CheckpointNotFound, also for a checkpoint of a run that the caller may not see."""
    found = await repository.find_checkpoint_of_any(unit.session, unit.principal, checkpoint_id)
    if found is None:
        raise CheckpointNotFound(f"There is no checkpoint {checkpoint_id}.")
    return Ancestor(*found)


async def check_fits(unit: Unit, ancestor: Ancestor, recipe: Recipe, model: ResolvedModel, models: ModelStore) -> None:
    """Raise RecipeError where the weights of the checkpoint are none of this recipe's, or it leaves nothing to train."""
    before = Recipe.model_validate(ancestor.job.recipe)
    faults: list[dict[str, Any]] = []
    if (await models.resolve(before.model.base, unit=unit)).path != model.path:
        faults.append(_fault("base_model", before.model.base, recipe.model.base))
    now = dict(_shape_of(recipe.method))
    faults += [_fault(name, value, now[name]) for name, value in _shape_of(before.method) if now[name] != value]
    last, reached = recipe.training.max_steps, ancestor.checkpoint.step
    if last is not None and last <= reached:
        message = f"the checkpoint is that of update {reached}, and updates are counted on from there"
        faults.append({"location": "training.max_steps", "message": message, "value": last})
    if faults:
        words = "; ".join(f"{fault['location']}: {fault['message']}" for fault in faults)
        job = ancestor.job
        raise RecipeError(
            f"Checkpoint {ancestor.checkpoint.id} of job {job.id} ({job.job_name}) does not fit. {words}.",
            hint="Leave out what that run has settled already, let this one end later, or start without a checkpoint.",
            errors=faults,
        )


def _shape_of(method: MethodSection) -> Iterator[tuple[str, Any]]:
    """What decides which tensors are trained and what they mean."""
    yield "method.objective", str(method.objective)
    yield "method.adapter", str(method.adapter)
    for name in ("r", "alpha", "target_modules", "use_rslora", "use_dora"):
        yield f"method.lora.{name}", None if method.adapter == "full" else getattr(method.lora, name)


def _fault(location: str, before: Any, now: Any) -> dict[str, Any]:
    return {"location": location, "message": f"that run has {before!r}, this one {now!r}", "value": now}
