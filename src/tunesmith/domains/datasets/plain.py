"""The plain copy of a file that is packed, in another encoding, or Parquet: made once, read by every pass after."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.domains.datasets.errors import FileValidationError, PackedFileError
from tunesmith.domains.datasets.readers import Fault, FileKind, Layout, Packing, UnpackLimits, plain_pieces
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.kit.errors import OutOfSpace
from tunesmith.ports.storage import Storage, StoredObject

CHECK_DISK_EVERY_BYTES = 64 << 20
OnSize = Callable[[int], Awaitable[None]]


@dataclass
class PlainCopy:
    """Makes the plain copy of one file. ``stopped`` says why it ends before the file does, if it does."""

    path: Path
    layout: Layout
    limits: UnpackLimits
    min_free_bytes: int = 0
    size_bytes: int = 0
    stopped: str | None = None
    _checked_at: int = field(default=0, repr=False)

    async def store(self, storage: Storage, on_size: OnSize) -> StoredObject:
        """Write it into the store; ``on_size`` is told how far it is, and may raise to end it.

        A file that is damaged somewhere is copied up to there. Raises the fault itself when nothing could be read.
        """
        return await storage.put_stream(self._pieces(on_size))

    async def _pieces(self, on_size: OnSize) -> AsyncIterator[bytes]:
        pieces = plain_pieces(self.path, self.layout, self.limits)
        try:
            while piece := await asyncio.to_thread(self._next, pieces):
                self.size_bytes += len(piece)
                await on_size(self.size_bytes)
                yield piece
        finally:
            await asyncio.to_thread(pieces.close)  # type: ignore[attr-defined]  # a generator

    def _next(self, pieces: Iterator[bytes]) -> bytes:
        if self.min_free_bytes and self.size_bytes - self._checked_at >= CHECK_DISK_EVERY_BYTES:
            self._checked_at = self.size_bytes
            free = shutil.disk_usage(self.path.parent).free
            if free < self.min_free_bytes:
                raise OutOfSpace(f"Unpacking was stopped with {free:,} bytes left on the disk; nothing of it was kept.")
        try:
            return next(pieces, b"")
        except (PackedFileError, FileValidationError) as error:
            if self.size_bytes == 0:
                raise
            self.stopped = error.message
            return b""


def layout_of_row(row: DatasetRow) -> Layout:
    """How the uploaded file of a dataset is written down."""
    return Layout(FileKind(row.file_kind), Packing(row.packing), row.encoding)


def ending_of(row: DatasetRow) -> Fault | None:
    """The fault at the end of the plain copy: why the file could not be unpacked further."""
    message = row.source.get("unpacking_stopped")
    if message is None:
        return None
    return Fault("unpacking-stopped", f"The rows end here: {message}", "the whole file", "a part of it")
