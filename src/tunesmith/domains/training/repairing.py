"""A run that does not fit into memory asks for less: the same global batch in smaller portions, then fewer activations kept.

Each repair leaves the update what it was (the same rows, the same mean over their tokens), so a repaired run learns the same.
Only KTO estimates something from one forward pass, so its activations are given up first and the sentence says the rest.
There are finitely many: a batch of b rows is divided at most log2(b) times, and checkpointing is switched on once.
"""

from __future__ import annotations

from tunesmith.wire.methods import KtoSection, Objective
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.spec import TrainSpec

BEFORE_THE_FIRST_UPDATE = ("starting", "reading the data", "loading the model")
"""What a child says before the batch matters: what does not fit then is not the batch."""


class MemoryRepairs:
    """The repairs of a training child."""

    def repair(self, spec: TrainSpec, doing: str | None) -> tuple[TrainSpec, str] | None:
        """Ask for less memory; None when the recipe forbids it, or there is nothing more to do without changing the result."""
        if not spec.recipe.resources.repair or doing in BEFORE_THE_FIRST_UPDATE:
            return None
        recipe = spec.recipe.model_copy(deep=True)
        what = _ask_for_less(recipe)
        if what is None:
            return None
        return spec.model_copy(update={"recipe": recipe, "repairs": [*spec.repairs, what]}), f"Repaired: {what}"

    def carry(self, spec: TrainSpec, earlier: TrainSpec) -> TrainSpec:
        """The portions that an earlier attempt came down to."""
        if len(earlier.repairs) <= len(spec.repairs):
            return spec
        recipe = spec.recipe.model_copy(deep=True)
        for name in ("batch_size", "gradient_accumulation_steps", "gradient_checkpointing"):
            setattr(recipe.training, name, getattr(earlier.recipe.training, name))
        return spec.model_copy(update={"recipe": recipe, "repairs": earlier.repairs})


def _ask_for_less(recipe: Recipe) -> str | None:
    """Change ``recipe``; answers the sentence that says how."""
    plan = recipe.training
    estimates = recipe.method.objective == Objective.KTO and (recipe.method.kto or KtoSection()).loss == "kto"
    if plan.batch_size > 1 and (plan.gradient_checkpointing or not estimates):
        before, accumulated = plan.batch_size, plan.gradient_accumulation_steps
        plan.batch_size = next(size for size in range(before // 2, 0, -1) if before % size == 0)
        plan.gradient_accumulation_steps = accumulated * (before // plan.batch_size)
        return (
            f"training.batch_size {before} → {plan.batch_size} and gradient_accumulation_steps {accumulated} → "
            f"{plan.gradient_accumulation_steps}; an update still sees {before * accumulated} sequences"
            + (", and the drift of kto is estimated from fewer answers at a time." if estimates else ".")
        )
    if not plan.gradient_checkpointing:
        plan.gradient_checkpointing = True
        return "training.gradient_checkpointing is on: activations are computed again instead of kept."
    return None
