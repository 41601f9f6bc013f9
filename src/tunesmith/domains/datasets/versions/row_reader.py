"""A few rows of a version by their numbers, wherever they lie in a large file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.domains.datasets.readers import DataFile, Position, Record
from tunesmith.domains.datasets.row_index import find_place
from tunesmith.domains.datasets.source import RowSource


class ReadRow(NamedTuple):
    """A row as it can be read; ``error`` says why not."""

    value: Any
    error: str | None


def read_rows(source: RowSource, index: Path | None, numbers: Collection[int]) -> dict[int, ReadRow]:
    """The rows with these numbers; those that the file does not have are left out."""
    found: dict[int, ReadRow] = {}
    with source.open() as data:
        records: Iterator[Record] = _rows(data, None)
        at = 0
        for number in sorted(set(numbers)):
            place = find_place(index, number) if index is not None else None
            if place is not None and place.row > at + 1:
                records = _rows(data, place)
            for record in records:
                at = record.row
                if at == number:
                    found[number] = ReadRow(record.value, record.fault.message if record.fault else None)
                    break
    return found


def _rows(data: DataFile, start: Position | None) -> Iterator[Record]:
    return (record for record in data.records(start) if record.is_row)
