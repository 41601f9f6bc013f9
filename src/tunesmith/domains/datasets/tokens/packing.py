"""How many sequences hold documents of given lengths: best fit, longest first, computed on counts instead of documents.

Documents of one length are alike, and so are sequences with the same room left. Both are kept as counts, so a million
documents cost as much as there are different lengths, and the answer is that of placing them one by one.
"""

from __future__ import annotations

import bisect

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def packed_sequences(lengths: Integers, counts: Integers, capacity: int) -> int:
    """Sequences of ``capacity`` tokens after packing ``counts`` documents of each of ``lengths`` (1 to ``capacity``)."""
    rooms: list[int] = []
    """The different rooms that are left, rising."""
    with_room: dict[int, int] = {}
    opened = 0
    for length, count in sorted(zip(lengths.tolist(), counts.tolist(), strict=True), reverse=True):
        while count:
            at = bisect.bisect_left(rooms, length)
            if at == len(rooms):
                room, there = capacity, -(-count // (capacity // length))
                opened += there
            else:
                room = rooms.pop(at)
                there = with_room.pop(room)
            each = room // length
            full = min(there, count // each)
            count -= full * each
            _leave(rooms, with_room, room - each * length, full)
            if full < there and count:
                _leave(rooms, with_room, room - count * length, 1)
                full, count = full + 1, 0
            _leave(rooms, with_room, room, there - full)
    return opened


def _leave(rooms: list[int], with_room: dict[int, int], room: int, sequences: int) -> None:
    """``sequences`` have this room left now."""
    if not sequences or not room:
        return
    if room not in with_room:
        bisect.insort(rooms, room)
    with_room[room] = with_room.get(room, 0) + sequences
