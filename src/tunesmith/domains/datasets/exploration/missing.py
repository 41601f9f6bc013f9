"""Which columns are missing together, row by row."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.exploration.distinct import FrequentValues

MAX_PATTERNS = 5_000


class MissingPatterns:
    """Counts sets of missing columns. A column that turns up late was missing in all rows before."""

    def __init__(self) -> None:
        self._columns = 0
        self._patterns: FrequentValues[int] = FrequentValues(MAX_PATTERNS)

    def add(self, missing: NDArray[np.bool_]) -> None:
        """Take the next rows × columns; new columns stand at the end."""
        if missing.shape[1] > self._columns:
            late = ((1 << missing.shape[1]) - 1) ^ ((1 << self._columns) - 1)
            self._patterns.replace({pattern | late: n for pattern, n in self._patterns.most_common()})
            self._columns = missing.shape[1]
        packed = np.packbits(missing, axis=1, bitorder="little")
        self._patterns.add(Counter(int.from_bytes(row.tobytes(), "little") for row in packed))

    @property
    def is_exact(self) -> bool:
        """Whether no rare pattern had to be forgotten."""
        return self._patterns.error == 0

    def patterns(self) -> list[tuple[list[int], int]]:
        """Sets of missing columns (by number) with the rows that miss exactly these; the most frequent first."""
        return [
            ([at for at in range(self._columns) if pattern >> at & 1], count)
            for pattern, count in self._patterns.most_common()
        ]

    def together(self) -> NDArray[np.int64]:
        """For each pair of columns the rows that miss both; on the diagonal those that miss the one."""
        patterns = self._patterns.most_common()
        bits = np.array([[p >> at & 1 for at in range(self._columns)] for p, _ in patterns], dtype=np.int64)
        weights = np.array([n for _, n in patterns], dtype=np.int64)
        return (bits * weights[:, None]).T @ bits if len(patterns) else np.zeros((0, 0), dtype=np.int64)
