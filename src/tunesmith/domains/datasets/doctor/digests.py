"""A map from 8-byte digests to row numbers in 12 bytes an entry (a dict takes ten times as much)."""

from __future__ import annotations

import hashlib
from array import array

_MINIMUM_SLOTS = 1 << 12


def digest(*parts: str) -> int:
    """A 64-bit digest of texts, never 0; raises UnicodeEncodeError for half a surrogate pair."""
    hashed = hashlib.blake2b(digest_size=8)
    for part in parts:
        raw = part.encode()
        hashed.update(len(raw).to_bytes(8, "little"))
        hashed.update(raw)
    return int.from_bytes(hashed.digest(), "little") or 1


class FirstRows:
    """The first row in which each digest was seen: open addressing over two flat arrays."""

    def __init__(self) -> None:
        self._digests = array("Q", [0]) * _MINIMUM_SLOTS
        self._rows = array("I", [0]) * _MINIMUM_SLOTS
        self._mask = _MINIMUM_SLOTS - 1
        self._used = 0

    def first(self, key: int, row: int) -> int:
        """The row that ``key`` was first seen in; when it is new, ``row`` is kept and 0 answered."""
        at = self._slot(key)
        if self._digests[at]:
            return self._rows[at]
        self._digests[at], self._rows[at] = key, row
        self._used += 1
        if self._used * 3 > self._mask * 2:
            self._grow()
        return 0

    def _slot(self, key: int) -> int:
        digests, mask = self._digests, self._mask
        at = key & mask
        while (there := digests[at]) and there != key:
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        digests, rows = self._digests, self._rows
        slots = 2 * (self._mask + 1)
        self._digests, self._rows = array("Q", [0]) * slots, array(rows.typecode, [0]) * slots
        self._mask = slots - 1
        for key, row in zip(digests, rows, strict=True):
            if key:
                at = self._slot(key)
                self._digests[at], self._rows[at] = key, row
