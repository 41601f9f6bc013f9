"""Where files live: named objects, and blobs whose name is their SHA-256.

A key is a path of names joined by ``/`` (``datasets/3/rows.jsonl``, Korean allowed). Every write is whole or absent: a reader
meets the old object or the new one, and a write that fails leaves nothing behind.
"""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tunesmith.kit.errors import InvalidInput, NotFound, OutOfSpace, Unavailable

MAX_KEY_BYTES = 1024
MAX_NAME_BYTES = 255


class ObjectNotFound(NotFound):
    """No object has this key."""

    code, title = "object-not-found", "The store has no such object"
    hint = "It may have been deleted or never finished; make it again."


class InvalidKey(InvalidInput):
    """A key that could lead out of the store, or that a file system cannot hold."""

    code, title = "storage-key", "This is not a usable name in the store"
    hint = "Use names joined by '/', without '..', a leading '/' or '.', a backslash or control characters."


class StorageFull(OutOfSpace):
    """The store has no room left; what was being written has been removed."""

    code, title = "storage-full", "The store is full"


class StorageUnavailable(Unavailable):
    """The store does not answer, or refuses us."""

    code, title = "storage-unavailable", "The store cannot be reached"
    hint = "Check the TUNESMITH_STORAGE__ settings and that the store runs, then try again."


@dataclass(frozen=True)
class StoredObject:
    """What a write left in the store."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class ObjectStat:
    """What the store knows about an object without reading it."""

    key: str
    size_bytes: int
    modified_at: datetime


class Storage(Protocol):
    """A place for files. Every method raises ``InvalidKey``, ``StorageUnavailable`` or ``StorageFull`` where they apply."""

    async def put_file(self, path: Path, key: str | None = None) -> StoredObject:
        """Store a copy of a local file. Without a key it becomes a blob, named by its SHA-256 and kept once."""
        ...

    async def take_file(self, path: Path, sha256: str) -> StoredObject:
        """Move a local file, whose SHA-256 the caller has computed, into the store as a blob; ``path`` is gone then."""
        ...

    async def put_stream(self, chunks: AsyncIterator[bytes], key: str | None = None) -> StoredObject:
        """Store what the stream yields, a piece at a time; when the stream raises, nothing is stored."""
        ...

    async def open_read(self, key: str) -> AsyncIterator[bytes]:
        """The object's bytes in pieces; raises ``ObjectNotFound`` before the first piece."""
        ...

    async def download(self, key: str, target: Path) -> StoredObject:
        """Write the object to a local file, whole or not at all."""
        ...

    async def exists(self, key: str) -> bool:
        """Whether there is an object with this key."""
        ...

    async def stat(self, key: str) -> ObjectStat:
        """Size and time of the object; raises ``ObjectNotFound``."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        ...

    def list_keys(self, folder: str = "") -> AsyncIterator[str]:
        """The keys below ``folder`` (all of them by default), in the order of their names."""
        ...

    def local_path(self, key: str) -> Path | None:
        """The object as a file of this machine, to be read and never written; None when the store is elsewhere."""
        ...

    async def check(self) -> None:
        """Raise ``StorageUnavailable`` or ``StorageFull`` unless objects can be read and written."""
        ...


def blob_key(sha256: str) -> str:
    """The key of the blob with this content."""
    return f"blobs/{sha256[:2]}/{sha256}"


def valid_key(key: str) -> str:
    """``key`` itself; raises ``InvalidKey`` when it is not one."""
    names = key.split("/")
    reason = None
    if not key or len(key.encode(errors="replace")) > MAX_KEY_BYTES:
        reason = f"it has to have 1 to {MAX_KEY_BYTES} bytes"
    elif key.startswith((".", "/")) or any(name in ("", ".", "..") for name in names):
        reason = "'..', empty names and a leading '/' or '.' are not allowed"
    elif "\\" in key or any(unicodedata.category(character)[0] == "C" for character in key):
        reason = "backslashes and control characters are not allowed"
    elif any(len(name.encode()) > MAX_NAME_BYTES for name in names):
        reason = f"a single name has at most {MAX_NAME_BYTES} bytes"
    if reason:
        shown = key if len(key) <= 80 else key[:80] + "…"
        raise InvalidKey(f"{shown!r} cannot be a key of the store: {reason}.")
    return key
