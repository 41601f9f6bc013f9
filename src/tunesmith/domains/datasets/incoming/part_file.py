"""The file that grows part by part, outside the store until it is whole."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tunesmith.domains.datasets.errors import UploadBusyError, UploadSizeError
from tunesmith.kit.errors import OutOfSpace, Unavailable
from tunesmith.kit.paths import fsync_folder
from tunesmith.kit.pour import pour

PIECE_BYTES = 4 << 20


class PartFile:
    """One growing file. Its SHA-256 is kept up to date as long as this process sees every part."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hash: Any = hashlib.sha256()
        self._hashed_bytes = 0

    async def append(self, offset: int, pieces: AsyncIterator[bytes], room_bytes: int) -> tuple[int, Exception | None]:
        """Write what arrives at ``offset``, durably; answers how many bytes, and what ended the stream early, if it did.

        Raises UploadSizeError, and keeps nothing of the part, when more than ``room_bytes`` arrive; UploadBusyError when
        another process writes.
        """
        file = await self._in_thread(self._open, offset)
        written, ended = 0, None

        async def arriving() -> AsyncIterator[bytes]:
            nonlocal ended
            try:
                async for piece in pieces:
                    yield piece
            except Exception as error:  # what had arrived is kept; the caller raises this after it is on record
                ended = error

        async def write(buffer: bytes) -> None:
            nonlocal written
            if written + len(buffer) > room_bytes:
                self._forget_hash()
                raise UploadSizeError(f"The part goes beyond the {room_bytes:,} bytes that were still to come.")
            await self._in_thread(self._write, file, buffer, offset + written)
            written += len(buffer)

        try:
            await pour(arriving(), write, PIECE_BYTES)
            await self._in_thread(_make_durable, file)
        finally:
            await asyncio.shield(asyncio.to_thread(file.close))
        return written, ended

    async def sha256(self, size_bytes: int) -> str:
        """The digest of the whole file; it is read again only when some part came to another process."""
        if self._hashed_bytes != size_bytes:
            await self._in_thread(self._hash_file)
        return str(self._hash.hexdigest())

    async def remove(self) -> None:
        """Remove it."""
        self._forget_hash()
        await self._in_thread(self.path.unlink, True)

    def _open(self, offset: int) -> BinaryIO:
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise UploadBusyError("Another part of this upload is being written.") from None
        if is_new:
            fsync_folder(self.path.parent)
        file.truncate(offset)  # what a killed server wrote and never acknowledged
        file.seek(offset)
        return file

    def _write(self, file: BinaryIO, piece: bytes, position: int) -> None:
        if position == 0:
            self._forget_hash()
        view = memoryview(piece)
        while view:
            view = view[file.write(view) :]
        if position == self._hashed_bytes:
            self._hash.update(piece)
            self._hashed_bytes += len(piece)

    def _hash_file(self) -> None:
        self._forget_hash()
        with self.path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                self._hash.update(piece)
                self._hashed_bytes += len(piece)

    def _forget_hash(self) -> None:
        self._hash, self._hashed_bytes = hashlib.sha256(), 0

    @staticmethod
    async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
        with _os_errors():
            return await asyncio.to_thread(function, *arguments)


def _make_durable(file: BinaryIO) -> None:
    os.fdatasync(file.fileno()) if hasattr(os, "fdatasync") else os.fsync(file.fileno())


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace("The disk is full; the parts that were acknowledged are kept.") from error
        raise Unavailable(f"The part could not be written: {error.strerror or error}.") from error
