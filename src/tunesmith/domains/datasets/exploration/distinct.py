"""How many different values there are, and which are frequent, in bounded memory and the same at each run."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.schemas.exploration import DistinctCount

Key = TypeVar("Key", bound=Hashable)
EXACT_UP_TO = 1_000_000
PENDING = 65_536


def fingerprint(text: str) -> int:
    """64 bits that stand for ``text``; half surrogates are texts like others here."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class DistinctValues:
    """Counts different fingerprints: exactly up to ``limit``, from then on by the smallest ``limit`` of them.

    (k − 1) / (the k-th smallest, as a share of the range) estimates the number without bias; its relative standard error is
    1 / √(k − 2), a thousandth for a million (Bar-Yossef et al. 2002, Beyer et al. 2007). Eight bytes a value.
    """

    def __init__(self, limit: int = EXACT_UP_TO) -> None:
        self._limit = max(limit, 16)
        self._smallest: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self._pending: set[int] = set()
        self._is_cut = False

    def add(self, fingerprints: Collection[int]) -> None:
        """Count some values, given by fingerprint."""
        self._pending.update(fingerprints)
        if len(self._pending) >= PENDING:
            self._merge()

    def limit_to(self, limit: int) -> None:
        """Keep at most ``limit`` from now on."""
        self._limit = max(min(limit, self._limit), 16)

    def count(self) -> DistinctCount:
        """The number, and how sure it is."""
        self._merge()
        if not self._is_cut:
            return DistinctCount(value=len(self._smallest), exact=True, relative_error=0.0)
        kept = len(self._smallest)
        share = (float(self._smallest[-1]) + 1) / 2.0**64
        return DistinctCount(
            value=round((kept - 1) / share), exact=False, relative_error=round(1 / math.sqrt(kept - 2), 6)
        )

    def _merge(self) -> None:
        if self._pending:
            fresh = np.fromiter(self._pending, dtype=np.uint64, count=len(self._pending))
            self._pending = set()
            self._smallest = np.union1d(self._smallest, fresh)
        if len(self._smallest) > self._limit:
            self._smallest = self._smallest[: self._limit].copy()
            self._is_cut = True


class FrequentValues(Generic[Key]):
    """The most frequent values by Misra and Gries, merged in batches: a count is at most ``error`` too low, never too high."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._counts: Counter[Key] = Counter()
        self.error = 0

    def add(self, batch: Mapping[Key, int]) -> None:
        """Count the values of a batch."""
        self._counts.update(batch)
        if len(self._counts) > 2 * self._capacity:
            self._cut()

    def limit_to(self, capacity: int) -> None:
        """Keep at most ``capacity`` values from now on."""
        self._capacity = min(capacity, self._capacity)

    def most_common(self, number: int | None = None) -> list[tuple[Key, int]]:
        """Values and counts, the most frequent first; those that are equally frequent by their text."""
        ordered = sorted(self._counts.items(), key=lambda entry: (-entry[1], str(entry[0])))
        return ordered[:number]

    def replace(self, counts: Mapping[Key, int]) -> None:
        """Take other keys for what was counted."""
        self._counts = Counter(counts)

    def _cut(self) -> None:
        line = sorted(self._counts.values(), reverse=True)[self._capacity]
        self._counts = Counter({key: count - line for key, count in self._counts.items() if count > line})
        self.error += line
