"""What the worker does for models: fetch, unpack, convert."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import cast

from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.domains.models import places
from tunesmith.domains.models.archives.service import UNPACK, archive_file
from tunesmith.domains.models.archives.unpacking import unpack
from tunesmith.domains.models.conversion import CONVERT, ConversionSpec
from tunesmith.domains.models.hub import storing
from tunesmith.domains.models.hub.schemas import ArchiveSpec, DownloadSpec, StoredModel
from tunesmith.domains.models.hub.service import DOWNLOAD, HubService
from tunesmith.wire.hub import ConvertSpec, FetchSpec, FileToFetch

FETCH_CHILD = "tunesmith.ml.fetch"
CONVERT_CHILD = "tunesmith.ml.convert"


class ModelWork:
    """The tasks of the jobs that bring models. Each may run again after a kill, and then ends what the first run began."""

    def __init__(self, hub: HubService) -> None:
        self._hub = hub
        self._settings = hub.settings

    async def download(self, context: JobContext) -> StoredModel:
        """Fetch a model of the Hub by a child, look through it, and put it into its place."""
        spec = cast(DownloadSpec, context.spec)
        target = places.own_folder(spec.model_id, self._settings)
        if places.read_marker(target).get("revision") != spec.revision:
            incoming = places.incoming_folder(f"{spec.model_id}@{spec.revision}", self._settings)
            await context.in_thread(storing.sweep, self._settings)
            async with context.read() as unit:
                token = await self._hub.tokens.open(unit, spec.token_id)
            order = FetchSpec(
                model_id=spec.model_id,
                revision=spec.revision,
                files=[FileToFetch.model_validate(file) for file in spec.files],
                folder=str(incoming),
            )
            await context.run_child(FETCH_CHILD, order, env=self._hub.hub.child_environment(token))
            facts = {"model_id": spec.model_id, "revision": spec.revision, "license": spec.license}
            await context.in_thread(storing.place, incoming, target, **facts)
        return await self._stored(spec.model_id, target)

    async def unpack(self, context: JobContext) -> StoredModel:
        """Unpack an archive that was sent, look through it, and put it into its place."""
        spec = cast(ArchiveSpec, context.spec)
        target = places.own_folder(spec.model_id, self._settings)
        if places.read_marker(target).get("archive") != spec.archive:
            archive = archive_file(spec, self._settings)
            incoming = archive.with_name(f"{archive.name}.d")
            await context.progress(0, 1, "unpacking")
            try:
                await context.in_thread(self._unpack, context, archive, incoming, target, spec)
            finally:
                await context.in_thread(shutil.rmtree, incoming, ignore_errors=True)
            archive.unlink(missing_ok=True)
        return await self._stored(spec.model_id, target)

    def _unpack(self, context: JobContext, archive: Path, incoming: Path, target: Path, spec: ArchiveSpec) -> None:
        shutil.rmtree(incoming, ignore_errors=True)
        try:
            home = unpack(archive, incoming, self._settings.models, context.check)
            storing.place(home, target, model_id=spec.model_id, archive=spec.archive)
        except BaseException:
            archive.unlink(missing_ok=True)  # what was refused is refused again
            raise

    async def convert(self, context: JobContext) -> StoredModel:
        """Convert pickled weights by a child into a model of the local store."""
        spec = cast(ConversionSpec, context.spec)
        target = places.own_folder(spec.model_id, self._settings)
        if places.read_marker(target).get("job_id") != context.job.id:
            incoming = places.incoming_folder(f"convert-{context.job.id}", self._settings)
            try:
                await context.run_child(CONVERT_CHILD, ConvertSpec(source=spec.model_path, folder=str(incoming)))
            except BaseException:
                await context.in_thread(shutil.rmtree, incoming, ignore_errors=True)
                raise
            facts = {"model_id": spec.model_id, "converted_from": spec.model_path, "job_id": context.job.id}
            await context.in_thread(storing.place, incoming, target, **facts)
        return await self._stored(spec.model_id, target)

    async def _stored(self, model_id: str, target: Path) -> StoredModel:
        metadata = await self._hub.store.inspect(target, model_id)
        return StoredModel(**metadata.model_dump(), path=str(target))


def kinds(hub: HubService) -> list[JobKind]:
    """The kinds of jobs of this slice."""
    work = ModelWork(hub)
    return [
        JobKind(
            name=DOWNLOAD,
            spec=DownloadSpec,
            result=StoredModel,
            run=work.download,
            on_change=hub.tokens.forget_ended,
        ),
        JobKind(name=CONVERT, spec=ConversionSpec, result=StoredModel, run=work.convert),
        JobKind(name=UNPACK, spec=ArchiveSpec, result=StoredModel, run=work.unpack),
    ]
