"""An export as one stream of bytes that can be taken up anywhere: a file as it is, a folder as a tar that is the same each time."""

from __future__ import annotations

import re
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio

from tunesmith.domains.export.schemas import ExportFile
from tunesmith.ports.storage import ObjectNotFound, Storage

PIECE_BYTES = 2**20
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


@dataclass(frozen=True)
class StoredPart:
    """A file of the store inside the stream."""

    key: str
    size_bytes: int


@dataclass(frozen=True)
class Download:
    """What is sent, part by part."""

    file_name: str
    media_type: str
    etag: str
    parts: list[bytes | StoredPart]

    @property
    def size_bytes(self) -> int:
        """Of the whole."""
        return sum(len(part) if isinstance(part, bytes) else part.size_bytes for part in self.parts)


class RangeUnsatisfiable(ValueError):
    """The range begins behind the end."""


def file_download(name: str, key: str, file: ExportFile) -> Download:
    """One file as it is."""
    return Download(name, "application/octet-stream", file.sha256, [StoredPart(key, file.size_bytes)])


def folder_download(name: str, key: str, files: list[ExportFile], sha256: str) -> Download:
    """All files in one tar: no times and no owners, so that a second download gives the same bytes."""
    parts: list[bytes | StoredPart] = []
    for file in sorted(files, key=lambda f: f.name):
        entry = tarfile.TarInfo(f"{name}/{file.name}")
        entry.size, entry.mode = file.size_bytes, 0o644
        parts += [entry.tobuf(tarfile.PAX_FORMAT), StoredPart(f"{key}/{file.name}", file.size_bytes)]
        parts.append(bytes(-file.size_bytes % tarfile.BLOCKSIZE))
    parts.append(bytes(2 * tarfile.BLOCKSIZE))
    return Download(f"{name}.tar", "application/x-tar", f"{sha256}-tar", [part for part in parts if part])


def wanted_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """First byte and the one behind the last that a Range header asks for; None for the whole. Raises RangeUnsatisfiable."""
    match = _RANGE.match((header or "").strip())
    if match is None or match[0] == "bytes=-":
        return None  # several ranges, or nonsense: the whole is always a right answer
    first, last = match[1], match[2]
    start = int(first) if first else max(0, size_bytes - int(last))
    stop = min(size_bytes, int(last) + 1) if first and last else size_bytes
    if start >= size_bytes or (first and last and int(last) < start):
        raise RangeUnsatisfiable
    return start, stop


async def send(storage: Storage, download: Download, start: int, stop: int) -> AsyncIterator[bytes]:
    """Bytes ``start`` to ``stop`` of the stream."""
    at = 0
    for part in download.parts:
        size = len(part) if isinstance(part, bytes) else part.size_bytes
        first, last = max(start - at, 0), min(stop - at, size)
        at += size
        if first >= last:
            continue
        if isinstance(part, bytes):
            yield part[first:last]
            continue
        async for piece in _read(storage, part.key, first, last):
            yield piece


async def check_there(storage: Storage, download: Download) -> None:
    """Raise ObjectNotFound before the first byte when a file is gone or has another size."""
    for part in download.parts:
        if isinstance(part, StoredPart):
            found = await storage.stat(part.key)
            if found.size_bytes != part.size_bytes:
                raise ObjectNotFound(
                    f"{part.key} has {found.size_bytes} bytes instead of {part.size_bytes}; it is damaged."
                )


async def _read(storage: Storage, key: str, first: int, last: int) -> AsyncIterator[bytes]:
    local = storage.local_path(key)
    if local is not None:
        async with await anyio.open_file(local, "rb") as file:
            await file.seek(first)
            left = last - first
            while left and (piece := await file.read(min(PIECE_BYTES, left))):
                left -= len(piece)
                yield piece
        return
    at = 0
    async for piece in await storage.open_read(key):
        begin, end = max(first - at, 0), min(last - at, len(piece))
        at += len(piece)
        if begin < end:
            yield piece[begin:end]
        if at >= last:
            return
