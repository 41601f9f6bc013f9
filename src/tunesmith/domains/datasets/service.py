"""Rules of datasets: what comes in, what is known about it, what is made of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.clusters_file import DUPLICATES, DUPLICATES_INDEX, ClusterPage, read_clusters
from tunesmith.domains.datasets.doctor import FindingCounts, Severity
from tunesmith.domains.datasets.errors import (
    DatasetExistsError,
    DatasetNotFoundError,
    DatasetNotReadyError,
    DatasetPurgedError,
)
from tunesmith.domains.datasets.evaluation_sets import judges_of
from tunesmith.domains.datasets.exporting import MessagesFile, export_rows
from tunesmith.domains.datasets.findings_file import FINDINGS, INDEX, read_findings
from tunesmith.domains.datasets.formats import SUPERVISED, DataFormat
from tunesmith.domains.datasets.looking import Reading, Seen, read_as, see
from tunesmith.domains.datasets.mapping.saved import saved_mapping
from tunesmith.domains.datasets.places import LocalFiles
from tunesmith.domains.datasets.plain import PlainCopy, ending_of, layout_of_row
from tunesmith.domains.datasets.previewing import early_preview, judge_rows, preview
from tunesmith.domains.datasets.readers import FileKind, Layout, UnpackLimits, named_kind
from tunesmith.domains.datasets.readers.layout import EXTENSIONS
from tunesmith.domains.datasets.row_index import ROW_INDEX
from tunesmith.domains.datasets.row_scores import ROW_SCORES
from tunesmith.domains.datasets.schemas.dataset import (
    DatasetCreate,
    DatasetListResponse,
    DatasetPreviewResponse,
    DatasetResponse,
    DatasetStatus,
    DatasetSummary,
)
from tunesmith.domains.datasets.schemas.duplicates import DuplicateCluster, DuplicateListResponse, DuplicateMember
from tunesmith.domains.datasets.schemas.leakage import DatasetLeakageRequest
from tunesmith.domains.datasets.schemas.search import DatasetSearchResponse
from tunesmith.domains.datasets.schemas.split import DatasetSplitRequest
from tunesmith.domains.datasets.schemas.validation import DatasetValidationRequest, FindingListResponse, groups_of
from tunesmith.domains.datasets.searching import search_rows
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.datasets.uploads import checked_file_name
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.kit.errors import Unavailable
from tunesmith.kit.ids import slugify
from tunesmith.kit.paging import PageRequest
from tunesmith.ports.storage import Storage, StoredObject
from tunesmith.settings import Settings

REFERENCE = "dataset:"
SEARCH_SECONDS = 0.5


class DatasetService:
    """Datasets of a project: versions that never change, what the doctor says of them, and what training reads."""

    def __init__(self, *, storage: Storage, jobs: JobService, settings: Settings) -> None:
        self.storage = storage
        self.limits = settings.datasets
        self.unpacking = UnpackLimits(self.limits.max_unpacked_bytes, self.limits.max_unpacked_ratio)
        self.files = LocalFiles(storage, settings.data_dir / "cache")
        self._jobs = jobs

    @property
    def extensions(self) -> list[str]:
        """Extensions of the files that can be read."""
        return list(EXTENSIONS)

    async def get(self, unit: Unit, dataset_id: int) -> DatasetResponse:
        """The dataset; raises DatasetNotFoundError."""
        return DatasetResponse.model_validate(await self.get_row(unit, dataset_id), from_attributes=True)

    async def get_row(self, unit: Unit, dataset_id: int) -> DatasetRow:
        """Its row, for this slice's own tasks; raises DatasetNotFoundError."""
        row = await repository.find_dataset(unit.session, unit.principal, dataset_id)
        if row is None:
            raise DatasetNotFoundError(f"There is no dataset {dataset_id}.")
        return row

    async def source_of(self, row: DatasetRow) -> RowSource:
        """Its rows, for a pass over them in a thread or child; the file may have to be fetched from the store first.

        Raises DatasetNotReadyError until the validation has made the plain copy of a file that needs one.
        """
        if row.purged_at is not None:
            raise DatasetPurgedError(f"The content of the dataset {row.name!r} {row.version} has been purged.")
        layout = layout_of_row(row)
        if not layout.is_plain and row.plain_path is None:
            raise DatasetNotReadyError(f"The file of the dataset {row.name!r} {row.version} is still being unpacked.")
        return RowSource(
            path=await self.files.path_of(row.plain_path or row.file_path),
            kind=layout.plain_kind,
            format=DataFormat(row.format),
            max_row_bytes=self.limits.max_row_bytes,
            mapping=row.column_mapping or {},
            has_lines=layout.has_lines,
            ending=ending_of(row),
        )

    async def plain_copy_of(self, row: DatasetRow) -> PlainCopy | None:
        """What makes the plain copy of its file; None when there is one, or none is needed."""
        layout = layout_of_row(row)
        if layout.is_plain or row.plain_path is not None or row.purged_at is not None:
            return None
        path = await self.files.path_of(row.file_path)
        return PlainCopy(path, layout, self.unpacking, self.limits.min_free_disk_bytes)

    async def find_by_reference(self, unit: Unit, reference: str) -> DatasetResponse | None:
        """The dataset that ``dataset:NAME@VERSION`` names; without a version the newest one that is not archived."""
        name = reference.removeprefix(REFERENCE)
        row = None
        if "@" in name:
            of, version = name.rsplit("@", 1)
            row = await repository.find_version(unit.session, unit.principal, of, version)
        row = row or await repository.find_newest(unit.session, unit.principal, name)
        return None if row is None else DatasetResponse.model_validate(row, from_attributes=True)

    async def list_datasets(
        self, unit: Unit, page: PageRequest, *, search: str | None, statuses: Collection[DatasetStatus], sort: str
    ) -> DatasetListResponse:
        """A page of datasets; archived ones only when their status is asked for."""
        rows, total = await repository.list_datasets(
            unit.session, unit.principal, page, search=search, statuses=statuses, sort=sort
        )
        items = [DatasetSummary.model_validate(row, from_attributes=True) for row in rows]
        return DatasetListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def look(
        self,
        unit: Unit,
        path: Path,
        file_name: str,
        wanted: DataFormat | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> tuple[Seen, Reading]:
        """What a local file is and how its rows are to be read; raises a named error when it cannot be data."""
        seen = await asyncio.to_thread(see, path, file_name, self.limits.max_row_bytes, self.unpacking)
        saved = None if mapping else await saved_mapping(unit, seen.columns)
        return seen, await asyncio.to_thread(read_as, seen, wanted, mapping, saved)

    async def create(
        self,
        unit: Unit,
        body: DatasetCreate,
        stored: StoredObject,
        *,
        file_name: str,
        fmt: DataFormat,
        source: dict[str, Any],
        layout: Layout | None = None,
        mapping: Mapping[str, str] | None = None,
        parent_id: int | None = None,
    ) -> DatasetResponse:
        """Keep a stored file as a new version, and have it validated. Raises DatasetExistsError.

        Without a layout the file is plain UTF-8 of the kind that its name says.
        """
        layout = layout or Layout(named_kind(file_name).kind or FileKind.JSONL)
        taken = await repository.list_versions(unit.session, unit.principal, body.name)
        if body.version in taken:
            free = next_version(body.version, taken)
            raise DatasetExistsError(
                f"The dataset {body.name!r} has a version {body.version!r} already.",
                hint=f"Send `version={free}`, which is free.",
                next_version=free,
            )
        if not await self.storage.exists(stored.key):
            raise Unavailable("The stored file was removed by another upload that failed.", hint="Upload it again.")
        row = DatasetRow(
            project_id=unit.principal.project_id,
            created_by=unit.principal.user_id,
            name=body.name,
            slug=slugify(body.name, fallback=f"dataset-{stored.sha256[:12]}"),
            version=body.version,
            description=body.description,
            tags=body.tags,
            dataset_metadata=body.dataset_metadata,
            format=fmt.value,
            status=DatasetStatus.UPLOADED.value,
            file_name=file_name,
            file_kind=layout.kind.value,
            file_path=stored.key,
            packing=layout.packing.value,
            encoding=layout.encoding,
            column_mapping=dict(mapping) if mapping else None,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            parent_id=parent_id,
            source=source,
            source_job_id=source.get("job_id"),
        )
        unit.session.add(row)
        await unit.session.flush()
        await self.validate(unit, row.id, DatasetValidationRequest())
        return await self.get(unit, row.id)

    async def import_file(
        self,
        unit: Unit,
        path: Path,
        *,
        name: str,
        version: str | None = None,
        fmt: DataFormat | None = None,
        description: str | None = None,
    ) -> DatasetResponse:
        """Make a dataset of a local file. Without a version: the newest one when it has the same content, else the next."""
        file_name = checked_file_name(path.name)
        seen, reading = await self.look(unit, path, file_name, fmt)
        stored = await self.storage.put_file(path)
        if version is None:
            newest = await repository.find_newest(unit.session, unit.principal, name)
            if newest is not None and newest.sha256 == stored.sha256 and newest.name == name:
                return DatasetResponse.model_validate(newest, from_attributes=True)
            taken = await repository.list_versions(unit.session, unit.principal, name)
            version = "1.0" if not taken else next_version(newest.version if newest else "1.0", taken)
        body = DatasetCreate(name=name, version=version, format=fmt, description=description)
        source = {"kind": "import", "file_name": file_name} | reading.provenance
        return await self.create(
            unit,
            body,
            stored,
            file_name=file_name,
            fmt=reading.format,
            source=source,
            layout=seen.layout,
            mapping=reading.mapping,
        )

    async def forget_file(self, unit: Unit, stored: StoredObject) -> None:
        """Remove a stored file unless a dataset has it: an upload that was refused leaves nothing behind."""
        if not await repository.is_stored_for_someone(unit.session, stored.key):
            await self.storage.delete(stored.key)

    async def validate(self, unit: Unit, dataset_id: int, body: DatasetValidationRequest) -> JobView:
        """Have the dataset examined."""
        row = await self.get_row(unit, dataset_id)
        _refuse_archived(row)
        spec = {"dataset_id": row.id, **body.model_dump(mode="json")}
        job = await self._jobs.submit(unit, "validate", spec, name=f"Validate {row.name} {row.version}"[:200])
        row.status = DatasetStatus.VALIDATING.value
        row.job_id = job.id
        await unit.session.flush()
        return job

    async def split(self, unit: Unit, dataset_id: int, body: DatasetSplitRequest) -> JobView:
        """Have the dataset split into parts that share no prompt."""
        row = await self.get_row(unit, dataset_id)
        _refuse_archived(row)
        red = (row.findings_counts or {}).get("red")
        if red:
            raise DatasetNotReadyError(
                f"The dataset {row.name!r} {row.version} has {red} red findings; it is not split.",
                hint=f"GET /api/v1/admin/training/datasets/{row.id}/findings?severity=red lists them; correct the rows and "
                "upload a new version.",
            )
        spec = {"dataset_id": row.id, **body.model_dump(mode="json")}
        return await self._jobs.submit(unit, "split", spec, name=f"Split {row.name} {row.version}"[:200])

    async def check_leakage(self, unit: Unit, dataset_id: int, body: DatasetLeakageRequest) -> JobView:
        """Have the dataset compared with those that it is judged by. Raises EvaluationSetMissingError."""
        row = await self.get_row(unit, dataset_id)
        _refuse_archived(row)
        judges = await judges_of(unit, row, body.against)
        spec = {"dataset_id": row.id, **body.model_dump(mode="json"), "against": [judge.id for judge in judges]}
        return await self._jobs.submit(unit, "leakage", spec, name=f"Leakage of {row.name} {row.version}"[:200])

    async def preview(self, unit: Unit, dataset_id: int, offset: int, limit: int) -> DatasetPreviewResponse:
        """Some rows as they are in the file; quick at any offset once the dataset has been validated."""
        row = await self.get_row(unit, dataset_id)
        copy = await self.plain_copy_of(row)
        if copy is not None:
            mapping, max_bytes = row.column_mapping or {}, self.limits.max_row_bytes
            rows = await asyncio.to_thread(early_preview, copy, mapping, max_bytes, offset, limit)
        else:
            source = await self.source_of(row)
            index = await self.files.path_of(f"{row.examination}/{ROW_INDEX}") if row.examination else None
            rows = await asyncio.to_thread(preview, source, index, offset, limit)
        if rows and row.examination and await self.storage.exists(worst := f"{row.examination}/{ROW_SCORES}"):
            await asyncio.to_thread(judge_rows, rows, await self.files.path_of(worst), self.limits.score_weights)
        fields = dict.fromkeys(str(name) for r in rows if isinstance(r.data, dict) for name in r.data)
        return DatasetPreviewResponse(
            dataset_id=row.id,
            format=DataFormat(row.format),
            columns=list(fields),
            offset=offset,
            limit=limit,
            total=row.total_samples,
            rows=rows,
        )

    async def search(self, unit: Unit, dataset_id: int, text: str, after: int) -> DatasetSearchResponse:
        """The next row behind ``after`` that holds ``text``, or how far the search came within its time."""
        row = await self.get_row(unit, dataset_id)
        source = await self.source_of(row)
        index = await self.files.path_of(f"{row.examination}/{ROW_INDEX}") if row.examination else None
        found = await asyncio.to_thread(search_rows, source, index, text, after=after, seconds=SEARCH_SECONDS)
        return DatasetSearchResponse(
            dataset_id=row.id, row=found.row, scanned_to=found.scanned_to, complete=found.is_complete
        )

    async def list_findings(
        self, unit: Unit, dataset_id: int, page: PageRequest, *, severity: Severity | None, code: str | None
    ) -> FindingListResponse:
        """A page of what the last validation found. Raises DatasetNotReadyError before the first one has ended."""
        row = await self.get_row(unit, dataset_id)
        if row.examination is None:
            raise DatasetNotReadyError(f"The dataset {row.name!r} {row.version} has not been validated yet.")
        findings = await self.files.path_of(f"{row.examination}/{FINDINGS}")
        index = await self.files.path_of(f"{row.examination}/{INDEX}")
        items, total = await asyncio.to_thread(
            read_findings, findings, index, severity=severity, code=code, offset=page.offset, limit=page.page_size
        )
        return FindingListResponse(
            items=items,
            total=total,
            page=page.page,
            page_size=page.page_size,
            counts=FindingCounts.model_validate(row.findings_counts or {}),
            groups=groups_of(row.findings_counts or {}),
            score=None if row.quality_score is None else round(row.quality_score * 100),
            file=row.file_name,
        )

    async def list_duplicates(
        self, unit: Unit, dataset_id: int, page: PageRequest, *, members: int, members_offset: int
    ) -> DuplicateListResponse:
        """A page of clusters of near duplicates. Raises DatasetNotReadyError when nobody has looked for them."""
        row = await self.get_row(unit, dataset_id)
        found: ClusterPage | None = None
        if row.examination is not None and await self.storage.exists(f"{row.examination}/{DUPLICATES_INDEX}"):
            found = await asyncio.to_thread(
                read_clusters,
                await self.files.path_of(f"{row.examination}/{DUPLICATES}"),
                await self.files.path_of(f"{row.examination}/{DUPLICATES_INDEX}"),
                offset=page.offset,
                limit=page.page_size,
                members_offset=members_offset,
                members_limit=members,
            )
        if found is None or not found.summary.pop("checked"):
            raise DatasetNotReadyError(
                f"Nobody has looked for near duplicates in {row.name!r} {row.version} yet.",
                hint=f"POST /api/v1/admin/training/datasets/{row.id}/validate with `check_duplicates` looks for them.",
            )
        items = []
        for size, rows in found.clusters:
            first, *others = [DuplicateMember.model_validate(member._asdict()) for member in rows]
            items.append(DuplicateCluster(size=size, representative=first, members=others))
        return DuplicateListResponse(
            items=items, total=found.total, page=page.page, page_size=page.page_size, **found.summary
        )

    async def export_rows(
        self,
        unit: Unit,
        dataset_id: int,
        target: Path,
        *,
        accepted: Collection[DataFormat] = SUPERVISED,
        with_columns: bool = False,
        skip_invalid: bool = False,
    ) -> MessagesFile:
        """Write what training reads to ``target``. Raises DatasetRedError naming rows that cannot be trained on."""
        row = await self.get_row(unit, dataset_id)
        copy = await self.plain_copy_of(row)
        if copy is not None:  # a run that begins before the validation has ended
            row.plain_path = (await copy.store(self.storage, _unwatched)).key
        how: dict[str, Any] = {"accepted": accepted, "with_columns": with_columns, "skip_invalid": skip_invalid}
        return await asyncio.to_thread(export_rows, await self.source_of(row), target, **how)


def next_version(version: str, taken: Collection[str]) -> str:
    """The first free version after ``version``: its last number counts up."""
    found = re.search(r"(\d+)(?!.*\d)", version)
    before, number, after = (
        (version[: found.start()], int(found[1]), version[found.end() :]) if found else (version + ".", 0, "")
    )
    while (candidate := f"{before}{number}{after}") in taken or candidate == version:
        number += 1
    return candidate


def _refuse_archived(row: DatasetRow) -> None:
    if row.archived_at is not None:
        raise DatasetNotReadyError(f"The dataset {row.name!r} {row.version} is archived.", hint="Use another version.")


async def _unwatched(size_bytes: int) -> None:
    """Nobody asks how far it is."""
