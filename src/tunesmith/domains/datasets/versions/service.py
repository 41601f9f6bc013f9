"""Rules of versions: archive, restore, undo, purge; the list of them, their lineage."""

from __future__ import annotations

import functools
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.derivation.service import reference_to
from tunesmith.domains.datasets.errors import DatasetExistsError, DatasetInUseError, DatasetPurgedError, NoUndoError
from tunesmith.domains.datasets.examination import OUTPUTS
from tunesmith.domains.datasets.results import ContentResults
from tunesmith.domains.datasets.schemas.dataset import DatasetResponse, DatasetStatus
from tunesmith.domains.datasets.schemas.derivation import DiffCounts
from tunesmith.domains.datasets.schemas.validation import DatasetValidationRequest
from tunesmith.domains.datasets.schemas.versions import (
    DatasetPurgeResponse,
    DatasetUndoResponse,
    DatasetUpdate,
    DatasetVersion,
    DatasetVersionListResponse,
    DifferenceKind,
)
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.jobs import JobService, JobStateConflict, JobView
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.ids import display_name, slugify
from tunesmith.kit.paging import PageRequest
from tunesmith.ports.storage import ObjectNotFound

SPEC_FIELDS = ("dataset_id", "validation_dataset_id", "questions_dataset_id", "general_dataset_id", "other_id")
"""Fields of specs, of whatever kind of job, that name a dataset."""


class VersionService:
    """What happens to versions as wholes; their content stays what it is."""

    def __init__(self, *, datasets: DatasetService, jobs: JobService) -> None:
        self.datasets = datasets
        self.results = ContentResults(datasets.storage, datasets.files)
        self._jobs = jobs

    async def update(self, unit: Unit, dataset_id: int, body: DatasetUpdate) -> DatasetResponse:
        """Say something else about a dataset. Raises DatasetExistsError when the name is taken."""
        row = await self.datasets.get_row(unit, dataset_id)
        given = body.model_fields_set
        if body.name is not None:
            await self._rename(unit, row, body.name)
        for field in given - {"name"}:
            setattr(row, field, getattr(body, field))
        await unit.session.flush()
        await unit.session.refresh(row)
        return await self.datasets.get(unit, row.id)

    async def _rename(self, unit: Unit, row: DatasetRow, wanted: str) -> None:
        try:
            name = display_name(wanted)
        except ValueError as error:
            raise InvalidInput(f"name: {error}.") from None
        if name == row.name:
            return
        if await repository.list_versions(unit.session, unit.principal, name):
            raise DatasetExistsError(f"There is a dataset {name!r} already.", hint="Choose another name.")
        await repository.rename(unit.session, row, name, slugify(name, fallback=row.slug))

    async def list_versions(self, unit: Unit, dataset_id: int, page: PageRequest) -> DatasetVersionListResponse:
        """All versions of the dataset, newest first, archived and purged ones too."""
        row = await self.datasets.get_row(unit, dataset_id)
        rows, total = await repository.page_of_versions(unit.session, unit.principal, row, page)
        items = [version_of(version) for version in rows]
        return DatasetVersionListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def archive(self, unit: Unit, dataset_id: int) -> DatasetResponse:
        """Put a version away; restore brings it back. Raises DatasetInUseError while a job uses it."""
        row = await self.datasets.get_row(unit, dataset_id)
        if row.archived_at is None:
            refuse_used(row, await self.jobs_of(unit, row.id))
            await self._archive(unit, row)
        return await self.datasets.get(unit, row.id)

    async def restore(self, unit: Unit, dataset_id: int) -> DatasetResponse:
        """Bring an archived version back, as it was. Raises DatasetPurgedError when its content is gone."""
        row = await self.datasets.get_row(unit, dataset_id)
        refuse_purged(row)
        if row.archived_at is not None:
            await self._restore(unit, row)
        return await self.datasets.get(unit, row.id)

    async def undo(self, unit: Unit, dataset_id: int) -> DatasetUndoResponse:
        """Take back the change that made this version: it is archived, and its parent counts again.

        Raises NoUndoError for an upload or a part of a split, DatasetPurgedError when the parent's content is gone, and
        DatasetInUseError while a job other than its own validation uses the version.
        """
        row = await self.datasets.get_row(unit, dataset_id)
        if row.parent_id is None or "operation" not in row.source:
            raise NoUndoError(f"The dataset {row.name!r} {row.version} was not made by a change of another version.")
        parent = await self.datasets.get_row(unit, row.parent_id)
        refuse_purged(parent)
        if row.archived_at is None:
            users = await self.jobs_of(unit, row.id)
            refuse_used(row, [job for job in users if job.kind != "validate"])
            await self._archive(unit, row)
            for job in users:
                await self._cancel(unit, job)
        if parent.archived_at is not None:
            await self._restore(unit, parent)
        return DatasetUndoResponse(dataset=await self.datasets.get(unit, parent.id), archived=reference_to(row))

    async def purge(self, unit: Unit, dataset_id: int) -> DatasetPurgeResponse:
        """Reclaim the bytes of an archived version, but for what another version shares. Its row stays for the lineage.

        It may be called again: what a crash left behind goes then.
        """
        row = await self.datasets.get_row(unit, dataset_id)
        if row.archived_at is None:
            raise DatasetInUseError(
                f"The dataset {row.name!r} {row.version} is not archived.",
                hint="Delete (archive) it first, then purge it.",
            )
        refuse_used(row, await self.jobs_of(unit, row.id))
        row.purged_at = row.purged_at or utc_now()
        shared: set[int] = set()
        keys: list[str] = []
        for key in {row.file_path, row.plain_path, row.preprocessed_path} - {None}:
            holders = await repository.list_holders(unit.session, str(key), except_id=row.id)
            shared.update(holders)
            if not holders:
                keys.append(str(key))
        keys += [f"{row.examination}/{name}" for name in OUTPUTS] if row.examination else []
        row.examination = None
        freed = sum([await self._size_of(key) for key in keys])
        unit.after_commit(functools.partial(self._delete, keys))
        if not await repository.has_content(unit.session, row.sha256, except_id=row.id):
            unit.after_commit(functools.partial(self.results.forget, row.sha256))  # type: ignore[arg-type]
        return DatasetPurgeResponse(
            dataset_id=row.id,
            purged_at=row.purged_at,
            freed_bytes=freed,
            shared_with=sorted(shared),
            status=DatasetStatus(row.status),
        )

    async def compare(
        self, unit: Unit, dataset_id: int, other_id: int, kinds: list[DifferenceKind], page: PageRequest
    ) -> JobView:
        """Have two versions compared, for a page of what differs; the same comparison that goes on already is answered."""
        spec = {"dataset_id": dataset_id, "other_id": other_id, "kinds": kinds}
        spec |= {"page": page.page, "page_size": page.page_size}
        for job in await self.jobs_of(unit, dataset_id):
            if job.kind == "diff" and job.spec == spec:
                return job
        return await self._jobs.submit(unit, "diff", spec, name=f"Compare datasets {dataset_id} and {other_id}")

    async def jobs_of(self, unit: Unit, dataset_id: int) -> list[JobView]:
        """The jobs that wait for this dataset or work with it."""
        return await self._jobs.list_naming(unit, SPEC_FIELDS, [dataset_id], unfinished=True)

    async def runs_of(self, unit: Unit, dataset_ids: list[int], limit: int) -> list[JobView]:
        """The trainings and evaluations that used one of these datasets, newest first."""
        kinds = ("train", "evaluate")
        return await self._jobs.list_naming(unit, SPEC_FIELDS, dataset_ids, kinds=kinds, limit=limit)

    async def _archive(self, unit: Unit, row: DatasetRow) -> None:
        row.archived_at = utc_now()
        row.status = DatasetStatus.ARCHIVED.value
        await unit.session.flush()

    async def _restore(self, unit: Unit, row: DatasetRow) -> None:
        row.archived_at = None
        row.status = status_of(row).value
        await unit.session.flush()
        if row.validated_at is None:
            await self.datasets.validate(unit, row.id, DatasetValidationRequest())

    async def _cancel(self, unit: Unit, job: JobView) -> None:
        try:
            await self._jobs.cancel(unit, job.id)
        except JobStateConflict:  # it ended by itself
            return

    async def _size_of(self, key: str) -> int:
        try:
            return (await self.datasets.storage.stat(key)).size_bytes
        except ObjectNotFound:
            return 0

    async def _delete(self, keys: list[str]) -> None:
        for key in keys:
            await self.datasets.storage.delete(key)


def status_of(row: DatasetRow) -> DatasetStatus:
    """Where a version is that is not archived."""
    if row.validated_at is None:
        return DatasetStatus.UPLOADED
    return DatasetStatus.INVALID if (row.findings_counts or {}).get("red") else DatasetStatus.READY


def version_of(row: DatasetRow) -> DatasetVersion:
    """A version in a list."""
    return DatasetVersion(
        **reference_to(row).model_dump(),
        operation=operation_of(row),
        diff=diff_of(row),
        size_bytes=row.size_bytes,
        quality_score=row.quality_score,
        created_by=row.created_by,
        created_at=row.created_at,
        archived_at=row.archived_at,
        purged_at=row.purged_at,
    )


def operation_of(row: DatasetRow) -> str:
    """How a version was made."""
    return str(row.source.get("operation") or row.source.get("kind") or "upload")


def diff_of(row: DatasetRow) -> DiffCounts | None:
    """Rows that differ from the parent, where the version was made by a change."""
    diff: dict[str, Any] | None = row.source.get("diff")
    return None if diff is None else DiffCounts.model_validate(diff)


def refuse_purged(row: DatasetRow) -> None:
    """Raise DatasetPurgedError when the content is gone."""
    if row.purged_at is not None:
        raise DatasetPurgedError(
            f"The content of {row.name!r} {row.version} was purged at {row.purged_at:%Y-%m-%d %H:%M}."
        )


def refuse_used(row: DatasetRow, jobs: list[JobView]) -> None:
    """Raise DatasetInUseError that names the jobs."""
    if jobs:
        names = ", ".join(f"{job.id} ({job.name})" for job in jobs[:5])
        raise DatasetInUseError(
            f"The dataset {row.name!r} {row.version} is used by {len(jobs)} job(s): {names}.",
            jobs=[job.id for job in jobs],
        )
