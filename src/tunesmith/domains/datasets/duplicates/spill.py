"""Signatures on their way to be sorted: in files by their first bits, so that one file at a time fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.duplicates.shingles import U64

_BUCKET_BITS = 6
_KEPT = 1 << 18
_ENTRY = np.dtype([("signature", "<u8"), ("number", "<u4")])


class Spill:
    """Pairs of a signature and the number of a set."""

    def __init__(self, folder: Path) -> None:
        self._files = [(folder / f"signatures-{number}").open("w+b") for number in range(1 << _BUCKET_BITS)]
        self._waiting: list[NDArray[np.void]] = []
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def add(self, signatures: NDArray[np.uint64], numbers: NDArray[np.uint32]) -> None:
        """Take some."""
        entries = np.empty(len(signatures), dtype=_ENTRY)
        entries["signature"], entries["number"] = signatures, numbers
        self._waiting.append(entries)
        self._count += len(entries)
        if self._count > _KEPT:
            self._write()

    def _write(self) -> None:
        if not self._waiting:
            return
        entries = np.concatenate(self._waiting)
        bucket = (entries["signature"] >> U64(64 - _BUCKET_BITS)).astype(np.uint8)
        order = np.argsort(bucket, kind="stable")
        borders = np.searchsorted(bucket[order], np.arange(len(self._files) + 1))
        entries = entries[order]
        for number, file in enumerate(self._files):
            file.write(entries[borders[number] : borders[number + 1]].tobytes())
        self._waiting.clear()
        self._count = 0

    def buckets(self) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint32]]]:
        """All of them, a file at a time; equal signatures are in the same file."""
        self._write()
        for file in self._files:
            file.seek(0)
            entries = np.frombuffer(file.read(), dtype=_ENTRY)
            if len(entries):
                yield entries["signature"].copy(), entries["number"].copy()
