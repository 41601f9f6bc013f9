"""Finding the next row that holds a text, a slice of the file at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.domains.datasets.row_index import find_place
from tunesmith.domains.datasets.source import RowSource

LOOK_AT_CLOCK_EVERY = 256


@dataclass(frozen=True)
class Found:
    """Where a search has come to. ``row`` is None where no row so far holds the text."""

    row: int | None
    scanned_to: int
    is_complete: bool


def search_rows(source: RowSource, index: Path | None, text: str, *, after: int, seconds: float) -> Found:
    """The first row behind ``after`` with ``text`` in one of its values, whatever the case; stops when the time is up."""
    wanted = text.casefold()
    deadline = time.monotonic() + seconds
    row = after
    with source.open() as data:
        for record in data.records(find_place(index, after + 1) if index else None):
            if not record.is_row or record.row <= after:
                continue
            row = record.row
            if any(wanted in held.casefold() for held in _texts(record.value)):
                return Found(row, row, is_complete=False)
            if row % LOOK_AT_CLOCK_EVERY == 0 and time.monotonic() > deadline:
                return Found(None, row, is_complete=False)
    return Found(None, row, is_complete=True)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
