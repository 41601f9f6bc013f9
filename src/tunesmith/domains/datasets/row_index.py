"""Where every so-many-th row begins in the file, so that a row near the end of a large file is read at once."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

from tunesmith.domains.datasets.readers import Position, Record

ROW_INDEX = "rows.index"
EVERY_ROWS = 256


class RowIndexWriter:
    """Keeps the place of every 256th row; a million rows take 100 kB."""

    def __init__(self) -> None:
        self._places = array("Q")

    def add(self, record: Record) -> None:
        """Look at one record."""
        if record.is_row and (record.row - 1) % EVERY_ROWS == 0:
            self._places.extend((record.row, record.line, record.offset))

    def save(self, path: Path) -> None:
        """Write the index."""
        path.write_bytes(self._places.tobytes())


def find_place(path: Path, row: int) -> Position | None:
    """The nearest indexed place at or before ``row`` (from 1)."""
    places = np.fromfile(path, dtype="<u8").reshape(-1, 3)
    at = min((row - 1) // EVERY_ROWS, len(places) - 1)
    return Position(*(int(number) for number in places[at])) if at >= 0 else None
