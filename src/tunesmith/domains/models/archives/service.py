"""An archive that is sent: received, then unpacked by a job into the local store."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from tunesmith.db import Access
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.models import places
from tunesmith.domains.models.archives.receiving import receive_archive, stem_of
from tunesmith.domains.models.errors import ArchiveInvalid, ArchiveTooLarge
from tunesmith.domains.models.hub import storing
from tunesmith.domains.models.hub.schemas import ArchiveSpec
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.ids import display_name, slugify
from tunesmith.settings import Settings

UNPACK = "unpack-model"
DRAINED_BYTES = 64 << 20


class ArchiveService:
    """Takes model archives."""

    def __init__(self, *, settings: Settings, jobs: JobService) -> None:
        self._settings = settings
        self._jobs = jobs

    async def receive(
        self, access: Access, content_type: str, content_length: int | None, body: AsyncIterator[bytes]
    ) -> JobView:
        """The job that unpacks what is sent. Raises what receiving raises, and ``OutOfSpace``; then nothing stays."""
        limit = self._settings.models.max_archive_bytes
        await anyio.to_thread.run_sync(storing.sweep, self._settings)
        target = places.own_root(self._settings) / places.INCOMING / f"upload-{secrets.token_hex(8)}"
        try:
            if content_length is not None and content_length > limit + 1_000_000:
                raise ArchiveTooLarge(f"The archive is larger than {limit} bytes.")
            storing.check_disk(self._settings, content_length or 0, "The archive")
            received = await receive_archive(content_type, body, target, limit)
        except ConnectionAbortedError:
            raise ArchiveInvalid("The client went away before the upload was complete.") from None
        except TunesmithError:
            await _drain(body)  # so that the client gets to see the refusal
            raise
        name = received.fields.get("name") or stem_of(received.file_name)
        try:
            async with access.write("model.upload", resource=f"model:{name[:100]}") as unit:
                spec = ArchiveSpec(model_id=self._free_name(slugify(name, "model")), archive=target.name)
                return await self._jobs.submit(unit, UNPACK, spec, name=display_name(f"Unpack {received.file_name}"))
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 2
        while places.own_folder(name, self._settings).exists():
            name, number = f"{wanted}-{number}", number + 1
        return name


def archive_file(spec: ArchiveSpec, settings: Settings) -> Path:
    """Where the archive of a job lies."""
    return places.own_root(settings) / places.INCOMING / Path(spec.archive).name


async def _drain(body: AsyncIterator[bytes]) -> None:
    left = DRAINED_BYTES
    try:
        async for piece in body:
            left -= len(piece)
            if left < 0:
                return
    except (ConnectionAbortedError, RuntimeError):
        return
