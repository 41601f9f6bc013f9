"""Which part each unit goes to.

In each stratum the units stand in the order of their keyed digests, as on a circle, and the circle is cut where the shares say,
at a place that depends on seed and value: so each part gets its share of each value, and over many rare values no part is
always the one that rounding forgets. A unit larger than the smallest part would be upset such a cut; it goes first, to the
part that has most room. A unit with several values counts for the most frequent one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.doctor.digests import digest
from tunesmith.domains.datasets.errors import PreprocessingError
from tunesmith.domains.datasets.splitting.units import Units

Numbers = NDArray[np.int64]


def assign(units: Units, shares: list[float], seed: int) -> Numbers:
    """The part of each row, from 0. Raises PreprocessingError when there are fewer units than parts."""
    sizes = units.sizes
    if len(sizes) < len(shares):
        raise PreprocessingError(
            f"There are {len(sizes)} different prompts, which cannot be divided into {len(shares)} parts: rows whose prompts "
            "are the same or nearly so, or that belong to one group, stay together.",
            hint="Ask for fewer parts, raise `similarity_threshold`, or add rows with other prompts.",
        )
    stratum = _main_stratum(units)
    order = np.lexsort((units.digests, stratum))
    part = np.zeros(len(sizes), dtype=np.int64)
    borders = np.searchsorted(stratum[order], np.arange(len(units.strata) + 1))
    for number, label in enumerate(units.strata):
        members = order[borders[number] : borders[number + 1]]
        if len(members):
            start = digest(str(seed), "" if label is None else label.encode(errors="replace").decode()) / 2**64
            part[members] = _divide(sizes[members], np.array(shares) / sum(shares), start)
    _leave_none_empty(part, sizes, units.digests, len(shares))
    answer: Numbers = part[units.unit_of_row]
    return answer


def _main_stratum(units: Units) -> Numbers:
    """The most frequent value of each unit; of two as frequent, the first in the alphabet."""
    count = len(units.strata)
    pairs, rows = np.unique(units.unit_of_row * count + units.stratum_of_row, return_counts=True)
    unit, stratum = np.divmod(pairs, count)
    order = np.lexsort((stratum, -rows, unit))
    first = np.unique(unit[order], return_index=True)[1]
    answer: Numbers = stratum[order][first]
    return answer


def _divide(sizes: Numbers, shares: NDArray[np.float64], start: float) -> Numbers:
    """The part of each of some units, which come in the order of their digests."""
    part = np.full(len(sizes), -1, dtype=np.int64)
    room = shares * sizes.sum()
    is_large = (sizes > 1) & (sizes > room.min())
    for at in sorted(np.flatnonzero(is_large).tolist(), key=lambda at: -int(sizes[at])):
        part[at] = int(np.argmax(room))
        room[part[at]] -= sizes[at]
    small = np.flatnonzero(part < 0)
    room = np.maximum(room, 0)
    total = sizes[small].sum()
    if total:
        weights = room / room.sum() if room.sum() else shares
        middles = ((np.cumsum(sizes[small]) - sizes[small] / 2) / total + start) % 1
        part[small] = np.searchsorted(np.cumsum(weights)[:-1], middles, side="right")
    return part


def _leave_none_empty(part: Numbers, sizes: Numbers, digests: NDArray[np.uint64], count: int) -> None:
    """A share that rounds to nothing still gets one unit: the smallest of the part that has most."""
    for empty in range(count):
        if not (part == empty).any():
            units_of = np.bincount(part, minlength=count)
            candidates = np.flatnonzero(part == np.argmax(units_of))
            part[candidates[np.lexsort((digests[candidates], sizes[candidates]))[0]]] = empty
