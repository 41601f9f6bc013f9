"""Rules of uploads in parts."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.errors import (
    UploadBusyError,
    UploadChecksumError,
    UploadIncompleteError,
    UploadNotFoundError,
    UploadOffsetError,
    UploadStateError,
)
from tunesmith.domains.datasets.incoming.part_file import PartFile
from tunesmith.domains.datasets.readers import named_kind
from tunesmith.domains.datasets.schemas.upload import UploadCreate, UploadResponse, UploadState
from tunesmith.domains.datasets.tables import UploadRow
from tunesmith.domains.datasets.uploads import checked_file_name
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import TooLarge
from tunesmith.ports.storage import Storage, StoredObject, blob_key
from tunesmith.settings import Settings

PATIENCE_SECONDS = 10.0


class UploadService:
    """Files that arrive in parts, limited by free disk only."""

    def __init__(self, *, storage: Storage, settings: Settings) -> None:
        self._storage = storage
        self._limits = settings.datasets
        self._folder = settings.data_dir / "uploads"
        self._files: dict[int, PartFile] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def create(self, unit: Unit, body: UploadCreate) -> UploadResponse:
        """Begin an upload, or go on with the same person's of the same file, told by its digest.

        Raises FileSecurityError, UnsupportedFormatError, and TooLarge when it will not fit.
        """
        name = checked_file_name(body.file_name)
        named_kind(name)
        await self.collect(unit)
        begun = await repository.find_begun_upload(unit.session, unit.principal, name, body.size_bytes, body.sha256)
        if begun is not None:
            return _view(begun)
        promised = await repository.promised_bytes(unit.session)
        await asyncio.to_thread(self._refuse_without_room, body.size_bytes, promised)
        row = UploadRow(
            project_id=unit.principal.project_id,
            created_by=unit.principal.user_id,
            file_name=name,
            size_bytes=body.size_bytes,
            received_bytes=0,
            sha256=body.sha256,
            state=UploadState.RECEIVING.value,
            expires_at=self._new_expiry(),
        )
        unit.session.add(row)
        await unit.session.flush()
        return _view(row)

    async def get(self, unit: Unit, upload_id: int) -> UploadResponse:
        """How much has arrived. Raises UploadNotFoundError."""
        return _view(await self._row(unit, upload_id))

    async def receive(
        self, access: Access, upload_id: int, offset: int, pieces: AsyncIterator[bytes]
    ) -> UploadResponse:
        """Take one part. What arrived before the client went away is kept, and it goes on from there.

        Raises UploadOffsetError (with the offset that is expected), UploadStateError, UploadSizeError, UploadBusyError.
        """
        async with self._alone(upload_id):
            async with access.read() as unit:
                row = await self._row(unit, upload_id)
                _refuse_unless_receiving(row)
                if offset != row.received_bytes:
                    raise UploadOffsetError(
                        f"The next part begins at byte {row.received_bytes:,}, not at {offset:,}.",
                        received_bytes=row.received_bytes,
                    )
            written, ended = await self._file(upload_id).append(offset, pieces, row.size_bytes - offset)
            async with access.write(resource=f"upload:{upload_id}") as unit:
                row = await self._row(unit, upload_id)
                row.received_bytes, row.expires_at = offset + written, self._new_expiry()
                await unit.session.flush()
                answer = _view(row)
            if ended is not None:
                raise ended
            return answer

    async def complete(self, access: Access, upload_id: int) -> UploadResponse:
        """Compare the digest and move the file into the store; asked again, it answers the same.

        Raises UploadIncompleteError, and UploadChecksumError, after which the upload begins anew.
        """
        async with self._alone(upload_id):
            async with access.read() as unit:
                row = await self._row(unit, upload_id)
            if row.state in (UploadState.COMPLETE, UploadState.USED):
                return _view(row)
            if row.received_bytes != row.size_bytes:
                missing = row.size_bytes - row.received_bytes
                raise UploadIncompleteError(f"{missing:,} bytes are still to come.", received_bytes=row.received_bytes)
            file = self._file(upload_id)
            key = row.file_path if row.state == UploadState.STORING else None
            if key is None or not await self._storage.exists(key):
                found = await file.sha256(row.size_bytes)
                if row.sha256 is not None and found != row.sha256:
                    await self._begin_anew(access, upload_id)
                    raise UploadChecksumError(f"The file has the SHA-256 {found}, and {row.sha256} was promised.")
                async with access.write("upload.store", resource=f"upload:{upload_id}") as unit:
                    row = await self._row(unit, upload_id)
                    row.state, row.sha256, row.file_path = UploadState.STORING.value, found, blob_key(found)
                await self._storage.take_file(file.path, found)
            self._forget(upload_id)
            async with access.write(resource=f"upload:{upload_id}") as unit:
                row = await self._row(unit, upload_id)
                row.state = UploadState.COMPLETE.value
                await unit.session.flush()
                return _view(row)

    async def stored(self, unit: Unit, upload_id: int) -> tuple[str, StoredObject]:
        """File name and stored object of a complete upload. Raises UploadStateError."""
        row = await self._row(unit, upload_id)
        if row.state != UploadState.COMPLETE or row.file_path is None or row.sha256 is None:
            hint = "Send the rest, then POST …/complete." if row.state == UploadState.RECEIVING else None
            raise UploadStateError(f"The upload {upload_id} is {row.state}, not complete.", hint=hint)
        return row.file_name, StoredObject(row.file_path, row.sha256, row.size_bytes)

    async def mark_used(self, unit: Unit, upload_id: int) -> None:
        """A dataset has been made of it."""
        row = await self._row(unit, upload_id)
        row.state = UploadState.USED.value
        await unit.session.flush()

    async def delete(self, unit: Unit, upload_id: int) -> None:
        """Forget an upload with everything that arrived."""
        await self._remove(unit, await self._row(unit, upload_id))

    async def collect(self, unit: Unit) -> None:
        """Remove uploads that have stood still for too long."""
        for row in await repository.list_expired_uploads(unit.session, utc_now()):
            await self._remove(unit, row)

    async def _remove(self, unit: Unit, row: UploadRow) -> None:
        file, key, state = self._file(row.id), row.file_path, row.state
        self._forget(row.id)
        await unit.session.delete(row)
        await unit.session.flush()

        async def remove_bytes() -> None:
            await file.remove()

        unit.after_commit(remove_bytes)
        if (
            key is not None
            and state != UploadState.USED
            and not await repository.is_stored_for_someone(unit.session, key)
        ):
            unit.after_commit(lambda: self._storage.delete(key))

    async def _begin_anew(self, access: Access, upload_id: int) -> None:
        await self._file(upload_id).remove()
        async with access.write("upload.begin-anew", resource=f"upload:{upload_id}") as unit:
            (await self._row(unit, upload_id)).received_bytes = 0

    async def _row(self, unit: Unit, upload_id: int) -> UploadRow:
        row = await repository.find_upload(unit.session, unit.principal, upload_id)
        if row is None:
            raise UploadNotFoundError(f"There is no upload {upload_id}.")
        return row

    def _forget(self, upload_id: int) -> None:
        self._files.pop(upload_id, None)
        self._locks.pop(upload_id, None)

    def _file(self, upload_id: int) -> PartFile:
        return self._files.setdefault(upload_id, PartFile(self._folder / f"{upload_id}.part"))

    @asynccontextmanager
    async def _alone(self, upload_id: int) -> AsyncIterator[None]:
        """One at a time for each upload; whoever waits too long is told so."""
        lock = self._locks[upload_id]
        try:
            await asyncio.wait_for(lock.acquire(), PATIENCE_SECONDS)
        except TimeoutError:
            raise UploadBusyError("Another part of this upload is being written.") from None
        try:
            yield
        finally:
            lock.release()

    def _refuse_without_room(self, size_bytes: int, promised_bytes: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._folder).free - promised_bytes
        if size_bytes + self._limits.min_free_disk_bytes > free:
            raise TooLarge(
                f"The file needs {size_bytes:,} bytes; {max(0, free - self._limits.min_free_disk_bytes):,} are free for it.",
                hint="Free some space in the data folder. Other uploads in parts have reserved theirs; "
                "TUNESMITH_DATASETS__MIN_FREE_DISK_BYTES is what has to stay free.",
            )

    def _new_expiry(self) -> datetime:
        return utc_now() + timedelta(hours=self._limits.upload_expires_hours)


def _view(row: UploadRow) -> UploadResponse:
    return UploadResponse.model_validate(row, from_attributes=True)


def _refuse_unless_receiving(row: UploadRow) -> None:
    if row.state != UploadState.RECEIVING:
        raise UploadStateError(f"The upload {row.id} is {row.state}; it takes no more parts.")
