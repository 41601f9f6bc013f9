"""What differs between two versions, from the digests of their rows and the maps between them. A few arrays, no row is read.

Versions with a common ancestor are compared row by row: two rows are the same row when they come from the same row of the
ancestor. Files that have nothing to do with each other are compared by content: the n-th occurrence of a row in one belongs to
the n-th occurrence in the other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.versions.digests import Numbers

CHANGED, REMOVED, ADDED = 0, 1, 2
KINDS = {"changed": CHANGED, "removed": REMOVED, "added": ADDED}
NAMES = {number: name for name, number in KINDS.items()}


@dataclass(frozen=True)
class Differences:
    """The rows that differ, in the order of the older version; an added row follows the row that it was put after.

    ``kinds`` are numbers of ``KINDS``; ``before`` and ``after`` are row numbers from 1, 0 for none.
    """

    kinds: NDArray[np.uint8]
    before: Numbers
    after: Numbers

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        numbers = np.bincount(self.kinds, minlength=len(KINDS))
        return {name: int(numbers[kind]) for name, kind in KINDS.items()}

    def of(self, kinds: Collection[str]) -> Differences:
        """Only those of some kinds."""
        wanted = np.isin(self.kinds, [KINDS[kind] for kind in kinds])
        return Differences(self.kinds[wanted], self.before[wanted], self.after[wanted])

    def page(self, offset: int, limit: int) -> list[tuple[str, int, int]]:
        """Some of them as (kind, row before, row after)."""
        part = slice(offset, offset + limit)
        rows = zip(self.kinds[part], self.before[part], self.after[part], strict=True)
        return [(NAMES[int(kind)], int(old), int(new)) for kind, old, new in rows]


def composed(row_maps: Sequence[Numbers], rows: int) -> Numbers:
    """The row of the ancestor behind each of ``rows`` rows, over the maps from the version upwards; 0 for none."""
    numbers = np.arange(1, rows + 1, dtype=np.uint64)
    for row_map in row_maps:
        padded = np.concatenate([np.zeros(1, dtype=np.uint64), row_map])
        numbers = padded[numbers]
    return numbers


def paired_by_ancestor(before: Numbers, after: Numbers) -> Numbers:
    """For each row after, the row before that comes from the same row of the ancestor; 0 for none."""
    top = int(max(before.max(initial=0), after.max(initial=0)))
    place = np.zeros(top + 1, dtype=np.uint64)
    place[before] = np.arange(1, len(before) + 1, dtype=np.uint64)
    place[0] = 0
    return place[after]


def paired_by_content(before: Numbers, after: Numbers) -> Numbers:
    """For each row after, the row before with the same digest, occurrence by occurrence; 0 for none."""
    order_before, order_after = (np.argsort(side, kind="stable") for side in (before, after))
    sorted_before, sorted_after = before[order_before], after[order_after]
    first = np.searchsorted(sorted_before, sorted_after, side="left")
    count = np.searchsorted(sorted_before, sorted_after, side="right") - first
    rank = np.arange(len(after)) - np.searchsorted(sorted_after, sorted_after, side="left")
    has = rank < count
    pairs = np.zeros(len(after), dtype=np.uint64)
    pairs[order_after[has]] = order_before[(first + rank)[has]] + 1
    return pairs


def differences(before: Numbers, after: Numbers, pairs: Numbers) -> Differences:
    """The differences of two versions, given their digests and, for each row after, its row before (0 for none)."""
    number_after = np.arange(1, len(after) + 1, dtype=np.uint64)
    is_paired = pairs > 0
    both = pairs[is_paired].astype(np.int64) - 1
    is_changed = before[both] != after[is_paired]
    gone = np.ones(len(before), dtype=bool)
    gone[both] = False
    removed = np.flatnonzero(gone).astype(np.uint64) + np.uint64(1)
    changed_before, changed_after = pairs[is_paired][is_changed], number_after[is_paired][is_changed]
    added = number_after[~is_paired]
    last_paired = np.maximum.accumulate(np.where(is_paired, np.arange(len(after)), -1)) if len(after) else np.zeros(0)
    anchors = np.concatenate([np.zeros(1, dtype=np.uint64), pairs])[last_paired.astype(np.int64) + 1]
    zeros = [np.zeros(len(rows), dtype=np.uint64) for rows in (removed, added)]
    kinds = np.repeat(
        np.array([CHANGED, REMOVED, ADDED], dtype=np.uint8), [len(changed_before), len(removed), len(added)]
    )
    old = np.concatenate([changed_before, removed, zeros[1]])
    new = np.concatenate([changed_after, zeros[0], added])
    place = np.concatenate([changed_before, removed, anchors[~is_paired]])
    order = np.lexsort((new, kinds, place))
    return Differences(kinds[order], old[order], new[order])
