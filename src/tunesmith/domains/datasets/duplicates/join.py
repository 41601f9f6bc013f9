"""The similarity join: every pair of sets at or above the threshold is offered to a taker, with its exact Jaccard.

Few sets are compared all with all. Many are signed first (`signatures`): with pigeonholes, which lose no pair, where these let
few other pairs pass, else with MinHash. The signatures are spilled to files by their first bits, and each file is sorted in
memory, so that memory does not grow with their number. Sets with a signature in common are compared: bitmaps first, the tokens
themselves for what is left.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates.likeness import Bitmaps, Numbers, jaccard
from tunesmith.domains.datasets.duplicates.sets_on_disk import SetsOnDisk
from tunesmith.domains.datasets.duplicates.signatures import MinHashes, Pigeonholes, Sign
from tunesmith.domains.datasets.duplicates.spill import Spill

ALL_WITH_ALL_BELOW = 4_000
"""So many sets are compared without signatures, at any threshold."""
EXACT_BELOW = {0.9: 1 << 32, 0.8: 50_000, 0.5: 20_000}
"""From this threshold on, fewer sets than this are joined exactly."""
PIGEONHOLES_FROM = 0.8
_SMALL_GROUP = 64
_LEADERS = 16
_BLOCK_A, _BLOCK_B = 128, 4096
_MOST_IN_GROUP = 30_000

ShouldStop = Callable[[], bool]


class Stopped(Exception):
    """The caller asked for the work to end."""


class Taker(Protocol):
    """What becomes of the pairs."""

    connects: bool
    """Whether a pair says nothing new once both are connected, so that a leader may stand for its followers."""

    def wanted(self, a: Numbers, b: Numbers) -> NDArray[np.bool_]:
        """Which pairs would still say something new."""

    def take(self, a: Numbers, b: Numbers, similarity: NDArray[np.float64]) -> None:
        """These pairs are near duplicates."""


class Join:
    """One join over the sets ``numbers`` (ascending, without empty ones, each set once)."""

    def __init__(
        self, sets: SetsOnDisk, numbers: Numbers, threshold: float, folder: Path, taker: Taker, should_stop: ShouldStop
    ) -> None:
        self._sets = sets
        self._numbers = numbers
        self._threshold = threshold
        self._folder = folder
        self._taker = taker
        self._should_stop = should_stop
        self._bitmaps = Bitmaps(sets.sizes, threshold)
        self.pairs_left_out = 0
        """Pairs in groups too large to compare all with all; 0 unless tens of thousands of rows follow one pattern."""

    @property
    def is_exact(self) -> bool:
        """Whether every pair at or above the threshold was found, not almost every one."""
        return self.pairs_left_out == 0 and self._is_affordable

    @property
    def _is_affordable(self) -> bool:
        return any(self._threshold >= low and len(self._numbers) < most for low, most in EXACT_BELOW.items())

    @property
    def _sign_with(self) -> Sign | None:
        """What signs the sets; None when all are compared with all."""
        if len(self._numbers) < ALL_WITH_ALL_BELOW:
            return None
        if not self._is_affordable:
            return MinHashes.for_threshold(self._threshold).sign
        return Pigeonholes(self._threshold).sign if self._threshold >= PIGEONHOLES_FROM else None

    def run(self) -> None:
        """Do it; raises Stopped."""
        sign = self._sign_with
        if sign is None:
            for first, block in self._sets.blocks():
                self._check()
                self._bitmaps.fill(first, block)
            self._compare_group(self._numbers)
            return
        with tempfile.TemporaryDirectory(dir=self._folder) as name, Spill(Path(name)) as spill:
            self._sign(sign, spill)
            for signatures, numbers in spill.buckets():
                self._check()
                self._compare_bucket(signatures, numbers)

    def _sign(self, sign: Sign, spill: Spill) -> None:
        chosen = np.zeros(len(self._sets), dtype=bool)
        chosen[self._numbers] = True
        for first, block in self._sets.blocks():
            self._check()
            self._bitmaps.fill(first, block)
            for signatures, places in sign(block):
                kept = chosen[places + first]
                spill.add(signatures[kept], (places[kept] + first).astype(np.uint32))

    def _compare_bucket(self, signatures: NDArray[np.uint64], numbers: NDArray[np.uint32]) -> None:
        order = np.argsort(signatures, kind="stable")
        sorted_numbers = numbers[order].astype(np.int64)
        sorted_signatures = signatures[order]
        begins = np.flatnonzero(np.concatenate(([True], sorted_signatures[1:] != sorted_signatures[:-1])))
        sizes = np.diff(np.append(begins, len(sorted_signatures)))
        for a, b in _pairs_of_small(begins, sizes):
            self._verify(sorted_numbers[a], sorted_numbers[b])
        for at in np.flatnonzero(sizes > _SMALL_GROUP):
            self._compare_group(np.unique(sorted_numbers[begins[at] : begins[at] + sizes[at]]))

    def _compare_group(self, group: Numbers) -> None:
        """All with all, but for those that a few leaders show to be connected anyway."""
        if len(group) < 2:
            return
        if len(group) > _MOST_IN_GROUP:
            self._compare_neighbours(group)
            return
        group = group[np.argsort(self._sets.sizes[group], kind="stable")]
        left = self._without_largest(group) if self._taker.connects else group
        for at in range(0, len(left), _BLOCK_A):
            self._check()
            self._compare_block(left[at : at + _BLOCK_A], group)

    def _without_largest(self, group: Numbers) -> Numbers:
        """``group`` without the largest component that a few leaders gather: its sets need no comparison among themselves."""
        leaders: list[int] = []
        apart = group
        while len(apart) and len(leaders) < _LEADERS:
            leaders.append(int(apart[0]))
            self._verify(np.full(len(group), apart[0]), group)
            still = self._taker.wanted(np.full(len(apart), apart[0]), apart)
            followers, apart = len(apart) - int(still.sum()), apart[still]
            if followers < len(apart) // 16:
                break
        rests = [group[self._taker.wanted(np.full(len(group), leader), group)] for leader in leaders]
        return min(rests, key=len)

    def _compare_block(self, block: Numbers, group: Numbers) -> None:
        """``block`` with all of ``group``; both are sorted by size, so most of the group is too small or too large."""
        sizes = self._sets.sizes
        low = int(np.searchsorted(sizes[group], sizes[block[0]] * self._threshold - 1, side="left"))
        high = int(np.searchsorted(sizes[group], sizes[block[-1]] / self._threshold + 1, side="right"))
        for at in range(low, high, _BLOCK_B):
            others = group[at : min(at + _BLOCK_B, high)]
            in_a, in_b = self._bitmaps.possible_between(block, others)
            self._verify(block[in_a], others[in_b], is_possible=True)

    def _compare_neighbours(self, group: Numbers) -> None:
        """A group of very many sets: each with those beside it, by size and content; what is left out is counted."""
        order = np.lexsort((self._sets.digests[group], self._sets.sizes[group]))
        group = group[order]
        self._verify(np.full(len(group), group[0]), group)
        for distance in range(1, _SMALL_GROUP):
            self._check()
            self._verify(group[:-distance], group[distance:])
        apart = max(0, len(group) - _SMALL_GROUP)
        self.pairs_left_out += apart * (apart + 1) // 2

    def _verify(self, a: Numbers, b: Numbers, *, is_possible: bool = False) -> None:
        """Compare pairs, a part at a time, so that what the first ones show saves work on the others."""
        at, step = 0, 256
        while at < len(a):
            self._check()
            some_a, some_b = a[at : at + step], b[at : at + step]
            at += step
            step = min(2 * step, 1 << 16)
            kept = self._taker.wanted(some_a, some_b) & (some_a != some_b)
            some_a, some_b = some_a[kept], some_b[kept]
            if not is_possible:
                kept = self._bitmaps.possible(some_a, some_b)
                some_a, some_b = some_a[kept], some_b[kept]
            if len(some_a):
                similarity = jaccard(self._sets, some_a, some_b)
                near = similarity >= self._threshold
                self._taker.take(some_a[near], some_b[near], similarity[near])

    def _check(self) -> None:
        if self._should_stop():
            raise Stopped


def _pairs_of_small(begins: Numbers, sizes: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Places of all pairs in each group of 2 … ``_SMALL_GROUP``, by distance."""
    for distance in range(1, _SMALL_GROUP):
        in_group = (sizes > distance) & (sizes <= _SMALL_GROUP)
        if not in_group.any():
            continue
        counts = sizes[in_group] - distance
        before = np.cumsum(counts) - counts
        first = np.repeat(begins[in_group] - before, counts) + np.arange(int(counts.sum()))
        yield first, first + distance
