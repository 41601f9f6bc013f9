"""The nearest text on the other side: what of one collection is in another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates.clusters import Numbers


class Nearest(NamedTuple):
    """For each text, by its place, the most similar text of the other side."""

    place: Numbers
    """−1 where none reaches the threshold."""
    similarity: NDArray[np.float64]
    is_exact: bool
    """Whether no pair at or above the threshold can have been missed."""


class Across:
    """A taker of pairs that keeps the best one of each set and side. Sets are known by the place of their first text."""

    connects = False

    def __init__(self, first_on: tuple[Numbers, Numbers]) -> None:
        """``first_on[side][place]``: the first text of that side whose set is that of ``place``; −1 for none."""
        self.first_on = first_on
        count = len(first_on[0])
        self.best = (np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64))
        self.similarity = (np.zeros(count), np.zeros(count))
        for side in (0, 1):
            both = np.flatnonzero((first_on[0] >= 0) & (first_on[1] >= 0))
            self.best[side][both] = first_on[1 - side][both]
            self.similarity[side][both] = 1.0

    def wanted(self, a: Numbers, b: Numbers) -> NDArray[np.bool_]:
        """Pairs across that can be better than what is known; nothing is better than 1."""
        answer = np.zeros(len(a), dtype=bool)
        for side in (0, 1):
            crosses = (self.first_on[side][a] >= 0) & (self.first_on[1 - side][b] >= 0)
            answer |= crosses & ((self.similarity[side][a] < 1) | (self.similarity[1 - side][b] < 1))
        return answer

    def take(self, a: Numbers, b: Numbers, similarity: NDArray[np.float64]) -> None:
        """Keep what is better; of two as good, the one whose first text comes first."""
        for one, other, value in (*zip(a, b, similarity, strict=True), *zip(b, a, similarity, strict=True)):
            for side in (0, 1):
                found = self.first_on[1 - side][other]
                if self.first_on[side][one] < 0 or found < 0 or value < self.similarity[side][one]:
                    continue
                if value > self.similarity[side][one] or found < self.best[side][one]:
                    self.best[side][one], self.similarity[side][one] = found, value
