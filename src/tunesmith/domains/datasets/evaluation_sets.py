"""Which datasets a dataset is judged by: the other parts of its split, those of its name, benchmarks."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.errors import DatasetNotReadyError, EvaluationSetMissingError
from tunesmith.domains.datasets.leakage import EvaluationSet
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.tables import DatasetRow

HELD_OUT = ("validation", "test", "valid", "val", "dev", "eval", "holdout")
_TRAINING = re.compile(r"[-_ .](train|training|sft)$", re.IGNORECASE)
_HELD_OUT = re.compile(rf"[-_ .]({'|'.join(HELD_OUT)})$", re.IGNORECASE)


async def held_out_of(unit: Unit, row: DatasetRow) -> list[DatasetRow]:
    """The validation and test parts that belong to ``row``: of its split, else the newest of the same name and such an ending."""
    if row.source.get("kind") == "split":
        if row.source.get("part") != "train" or row.source_job_id is None:
            return []
        parts = await repository.list_of_job(unit.session, unit.principal, row.source_job_id)
        return [part for part in parts if part.id != row.id and part.archived_at is None]
    if _HELD_OUT.search(row.name):
        return []
    stem = _TRAINING.sub("", row.name)
    names = [f"{stem}{separator}{ending}" for separator in "-_ ." for ending in HELD_OUT]
    return await repository.list_newest_named(unit.session, unit.principal, row.project_id, names)


async def judges_of(unit: Unit, row: DatasetRow, asked: Sequence[int]) -> list[DatasetRow]:
    """The datasets ``asked`` for, else those held out and the benchmarks. Raises EvaluationSetMissingError."""
    if row.id in asked:
        raise EvaluationSetMissingError("A dataset cannot be compared with itself; all of it would leak.")
    if asked:
        found = {id: await repository.find_dataset(unit.session, unit.principal, id) for id in dict.fromkeys(asked)}
        missing = [str(id) for id, other in found.items() if other is None]
        if missing:
            raise EvaluationSetMissingError(f"There is no dataset {', '.join(missing)}.")
        judges = [other for other in found.values() if other is not None]
    else:
        benchmarks = await repository.list_benchmarks(unit.session, unit.principal, row.project_id)
        judges = [*await held_out_of(unit, row), *(other for other in benchmarks if other.id != row.id)]
        judges = list({judge.id: judge for judge in judges}.values())
    if not judges:
        raise EvaluationSetMissingError(
            f"{row.name!r} {row.version} has no validation or test part, and there is no benchmark."
        )
    archived = [f"{judge.name!r} {judge.version}" for judge in judges if judge.purged_at is not None]
    if archived:
        raise DatasetNotReadyError(f"The rows of {', '.join(archived)} were deleted.")
    return judges


async def as_sets(
    judges: Sequence[DatasetRow], source_of: Callable[[DatasetRow], Awaitable[RowSource]]
) -> list[EvaluationSet]:
    """The same as sets whose rows can be read."""
    return [EvaluationSet(judge.id, f"{judge.name} {judge.version}", await source_of(judge)) for judge in judges]
