"""The parts, written."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates import ShouldStop, Stopped
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.splitting.assignment import assign
from tunesmith.domains.datasets.splitting.units import SplitRules, Units, connect_rows

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class PartFile:
    """One part, written."""

    part: str
    path: Path
    rows: int


@dataclass(frozen=True)
class StratumCounts:
    """How the rows with one value were divided."""

    value: str | None
    rows: int
    parts: dict[str, int]


@dataclass(frozen=True)
class Split:
    """What a split made."""

    parts: list[PartFile]
    units: int
    largest_unit_rows: int
    kept_together: dict[str, int]
    is_exact: bool
    strata: list[StratumCounts]


def split_file(source: RowSource, folder: Path, rules: SplitRules, should_stop: ShouldStop) -> Split:
    """Write each part with a share above 0 as JSON Lines.

    Raises DatasetRedError when a row cannot be read, PreprocessingError when there are fewer units than parts or a column is
    missing, and Stopped.
    """
    wanted = [part for part in PARTS if rules.shares.get(part, 0) > 0]
    folder.mkdir(parents=True, exist_ok=True)
    units = connect_rows(source, folder, rules, should_stop)
    part_of_row = assign(units, [rules.shares[part] for part in wanted], rules.seed)
    paths = [folder / f"{part}.jsonl" for part in wanted]
    with source.open() as data, ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for record in data.records():
            if record.is_row:
                files[part_of_row[record.row - 1]].write(_line(record.value))
            if should_stop():
                raise Stopped
    rows = np.bincount(part_of_row, minlength=len(wanted))
    sizes = units.sizes
    return Split(
        parts=[PartFile(part, path, int(n)) for part, path, n in zip(wanted, paths, rows, strict=True)],
        units=len(sizes),
        largest_unit_rows=int(sizes.max()),
        kept_together=units.kept_together,
        is_exact=units.is_exact,
        strata=_strata(units, part_of_row, wanted) if rules.stratify_by is not None else [],
    )


def _line(value: Any) -> bytes:
    """A row as a line; half of a surrogate pair, which a field that nothing reads may hold, stays escaped."""
    try:
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value).encode() + b"\n"


def _strata(units: Units, part_of_row: NDArray[np.int64], wanted: list[str]) -> list[StratumCounts]:
    counts = np.zeros((len(units.strata), len(wanted)), dtype=np.int64)
    np.add.at(counts, (units.stratum_of_row, part_of_row), 1)
    return [
        StratumCounts(value, int(row.sum()), dict(zip(wanted, row.tolist(), strict=True)))
        for value, row in zip(units.strata, counts, strict=True)
    ]
