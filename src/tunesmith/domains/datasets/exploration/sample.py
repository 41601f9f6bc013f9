"""The numbers of each row side by side: all rows as long as they fit, else an even sample that any run draws the same."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
MAX_CELLS = 24_000_000
"""192 MB: a million rows of 24 numbers are kept whole."""
CONFIDENCE = 0.999
_MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


class RowSample:
    """A table of rows × measures; NaN where a row has no such number.

    When it outgrows ``max_cells`` every second row is dropped: those whose mixed number (SplitMix64) is odd, then those with
    an odd half, and so on. Which rows stay depends on their numbers alone, so the sample is even and needs no seed.
    """

    def __init__(self, max_cells: int = MAX_CELLS) -> None:
        self._max_cells = max_cells
        self._rows: list[NDArray[np.uint64]] = []
        self._chunks: list[Numbers] = []
        self._halvings = 0
        self.rows_seen = 0

    @property
    def is_whole(self) -> bool:
        """Whether every row is in it."""
        return self._halvings == 0

    @property
    def rows(self) -> int:
        """Rows that are kept."""
        return sum(len(chunk) for chunk in self._chunks)

    def add(self, values: Numbers) -> None:
        """Take the next rows; measures that are new stand at the end."""
        numbers = np.arange(self.rows_seen + 1, self.rows_seen + len(values) + 1, dtype=np.uint64)
        self.rows_seen += len(values)
        kept = self._is_kept(numbers)
        self._rows.append(numbers[kept])
        self._chunks.append(values[kept])
        while sum(chunk.size for chunk in self._chunks) > self._max_cells:
            self._halvings += 1
            keep = [self._is_kept(rows) for rows in self._rows]
            self._rows = [rows[wanted] for rows, wanted in zip(self._rows, keep, strict=True)]
            self._chunks = [chunk[wanted] for chunk, wanted in zip(self._chunks, keep, strict=True)]

    def column(self, measure: int) -> Numbers:
        """One measure of the rows that are kept, NaN included."""
        pieces = [
            chunk[:, measure] if measure < chunk.shape[1] else np.full(len(chunk), np.nan) for chunk in self._chunks
        ]
        return np.concatenate(pieces) if pieces else np.empty(0)

    def _is_kept(self, rows: NDArray[np.uint64]) -> NDArray[np.bool_]:
        mixed = rows * np.uint64(_MIX[0])
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_MIX[1])
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_MIX[2])
        mixed ^= mixed >> np.uint64(31)
        return np.asarray((mixed & np.uint64((1 << self._halvings) - 1)) == 0)


def rank_error(sampled: int, total: int) -> float:
    """How far the rank of a quantile of a sample may be off, as a share of the rows, at 99.9 % (Dvoretzky–Kiefer–Wolfowitz)."""
    if sampled >= total or not sampled:
        return 0.0
    return math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * sampled))
