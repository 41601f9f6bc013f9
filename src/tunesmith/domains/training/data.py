"""Finds the data that a recipe names: a dataset by its reference, or a file that becomes a dataset."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets import (
    DataFormat,
    DatasetNotFoundError,
    DatasetRedError,
    DatasetResponse,
    DatasetService,
    DatasetStatus,
    refuse_format,
)
from tunesmith.domains.models import PathNotAllowed
from tunesmith.domains.training.errors import DataMismatch
from tunesmith.domains.training.graph import RunData
from tunesmith.settings import Mode, Settings
from tunesmith.wire.methods import FORMATS, Objective
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError


def shape_of_rows(recipe: Recipe) -> dict[str, Any]:
    """How ``DatasetService.export_rows`` writes what this recipe learns from."""
    objective = recipe.method.objective
    return {"accepted": accepted_formats(str(objective)), "with_columns": objective == Objective.GRPO}


def accepted_formats(objective: str) -> frozenset[DataFormat]:
    """The formats of rows that an objective learns from."""
    return frozenset(DataFormat(name) for name in FORMATS[objective])


REFERENCE = "dataset:"
ROOTS_HINT = "Upload the file as a dataset, or add its folder to TUNESMITH_MODELS__ALLOWED_ROOTS."


class DataSource:
    """Turns what a recipe says about data into ids of datasets."""

    def __init__(self, *, settings: Settings, datasets: DatasetService) -> None:
        self._settings = settings
        self._datasets = datasets

    async def ids_of(self, unit: Unit, recipe: Recipe, base_dir: Path | None) -> RunData:
        """The ids of all datasets that ``recipe`` names; each is refused by name when it cannot be used."""
        data, plan = recipe.data, recipe.evaluate
        fmt = None if data.format == "auto" else DataFormat(data.format)
        objective = str(recipe.method.objective)
        train = await self._find(unit, data.train, base_dir, fmt, objective)
        if data.sha256 and data.sha256 != train.sha256:
            raise DataMismatch(
                f"data.train ({data.train}) has SHA-256 {train.sha256}, but the recipe asks for {data.sha256}.",
                errors=[{"location": "data.sha256", "message": "other bytes", "value": data.sha256}],
            )
        named = {
            "validation": data.validation,
            "test": data.test,
            "questions": plan.questions if plan.enabled else None,
            "general": plan.general if plan.enabled else None,
        }
        found = {}
        for name, where in named.items():
            if where:
                same = name in ("validation", "test")
                chosen = (fmt, objective) if same else (None, str(Objective.SFT))  # questions are conversations
                found[name] = (await self._find(unit, where, base_dir, *chosen)).id
        return RunData(train=train.id, **found)

    async def _find(
        self, unit: Unit, where: str, base_dir: Path | None, fmt: DataFormat | None, objective: str
    ) -> DatasetResponse:
        if where.startswith(REFERENCE):
            dataset = await self._datasets.find_by_reference(unit, where)
            if dataset is None:
                raise DatasetNotFoundError(
                    f"There is no dataset {where.removeprefix(REFERENCE)!r} (asked for as {where})."
                )
        else:
            dataset = await self._import(unit, where, base_dir, fmt)
        refuse_format(
            dataset.format,
            f"The dataset {dataset.name}@{dataset.version}",
            accepted_formats(objective),
            f"objective {objective}",
            ", ".join(name for name, formats in FORMATS.items() if dataset.format in formats),
        )
        if dataset.status is DatasetStatus.INVALID:
            red = dataset.findings_counts.red if dataset.findings_counts else "some"
            raise DatasetRedError(
                f"The dataset {dataset.name}@{dataset.version} has {red} findings that training cannot pass over.",
                hint=f"Look at the findings of dataset {dataset.id}, correct those rows, and upload a new version.",
            )
        return dataset

    async def _import(self, unit: Unit, where: str, base_dir: Path | None, fmt: DataFormat | None) -> DatasetResponse:
        """A file that the server may read, kept as a dataset under its own name; the same content is kept once."""
        path = await asyncio.to_thread(self._allowed_file, where, base_dir)
        return await self._datasets.import_file(unit, path, name=path.stem, fmt=fmt)

    def _allowed_file(self, where: str, base_dir: Path | None) -> Path:
        if self._settings.mode is not Mode.LOCAL:
            raise PathNotAllowed(
                f"{where} is a path; in team mode data is named as dataset:NAME@VERSION.",
                hint="Upload the file as a dataset and write dataset:NAME@VERSION.",
            )
        if "\x00" in where:
            raise DatasetNotFoundError("The path of the data has a NUL character.")
        wanted = Path(where).expanduser()
        if not wanted.is_absolute():
            if base_dir is None:
                raise RecipeError(
                    f"{where} is a relative path, and the server does not know to what.",
                    hint="Write dataset:NAME@VERSION or an absolute path, or start the run with `tunesmith train RECIPE`.",
                )
            wanted = base_dir / wanted
        path = wanted.resolve()
        roots = [root.resolve() for root in self._settings.allowed_model_roots]
        if not any(root == path or root in path.parents for root in roots):
            raise PathNotAllowed(f"{where} is outside the folders that may be read.", hint=ROOTS_HINT)
        if not path.is_file():
            raise DatasetNotFoundError(
                f"There is no file {where}.", hint="Check the path; it starts from the recipe's folder."
            )
        return path
