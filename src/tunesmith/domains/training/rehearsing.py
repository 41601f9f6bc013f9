"""What the worker does for a ``forecast`` job: fetch the data as the run would, rehearse it in a child, look for problems."""

from __future__ import annotations

import asyncio
import os
import random
import time
from array import array
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.jobs import ChildFailed, JobContext, JobKind
from tunesmith.domains.training.data import shape_of_rows
from tunesmith.domains.training.forecasting import ForecastResponse, Machine, forecast_of, impossible
from tunesmith.domains.training.service import TrainingService
from tunesmith.kit.errors import Unsupported
from tunesmith.wire.recipe import Recipe, SplitSection
from tunesmith.wire.spec import ForecastSpec

ANSWERS = ("DATASET_ERROR", "CONFIGURATION_ERROR", "GPU_ERROR")
"""Failures of a rehearsal that are an answer: the run would fail in the same way."""


class ForecastJobSpec(BaseModel):
    """A run to be forecast: the recipe, and what its names were found to be."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    recipe: Recipe = Field(description="The recipe.")
    model_path: str = Field(description="Folder of the base model.")
    dataset_id: int = Field(description="Dataset to train on.")
    validation_dataset_id: int | None = Field(None, description="Dataset for the evaluation loss.")


def forecast_kind(training: TrainingService) -> JobKind:
    """The kind of job that forecasts."""

    async def run(context: JobContext) -> BaseModel:
        return await rehearse(training, context)

    return JobKind("forecast", ForecastJobSpec, ForecastResponse, run)


async def rehearse(training: TrainingService, context: JobContext) -> ForecastResponse:
    """Rehearse. What the run would fail with is an answer here: a red problem."""
    began = time.monotonic()
    spec = context.spec
    assert isinstance(spec, ForecastJobSpec)
    train, validation = await _data(training, context, spec)
    machine = Machine.look(training.settings.runs_dir, training.settings.jobs.max_runtime_hours)
    order = ForecastSpec(
        recipe=spec.recipe,
        model_path=spec.model_path,
        train_file=str(train),
        validation_file=str(validation) if validation else None,
        device=training.settings.device,
    )
    started = time.monotonic()
    module = training.engine.forecast_module
    if module is None:
        raise Unsupported(
            f"The engine {training.engine.name} cannot rehearse a run.", hint="Forecast with the engine trl."
        )
    try:
        env = await asyncio.to_thread(training.engine.environment, spec.recipe)
        finished = await context.run_child(module, order, env=env)
    except ChildFailed as error:
        if error.failure.error_type not in ANSWERS:
            raise
        return impossible(error.failure.code, error.failure.message, error.failure.hint)
    besides = started - began
    return forecast_of(
        finished.result, spec.recipe, machine, besides_seconds=besides, has_validation=validation is not None
    )


async def _data(training: TrainingService, context: JobContext, spec: ForecastJobSpec) -> tuple[Path, Path | None]:
    folder = context.folder / "data"
    folder.mkdir(exist_ok=True)
    train, validation = folder / "train.jsonl", None
    async with context.read() as unit:
        shape = shape_of_rows(spec.recipe)
        await training.datasets.export_rows(unit, spec.dataset_id, train, **shape)
        if spec.validation_dataset_id is not None:
            validation = folder / "validation.jsonl"
            await training.datasets.export_rows(unit, spec.validation_dataset_id, validation, **shape)
    shares = spec.recipe.data.split
    if shares is None or shares.train >= 1:
        return train, validation
    held_out = await context.in_thread(split_rows, train, folder, shares, spec.recipe.seed)
    return folder / "kept.jsonl", validation or held_out


def split_rows(file: Path, folder: Path, shares: SplitSection, seed: int) -> Path | None:
    """Divide rows by chance, as many to each part as the run's split will give it; answers the held-out part.

    A row keeps its number: in the part that it is not in there is an empty line. Memory: nine bytes a row, none of its text.
    """
    with file.open("rb") as rows:
        count = sum(1 for line in rows if line.strip())
    order = array("q", range(count))
    random.Random(seed).shuffle(order)
    total = shares.train + shares.validation + shares.test
    kept = max(1, round(count * shares.train / total))
    held_out = round(count * shares.validation / total)
    parts = bytearray(count)  # 0: neither, 1: kept, 2: held out
    for place, number in enumerate(order[: kept + held_out]):
        parts[number] = 1 if place < kept else 2
    target = folder / "held-out.jsonl" if held_out and kept < count else None
    with (
        file.open("rb") as rows,
        (folder / "kept.jsonl").open("wb") as of_training,
        open(target or os.devnull, "wb") as of_evaluation,
    ):
        for part, line in zip(parts, (line for line in rows if line.strip()), strict=True):
            of_training.write(line if part == 1 else b"\n")
            of_evaluation.write(line if part == 2 else b"\n")
    return target
