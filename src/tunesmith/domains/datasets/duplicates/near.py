"""Near duplicates among texts: sets on disk, joined, clustered."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates.across import Across, Nearest
from tunesmith.domains.datasets.duplicates.clusters import Clusters, Linked, Numbers
from tunesmith.domains.datasets.duplicates.join import Join, ShouldStop
from tunesmith.domains.datasets.duplicates.likeness import jaccard
from tunesmith.domains.datasets.duplicates.sets_on_disk import SetsOnDisk

DEFAULT_THRESHOLD = 0.95
LOWEST_THRESHOLD = 0.5


def never() -> bool:
    """Work to the end."""
    return False


def cluster_near_duplicates(
    texts: Iterable[tuple[int, str]], *, threshold: float, folder: Path, should_stop: ShouldStop = never
) -> Clusters:
    """Clusters of texts with a token Jaccard of at least ``threshold`` (0.5–1); raises Stopped.

    ``texts`` come with numbers of the caller's. Temporary files in ``folder`` take 8 bytes a token and more for signatures;
    memory stays below some 100 bytes a text.
    """
    with NearDuplicates(folder) as near:
        for number, text in texts:
            near.add(number, text)
            if should_stop():
                break
        return near.clusters(threshold, should_stop)


class NearDuplicates:
    """Collects texts as they come by, and clusters them at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix="near-duplicates-")
        self._sets = SetsOnDisk(Path(self._folder.name) / "tokens")
        self._numbers = array("q")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sets.__exit__(kind, error, trace)
        self._folder.cleanup()

    def add(self, number: int, text: str) -> None:
        """Take the next text; numbers ascend."""
        self._numbers.append(number)
        self._sets.add(text)

    @property
    def sizes(self) -> Numbers:
        """Tokens of each text, once all have been taken."""
        return self._sets.sizes

    def linked(self, threshold: float, should_stop: ShouldStop = never) -> tuple[Linked, Join]:
        """The places (from 0) of texts that are near duplicates, connected; raises Stopped. Texts without tokens are alone."""
        self._sets.complete()
        filled = np.flatnonzero(self._sets.sizes)
        linked = Linked(len(self._sets))
        _, first, same_as = np.unique(self._sets.digests[filled], return_index=True, return_inverse=True)
        repeated = np.flatnonzero(first[same_as] != np.arange(len(filled)))
        linked.take(filled[first[same_as[repeated]]], filled[repeated], np.ones(len(repeated)))
        join = Join(self._sets, filled[np.sort(first)], threshold, Path(self._folder.name), linked, should_stop)
        if threshold < 1:
            join.run()
        return linked, join

    def nearest_across(self, side: NDArray[np.uint8], threshold: float, should_stop: ShouldStop = never) -> Nearest:
        """For each text the most similar one of the other side (0 or 1, by place), if one reaches ``threshold``."""
        self._sets.complete()
        filled = np.flatnonzero(self._sets.sizes)
        _, first, same_as = np.unique(self._sets.digests[filled], return_index=True, return_inverse=True)
        set_of = np.full(len(self._sets), -1, dtype=np.int64)
        set_of[filled] = filled[first[same_as]]
        first_on = (np.full(len(self._sets), -1, dtype=np.int64), np.full(len(self._sets), -1, dtype=np.int64))
        for number in (0, 1):
            on_side = filled[side[filled] == number][::-1]
            first_on[number][set_of[on_side]] = on_side
        across = Across(first_on)
        join = Join(self._sets, filled[np.sort(first)], threshold, Path(self._folder.name), across, should_stop)
        if threshold < 1:
            join.run()
        place, similarity = np.full(len(self._sets), -1, dtype=np.int64), np.zeros(len(self._sets))
        for number in (0, 1):
            mine = filled[side[filled] == number]
            place[mine] = across.best[number][set_of[mine]]
            similarity[mine] = across.similarity[number][set_of[mine]]
        return Nearest(place, similarity, join.is_exact)

    def clusters(self, threshold: float, should_stop: ShouldStop = never) -> Clusters:
        """The clusters; raises Stopped."""
        linked, join = self.linked(threshold, should_stop)
        numbers: Numbers = np.frombuffer(self._numbers, dtype=np.int64) if self._numbers else np.zeros(0, np.int64)
        members = np.unique(linked.pairs())
        roots = linked.forest.roots(members)
        order = np.lexsort((members, roots))
        members, roots = members[order], roots[order]
        similarity = jaccard(self._sets, roots, members) if len(members) else np.zeros(0)
        like, like_similarity = _nearest(linked, members, roots, similarity, threshold)
        _, cluster = np.unique(roots, return_inverse=True)
        return Clusters(
            cluster.astype(np.int64),
            numbers[members],
            similarity,
            numbers[like],
            like_similarity,
            join.is_exact,
            join.pairs_left_out,
        )


def _nearest(
    linked: Linked, members: Numbers, roots: Numbers, similarity: NDArray[np.float64], threshold: float
) -> tuple[Numbers, NDArray[np.float64]]:
    """For each member the representative where it is near enough, else (and for that one) the nearest it is linked with."""
    is_open = (similarity < threshold) | (members == roots)
    best = dict.fromkeys(members[is_open].tolist(), (0, 0.0))
    for a, b, value in linked.links():
        for one, other in ((a, b), (b, a)):
            if one in best and value > best[one][1]:
                best[one] = (other, value)
    like, like_similarity = roots.copy(), similarity.copy()
    for at in np.flatnonzero(is_open):
        like[at], like_similarity[at] = best[int(members[at])]
    return like, like_similarity
