"""The store as a folder of this machine."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar, TypeVarTuple

import anyio
from anyio import to_thread

from tunesmith.kit.paths import OutsideRoot, fsync_folder, resolve_under
from tunesmith.kit.pour import pour
from tunesmith.ports.storage import (
    InvalidKey,
    ObjectNotFound,
    ObjectStat,
    StorageFull,
    StorageUnavailable,
    StoredObject,
    blob_key,
    valid_key,
)

PIECE_BYTES = 1 << 20
INCOMING = ".incoming"  # a key cannot begin with a dot, so nobody else writes here
LEFTOVER_SECONDS = 24 * 3600

Given = TypeVarTuple("Given")
Result = TypeVar("Result")


class LocalStorage:
    """Objects are files below ``root``; each is written beside the others, fsynced, and renamed into its place."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / INCOMING
        with _os_errors("prepare the store"):
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._collect_leftovers()

    async def put_file(self, path: Path, key: str | None = None) -> StoredObject:
        """Copy the file in a thread."""
        target = self._path(key) if key is not None else None

        def copy() -> StoredObject:
            with _os_errors("write to the store"), _Incoming(self._incoming) as incoming, path.open("rb") as source:
                for piece in _pieces(source):
                    incoming.write(piece)
                return self._place(incoming, key, target)

        return await to_thread.run_sync(copy)

    async def take_file(self, path: Path, sha256: str) -> StoredObject:
        """Rename it, where both are on one disk; else copy."""
        key = blob_key(sha256)
        target = self._path(key)

        def move() -> StoredObject | None:
            with _os_errors("move a file into the store"):
                size_bytes = path.stat().st_size
                if target.is_file():
                    path.unlink()
                    return StoredObject(key, sha256, size_bytes)
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.replace(path, target)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    return None
                fsync_folder(target.parent)
                return StoredObject(key, sha256, size_bytes)

        moved = await to_thread.run_sync(move)
        if moved is None:
            moved = await self.put_file(path)
            await to_thread.run_sync(path.unlink)
        return moved

    async def put_stream(self, chunks: AsyncIterator[bytes], key: str | None = None) -> StoredObject:
        """Write the pieces as they come; the disk is touched in threads only."""
        target = self._path(key) if key is not None else None
        incoming = await _in_thread(_Incoming, self._incoming)
        try:
            await pour(chunks, lambda piece: _in_thread(incoming.write, piece), PIECE_BYTES)
            return await _in_thread(self._place, incoming, key, target)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(incoming.close)

    async def open_read(self, key: str) -> AsyncIterator[bytes]:
        """Open now, so that a missing object is known before the first piece."""
        path = self._path(key)
        with _os_errors(f"read {key!r}", key):
            file = await to_thread.run_sync(path.open, "rb")
        return _read(file)

    async def download(self, key: str, target: Path) -> StoredObject:
        """Copy to ``target`` beside a temporary name."""
        source_path = self._path(key)

        def copy() -> StoredObject:
            with _os_errors(f"copy {key!r}", key), source_path.open("rb") as source:
                target.parent.mkdir(parents=True, exist_ok=True)
                with _Incoming(target.parent) as incoming:
                    for piece in _pieces(source):
                        incoming.write(piece)
                    incoming.move_to(target)
                    return StoredObject(key, incoming.sha256, incoming.size_bytes)

        return await to_thread.run_sync(copy)

    async def exists(self, key: str) -> bool:
        """Whether it is a file."""
        return await to_thread.run_sync(self._path(key).is_file)

    async def stat(self, key: str) -> ObjectStat:
        """From the file system."""
        path = self._path(key)
        with _os_errors(f"look at {key!r}", key):
            if not await to_thread.run_sync(path.is_file):
                raise FileNotFoundError(key)
            found = await to_thread.run_sync(path.stat)
        return ObjectStat(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    async def delete(self, key: str) -> None:
        """Unlink it, and make that durable."""
        path = self._path(key)

        def unlink() -> None:
            with _os_errors(f"delete {key!r}"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
                fsync_folder(path.parent)

        await to_thread.run_sync(unlink)

    async def list_keys(self, folder: str = "") -> AsyncIterator[str]:
        """Walk the folders one at a time, so that a large store never fills memory."""
        if folder:
            self._path(folder)
        waiting = [(folder, True)]
        while waiting:
            key, is_folder = waiting.pop()
            if not is_folder:
                yield key
                continue
            entries = await _in_thread(_entries, self.root / key)
            below = [(f"{key}/{name}" if key else name, is_dir) for name, is_dir in entries if key or name != INCOMING]
            waiting += reversed(below)

    def local_path(self, key: str) -> Path | None:
        """The file itself."""
        path = self._path(key)
        if not path.is_file():
            raise ObjectNotFound(f"The store has no object {key!r}.")
        return path

    async def check(self) -> None:
        """Write one small file and remove it."""

        def probe() -> None:
            with _os_errors("write to the store"), _Incoming(self._incoming) as incoming:
                incoming.write(b"ready?")

        await to_thread.run_sync(probe)

    def _path(self, key: str) -> Path:
        try:
            return resolve_under(self.root, valid_key(key))
        except OutsideRoot as error:
            raise InvalidKey(f"{key!r} leads out of the store.") from error

    def _place(self, incoming: _Incoming, key: str | None, target: Path | None) -> StoredObject:
        if key is None or target is None:
            key = blob_key(incoming.sha256)
            target = self._path(key)
            if target.is_file():
                return StoredObject(key, incoming.sha256, incoming.size_bytes)
        try:
            incoming.move_to(target)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            raise InvalidKey(f"{key!r} is a folder of other objects, or lies below an object.") from error
        return StoredObject(key, incoming.sha256, incoming.size_bytes)

    def _collect_leftovers(self) -> None:
        """What a killed process was writing; a living one is never a day behind."""
        for file in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime > LEFTOVER_SECONDS:
                    file.unlink()


class _Incoming:
    """A file that grows under a temporary name: hashed on the way, moved to its place whole, else removed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f".{secrets.token_hex(8)}.tmp"
        self._file = self._path.open("xb")
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._hash.update(piece)
        self.size_bytes += len(piece)

    def move_to(self, target: Path) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._path, target)
        fsync_folder(target.parent)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()  # flushes; on a full disk that fails again, and the file goes anyway
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> _Incoming:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece


async def _in_thread(call: Callable[[*Given], Result], *arguments: *Given) -> Result:
    """The disk is never touched on the event loop."""
    with _os_errors("use the store"):
        return await to_thread.run_sync(call, *arguments)


async def _read(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while piece := await _in_thread(file.read, PIECE_BYTES):
            yield piece
    finally:
        file.close()


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Names in ``folder`` with whether each is a folder, sorted as whole keys are; links are nobody's objects."""
    try:
        with os.scandir(folder) as found:
            entries = [(e.name, e.is_dir(follow_symlinks=False)) for e in found if not e.is_symlink()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(entries, key=lambda entry: f"{entry[0]}/" if entry[1] else entry[0])


@contextlib.contextmanager
def _os_errors(doing: str, key: str | None = None) -> Iterator[None]:
    """Turn what the operating system says into what a person can act on."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        if key is None:
            raise
        raise ObjectNotFound(f"The store has no object {key!r}.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk of the store is full; could not {doing}. Nothing was changed.") from error
        raise StorageUnavailable(f"Could not {doing}: {error.strerror or error}.") from error
