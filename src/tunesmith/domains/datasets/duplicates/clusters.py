"""Clusters of near duplicates: what is connected by pairs at or above the threshold."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


class Forest:
    """Joined sets, as a forest (union-find over one flat array): the smallest number is the root of each tree."""

    def __init__(self, count: int) -> None:
        self._parents: Numbers = np.arange(count, dtype=np.int64)

    def roots(self, numbers: Numbers) -> Numbers:
        """The root of each."""
        found: Numbers = self._parents[numbers]
        while True:
            above = self._parents[found]
            if np.array_equal(above, found):
                break
            found = above
        self._parents[numbers] = found
        return found

    def root(self, number: int) -> int:
        """The root of one."""
        parents = self._parents
        while (above := int(parents[number])) != number:
            parents[number] = parents[above]
            number = above
        return number

    def join(self, a: int, b: int) -> bool:
        """Connect two; False when they were connected."""
        first, second = sorted((self.root(a), self.root(b)))
        if first == second:
            return False
        self._parents[second] = first
        return True

    def join_equal(self, keys: NDArray[np.uint64], numbers: Numbers) -> int:
        """Connect all ``numbers`` whose ``keys`` are equal; answers how many trees became part of another."""
        order = np.argsort(keys, kind="stable")
        at = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        return sum(
            self.join(a, b) for a, b in zip(numbers[order[at]].tolist(), numbers[order[at + 1]].tolist(), strict=True)
        )


class Linked:
    """A taker of pairs that keeps those which connect what was apart: at most one for each set."""

    connects = True

    def __init__(self, count: int) -> None:
        self.forest = Forest(count)
        self._pairs = array("q")
        self._similarities = array("d")

    def wanted(self, a: Numbers, b: Numbers) -> NDArray[np.bool_]:
        """Pairs of sets that are not connected yet."""
        answer: NDArray[np.bool_] = self.forest.roots(a) != self.forest.roots(b)
        return answer

    def take(self, a: Numbers, b: Numbers, similarity: NDArray[np.float64]) -> None:
        """Connect them."""
        for first, second, value in zip(a.tolist(), b.tolist(), similarity.tolist(), strict=True):
            if self.forest.join(first, second):
                self._pairs.extend((first, second))
                self._similarities.append(value)

    def pairs(self) -> Numbers:
        """The pairs that were kept: two numbers a row."""
        return (np.frombuffer(self._pairs, dtype=np.int64) if self._pairs else np.zeros(0, np.int64)).reshape(-1, 2)

    def links(self) -> Iterator[tuple[int, int, float]]:
        """The same, each with its similarity."""
        return zip(self._pairs[::2], self._pairs[1::2], self._similarities, strict=True)


@dataclass(frozen=True)
class Clusters:
    """Clusters of at least two texts, one entry for each text in one of them, by cluster and then in order."""

    cluster: Numbers
    """Number of the cluster, from 0; clusters stand in the order of their first texts."""
    text: Numbers
    """The number that the text came with. The first of a cluster is its representative."""
    similarity: NDArray[np.float64]
    """Exact Jaccard with the representative; in a chain it may be below the threshold."""
    like: Numbers
    """A text of the cluster that this one is a near duplicate of: the representative wherever that is near enough."""
    like_similarity: NDArray[np.float64]
    """Exact Jaccard with ``like``, at or above the threshold."""
    is_exact: bool
    """Whether every pair at or above the threshold was found; else almost every one was."""
    pairs_left_out: int
    """Pairs that were not compared, since too many texts follow one pattern."""

    @property
    def count(self) -> int:
        """Number of clusters."""
        return int(self.cluster[-1]) + 1 if len(self.cluster) else 0

    def sizes(self) -> Numbers:
        """Texts in each cluster."""
        return np.bincount(self.cluster, minlength=self.count)
