"""What the worker does for a ``train`` job: fetch the data, run the engine's child, publish what came of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.db import Unit
from tunesmith.domains.datasets import DatasetResponse
from tunesmith.domains.jobs import JobContext, JobKind, JobView
from tunesmith.domains.training import repository
from tunesmith.domains.training.data import shape_of_rows
from tunesmith.domains.training.errors import CheckpointError
from tunesmith.domains.training.mirror import follow_event, follow_job
from tunesmith.domains.training.rehearsing import forecast_kind
from tunesmith.domains.training.repairing import MemoryRepairs
from tunesmith.domains.training.schemas import RunFigures
from tunesmith.domains.training.service import TrainingService
from tunesmith.kit.paths import link_folder
from tunesmith.wire.checkpoint import INHERITED
from tunesmith.wire.methods import Adapter, Objective
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import read_recipe
from tunesmith.wire.spec import TrainSpec


class TrainJobSpec(BaseModel):
    """A training: the recipe, and what its names were found to be."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    recipe: Recipe = Field(description="The recipe.")
    model_path: str = Field(description="Folder of the base model.")
    dataset_id: int = Field(description="Dataset to train on.")
    validation_dataset_id: int | None = Field(None, description="Dataset for the evaluation loss.")
    inherits: str | None = Field(None, description="Folder of another run's checkpoint that this one goes on from.")


class TrainResult(RunFigures):
    """What came of a training: its figures, and everything that evaluation and registry need."""

    run_id: int = Field(description="Id of the job.")
    status: str = Field("completed", description="`completed`.")
    checkpoint: str | None = Field(None, description="Checkpoint whose weights these are, from the attempts' folder.")
    publication: dict[str, Any] = Field(description="Base, adapter, recipe, dataset and figures for the registry.")


def kinds(training: TrainingService) -> list[JobKind]:
    """The kinds of jobs that this slice declares."""

    async def run(context: JobContext) -> BaseModel:
        return await run_training(training, context)

    async def on_change(unit: Unit, job: JobView) -> None:
        await follow_job(unit, job)
        await training.mirrors.note_job(unit, job)

    return [
        JobKind(
            "train",
            TrainJobSpec,
            TrainResult,
            run,
            stoppable=True,
            resumable=True,
            needs_device=True,
            max_runtime_hours=lambda spec: spec.recipe.resources.max_runtime_hours,
            on_change=on_change,
            on_event=follow_event,
        ),
        forecast_kind(training),
    ]


async def run_training(training: TrainingService, context: JobContext) -> TrainResult:
    """Train. After a kill this runs again from the start and takes up the child that is still there."""
    spec = context.spec
    assert isinstance(spec, TrainJobSpec)
    folder = context.folder / "data"
    folder.mkdir(exist_ok=True)
    async with context.read() as unit:
        dataset = await training.datasets.get(unit, spec.dataset_id)
        shape = shape_of_rows(spec.recipe)
        train = await training.datasets.export_rows(unit, spec.dataset_id, folder / "train.jsonl", **shape)
        validation = None
        if spec.validation_dataset_id is not None:
            target = folder / "validation.jsonl"
            validation = await training.datasets.export_rows(unit, spec.validation_dataset_id, target, **shape)
        row = await repository.find_job(unit.session, unit.principal, context.job.id)
    order = TrainSpec(
        recipe=spec.recipe,
        model_path=spec.model_path,
        train_file=str(train.path),
        validation_file=str(validation.path) if validation else None,
        resume_from=(row.resume_from if row else None) or await _inherited(context, spec),
        device=training.settings.device,
        cache_path=str(training.settings.data_dir / "cache"),
    )
    own = await asyncio.to_thread(training.engine.environment, spec.recipe)
    env = _visible(context.job.device) | own
    finished = await context.run_child(training.engine.module, order, env=env, repairs=MemoryRepairs())
    assert context.run is not None
    artifacts = context.run.artifacts
    resolved = await context.in_thread(read_recipe, artifacts / "recipe.yaml")
    figures = RunFigures.model_validate(finished.result)
    return TrainResult(
        **figures.model_dump(),
        run_id=context.job.id,
        checkpoint=finished.result.get("checkpoint"),
        publication={
            "job_id": context.job.id,
            "base_model": spec.recipe.model.base,
            "base_path": spec.model_path,
            **_weights(artifacts, spec.recipe),
            "recipe": resolved.to_plain(),
            "dataset": _reference(dataset, train.rows),
            "metrics": figures.model_dump(mode="json"),
            "weights_sha256": figures.weights_sha256,
            "trained_tokens": figures.trained_tokens,
            "final_loss": figures.final_loss,
            "eval_loss": figures.eval_loss,
        },
    )


async def _inherited(context: JobContext, spec: TrainJobSpec) -> str | None:
    """The checkpoint of another run, linked into this run's own folder: that run may be deleted meanwhile."""
    if spec.inherits is None:
        return None
    source = Path(spec.inherits)
    target = context.folder / INHERITED / source.name
    try:
        await context.in_thread(link_folder, source, target)
    except FileNotFoundError:
        raise CheckpointError(f"The checkpoint {source.name} that this run begins from is gone.") from None
    return str(target)


def _visible(device: str | None) -> dict[str, str]:
    """Only the GPU that the queue has given to this run is seen by its child, unless the engine says otherwise."""
    name = (device or "").rpartition("/")[2]
    return {"CUDA_VISIBLE_DEVICES": name.removeprefix("cuda:")} if name.startswith("cuda:") else {}


def _weights(artifacts: Path, recipe: Recipe) -> dict[str, str]:
    """Where the trained weights are, and what they are good for."""
    is_full = recipe.method.adapter == Adapter.FULL
    place = {"model_dir": str(artifacts / "model")} if is_full else {"adapter_dir": str(artifacts / "adapter")}
    return place | {"task": "score" if recipe.method.objective == Objective.REWARD else "text"}


def _reference(dataset: DatasetResponse, rows: int) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "name": dataset.name,
        "version": dataset.version,
        "sha256": dataset.sha256,
        "rows": rows,
    }
