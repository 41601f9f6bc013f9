"""A digest for each row of a version: 8 bytes a row, kept by content, so that versions are compared without reading them."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.derivation.parent import ParentRow, Passed, parent_rows
from tunesmith.domains.datasets.derivation.writing import canonical
from tunesmith.domains.datasets.source import RowSource

DIGESTS = "row-digests.u8"
Numbers = NDArray[np.uint64]


def digest_rows(source: RowSource, target: Path, passed: Passed, should_stop: Callable[[], bool]) -> None:
    """Write the digest of each row of ``source``, little-endian; equal rows have equal digests whatever kind their file is."""
    digests = array("Q")
    with source.open() as data, source.path.open("rb") as original:
        for row in parent_rows(source, data, passed):
            if should_stop():
                return
            if row.raw is None or not row.is_readable:
                digests.append(_number(_raw_of(row, original.seek, original.read)))
            elif row.note is not None:  # a repeated key: what the parser swallows counts
                digests.append(_number(row.raw))
            else:
                digests.append(_number(canonical(row.value).encode("utf-8", "surrogatepass")))
    if sys.byteorder == "big":
        digests.byteswap()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        digests.tofile(file)


def load_numbers(path: Path) -> Numbers:
    """A file of 8-byte numbers."""
    return np.fromfile(path, dtype="<u8")


def _raw_of(row: ParentRow, seek: Callable[[int], int], read: Callable[[int], bytes]) -> bytes:
    if row.raw is not None:
        return row.raw
    assert row.span is not None
    hashed = hashlib.blake2b(digest_size=32)
    seek(row.span.offset)
    left = row.span.size_bytes
    while left and (piece := read(min(left, 1 << 20))):
        left -= len(piece)
        hashed.update(piece if left else piece.rstrip(b"\r\n"))
    return hashed.digest()


def _number(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
