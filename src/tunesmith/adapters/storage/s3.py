"""The store as a bucket of an S3-compatible object store. Needs the extra ``scale``; imported on first use."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
from anyio import to_thread

from tunesmith.kit.errors import MissingExtra
from tunesmith.kit.paths import atomic_file
from tunesmith.ports.storage import (
    ObjectNotFound,
    ObjectStat,
    StorageFull,
    StorageUnavailable,
    StoredObject,
    blob_key,
    valid_key,
)
from tunesmith.settings import S3Settings

PIECE_BYTES = 1 << 20
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 4  # so that an upload of any size holds at most this many parts in memory
SPOOL_MEMORY_BYTES = 8 << 20
CHECK_SECONDS = 5.0
FULL = re.compile(r"<Code>(\w*StorageFull|QuotaExceeded|InsufficientStorage)</Code>|status code: 507\b")
"""How stores say that they are full: a code in the body, or the status alone; never by a port or a name with 507 in it."""


class S3Storage:
    """Objects are S3 objects; a large one goes up in parts and appears only when all of them have arrived."""

    def __init__(self, settings: S3Settings) -> None:
        self._obstore = _import_obstore()
        self._where = f"bucket {settings.bucket!r} at {settings.endpoint_url or settings.region}"
        options: dict[str, Any] = {"region": settings.region}
        if settings.endpoint_url:
            options["endpoint"] = settings.endpoint_url
        if settings.access_key_id and settings.secret_access_key:
            options["access_key_id"] = settings.access_key_id.get_secret_value()
            options["secret_access_key"] = settings.secret_access_key.get_secret_value()
        self._store = self._obstore.store.S3Store(
            settings.bucket,
            prefix=settings.prefix or None,
            client_options={"allow_http": settings.allow_http, "connect_timeout": "5s"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            **options,
        )

    async def put_file(self, path: Path, key: str | None = None) -> StoredObject:
        """Send the file; a blob that is already there is not sent again."""
        if key is None:
            sha256 = await to_thread.run_sync(_file_sha256, path)
            key = blob_key(sha256)
            if await self.exists(key):
                return StoredObject(key, sha256, (await self.stat(key)).size_bytes)
        return await self.put_stream(_read_file(path), key)

    async def take_file(self, path: Path, sha256: str) -> StoredObject:
        """Send the file, unless the blob is there, and remove it here."""
        key = blob_key(sha256)
        size_bytes = (await to_thread.run_sync(path.stat)).st_size
        if not await self.exists(key):
            await self.put_stream(_read_file(path), key)
        await to_thread.run_sync(path.unlink)
        return StoredObject(key, sha256, size_bytes)

    async def put_stream(self, chunks: AsyncIterator[bytes], key: str | None = None) -> StoredObject:
        """Send the pieces in parts as they come; a blob waits on disk until its name is known."""
        if key is None:
            with tempfile.NamedTemporaryFile(prefix="tunesmith-") as spool:
                async for chunk in chunks:
                    await to_thread.run_sync(spool.write, chunk)
                await to_thread.run_sync(spool.flush)
                return await self.put_file(Path(spool.name))
        source = _Counted(chunks)
        try:
            with self._s3_errors(key):
                await self._send(source, valid_key(key))
        except Exception:
            if source.failure is not None:  # what broke the upload is the stream, not the store
                raise source.failure from None
            raise
        return StoredObject(key, source.sha256, source.size_bytes)

    async def _send(self, source: _Counted, key: str) -> None:
        """Upload in parts. A dropped upload would leave hidden parts that cost money, so a cancelled one is made to fail."""
        upload = asyncio.ensure_future(
            self._obstore.put_async(
                self._store, key, source, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE, use_multipart=True
            )
        )
        try:
            await asyncio.shield(upload)
        except asyncio.CancelledError:
            source.stop()
            await asyncio.wait([upload], timeout=CHECK_SECONDS)
            raise

    async def open_read(self, key: str) -> AsyncIterator[bytes]:
        """Begin the download, so that a missing object is known before the first piece."""
        with self._s3_errors(key):
            found = await self._obstore.get_async(self._store, valid_key(key))
        return self._read(found, key)

    async def _read(self, found: Any, key: str) -> AsyncIterator[bytes]:
        with self._s3_errors(key):
            async for piece in found.stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    async def download(self, key: str, target: Path) -> StoredObject:
        """Fetch to a temporary name beside ``target`` and rename."""
        source = _Counted(await self.open_read(key))
        with atomic_file(target) as file:
            async for piece in source:
                await to_thread.run_sync(file.write, piece)
        return StoredObject(key, source.sha256, source.size_bytes)

    async def exists(self, key: str) -> bool:
        """Ask for its head."""
        try:
            await self.stat(key)
        except ObjectNotFound:
            return False
        return True

    async def stat(self, key: str) -> ObjectStat:
        """Ask for its head."""
        with self._s3_errors(key):
            found = await self._obstore.head_async(self._store, valid_key(key))
        return ObjectStat(key, found["size"], found["last_modified"])

    async def delete(self, key: str) -> None:
        """Remove it; S3 does not mind when there is nothing."""
        with contextlib.suppress(ObjectNotFound), self._s3_errors(key):
            await self._obstore.delete_async(self._store, valid_key(key))

    async def list_keys(self, folder: str = "") -> AsyncIterator[str]:
        """Page through the bucket."""
        prefix = valid_key(folder) if folder else None
        with self._s3_errors(folder):
            async for page in self._obstore.list(self._store, prefix=prefix):
                for found in page:
                    yield found["path"]

    def local_path(self, key: str) -> Path | None:
        """Never a file of this machine."""
        valid_key(key)
        return None

    async def check(self) -> None:
        """Write one small object and remove it."""
        try:
            with anyio.fail_after(CHECK_SECONDS), self._s3_errors("ready"):
                await self._obstore.put_async(self._store, "ready", b"ready?")
                await self._obstore.delete_async(self._store, "ready")
        except (TimeoutError, ObjectNotFound) as error:
            raise StorageUnavailable(f"The store ({self._where}) does not answer, or the bucket is missing.") from error

    @contextlib.contextmanager
    def _s3_errors(self, key: str) -> Iterator[None]:
        """Turn what the client library says into what a person can act on."""
        errors = self._obstore.exceptions
        try:
            yield
        except (errors.NotFoundError, FileNotFoundError) as error:
            raise ObjectNotFound(f"The store has no object {key!r}.") from error
        except (errors.PermissionDeniedError, errors.UnauthenticatedError) as error:
            raise StorageUnavailable(
                f"The store ({self._where}) refuses our key.",
                hint="Check TUNESMITH_STORAGE__S3__ACCESS_KEY_ID, …__SECRET_ACCESS_KEY and the rights on the bucket.",
            ) from error
        except errors.BaseError as error:
            if FULL.search(str(error)):
                raise StorageFull(f"The store ({self._where}) has no room left; {key!r} was not written.") from error
            raise StorageUnavailable(f"The store ({self._where}) does not answer as it should.") from error


class _Counted:
    """Passes a stream on, with its SHA-256, its size, and what broke it."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self.failure: BaseException | None = None
        self._stopped = False
        self._reading: asyncio.Task[Any] | None = None

    def stop(self) -> None:
        """Make the stream fail, now if somebody waits for its next piece."""
        self._stopped = True
        if self._reading is not None:
            self._reading.cancel()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __aiter__(self) -> _Counted:
        return self

    async def __anext__(self) -> bytes:
        if self._stopped:
            raise ConnectionAbortedError("the upload was cancelled")
        self._reading = asyncio.current_task()
        try:
            piece = await self._chunks.__anext__()
        except StopAsyncIteration:
            raise
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._reading = None
        self._hash.update(piece)
        self.size_bytes += len(piece)
        return piece


def _import_obstore() -> ModuleType:
    try:
        import obstore
        import obstore.store
    except ImportError as error:
        raise MissingExtra("scale", "S3 storage") from error
    module: ModuleType = obstore
    return module


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _read_file(path: Path) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as file:
        while piece := await file.read(PIECE_BYTES):
            yield piece
