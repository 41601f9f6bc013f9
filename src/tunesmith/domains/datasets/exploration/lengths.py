"""Counts of whole numbers (characters, words, turns, tokens): exact below 4096, to one part in 4096 above, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.schemas.exploration import LengthSummary

EXACT_BELOW = 4096
RELATIVE_ERROR = 1 / EXACT_BELOW
LARGEST = 2**40
PENDING = 4096
_HALF = EXACT_BELOW // 2
Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]


class LengthCounts:
    """How often each length was seen.

    Lengths from 4096 on share a place with those that agree in the first 12 binary digits (as in HDR histograms), so a
    summary of any number of lengths takes at most half a megabyte and a quantile is off by at most 1/4096 of its value.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(64, dtype=np.int64)
        self.count = 0
        self.total = 0
        self._mean = 0.0
        self._squares = 0.0
        self._smallest = LARGEST
        self._largest = 0
        self._pending: list[int] = []

    def note(self, length: int) -> None:
        """Count one length, at least 0."""
        self._pending.append(length)
        if len(self._pending) >= PENDING:
            self.merge()

    def merge(self) -> None:
        """Sum up what was noted."""
        pending, self._pending = self._pending, []
        self.add(pending)

    def add(self, lengths: Iterable[int] | Integers) -> None:
        """Count some lengths, each at least 0."""
        values = np.minimum(np.asarray(lengths, dtype=np.int64).ravel(), LARGEST)
        if not len(values):
            return
        places = np.bincount(_places(values))
        if len(places) > len(self._counts):
            self._counts = np.pad(self._counts, (0, len(places) - len(self._counts)))
        self._counts[: len(places)] += places
        size, mean = len(values), float(values.mean())
        delta = mean - self._mean
        self._squares += float(((values - mean) ** 2).sum()) + delta**2 * self.count * size / (self.count + size)
        self.count += size
        self.total += int(values.sum())
        self._mean += delta * size / self.count
        self._smallest = min(self._smallest, int(values.min()))
        self._largest = max(self._largest, int(values.max()))

    @property
    def is_exact(self) -> bool:
        """Whether every length has a place of its own."""
        return self._largest < EXACT_BELOW

    def weighted(self) -> tuple[Integers, Integers]:
        """The different lengths in rising order, and how often each was seen."""
        self.merge()
        places = np.flatnonzero(self._counts)
        values = np.clip(_values(places), min(self._smallest, self._largest), self._largest)
        return values, self._counts[places]

    def quantiles(self, shares: Iterable[float]) -> list[float]:
        """Quantiles, interpolated between neighbours as numpy does by default."""
        values, counts = self.weighted()
        ends = np.cumsum(counts)
        found = []
        for share in shares:
            at = share * (self.count - 1)
            low, high = (
                int(values[np.searchsorted(ends, k, side="right")]) for k in (int(at), min(int(at) + 1, self.count - 1))
            )
            found.append(low + (high - low) * (at - int(at)))
        return found

    def summary(self) -> LengthSummary | None:
        """The figures that are shown; None when nothing was counted."""
        self.merge()
        if not self.count:
            return None
        q1, median, q3, p90, p95, p99 = self.quantiles((0.25, 0.5, 0.75, 0.9, 0.95, 0.99))
        return LengthSummary(
            count=self.count,
            total=self.total,
            mean=self.total / self.count,
            std=float(np.sqrt(self._squares / (self.count - 1))) if self.count > 1 else None,
            min=self._smallest,
            q1=q1,
            median=median,
            q3=q3,
            p90=p90,
            p95=p95,
            p99=p99,
            max=self._largest,
            exact=self.is_exact,
            relative_error=0.0 if self.is_exact else RELATIVE_ERROR,
        )


def _places(values: Integers) -> Integers:
    """The place of each length: itself below 4096, then 2048 places for each doubling."""
    places = values.copy()
    large = np.flatnonzero(values >= EXACT_BELOW)
    if len(large):
        shift = np.frexp(values[large].astype(np.float64))[1] - 12
        places[large] = EXACT_BELOW + (shift - 1) * _HALF + (values[large] >> shift) - _HALF
    return places


def _values(places: Integers) -> Integers:
    """The middle of what shares each place."""
    values = places.copy()
    large = np.flatnonzero(places >= EXACT_BELOW)
    if len(large):
        shift, rest = np.divmod(places[large] - EXACT_BELOW, _HALF)
        values[large] = ((rest + _HALF) << (shift + 1)) + (1 << shift)
    return values
