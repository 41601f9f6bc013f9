"""Rules of outputs: what is answered from the row, what from a kept result, what needs a job."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.derivation.service import DerivationService
from tunesmith.domains.datasets.errors import DatasetNotReadyError
from tunesmith.domains.datasets.outputs.preprocessing import check_columns_of, mapped
from tunesmith.domains.datasets.outputs.saving import target_of
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.results import ContentResults
from tunesmith.domains.datasets.schemas.outputs import (
    DatasetPreprocessRequest,
    DatasetStatisticsResponse,
    DatasetStatsResponse,
    DownloadFormat,
    FileStatistics,
    PreprocessFormat,
)
from tunesmith.domains.datasets.schemas.saving import DatasetSaveRequest
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.models import ModelStore
from tunesmith.kit.errors import TooLarge
from tunesmith.kit.principal import Permission
from tunesmith.ports.storage import StoredObject
from tunesmith.settings import Settings

SUFFIXES = {
    DownloadFormat.JSONL: "jsonl",
    DownloadFormat.CSV: "csv",
    DownloadFormat.PARQUET: "parquet",
    DownloadFormat.HF: "zip",
}
MEDIA_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}


@dataclass(frozen=True)
class Download:
    """A file of the store, as it is sent."""

    key: str
    file_name: str
    media_type: str
    size_bytes: int


class OutputService:
    """Statistics, prepared files and downloads."""

    def __init__(self, *, derivations: DerivationService, jobs: JobService, models: ModelStore) -> None:
        self.datasets = derivations.datasets
        self.results = ContentResults(self.datasets.storage, self.datasets.files)
        self._derivations = derivations
        self._jobs = jobs
        self._models = models

    async def stats(self, unit: Unit, dataset_id: int) -> DatasetStatsResponse:
        """What the row knows; no file is read."""
        row = await self.datasets.get_row(unit, dataset_id)
        known = {name: getattr(row, name) for name in DatasetStatsResponse.model_fields if name != "dataset_id"}
        return DatasetStatsResponse.model_validate(known | {"dataset_id": row.id})

    async def statistics_name(self, unit: Unit, model: str | None) -> tuple[str, tuple[str, Path] | None]:
        """The name of the kept result for a tokenizer (None: tokens are not counted), and that tokenizer's folder."""
        if model is None:
            return "statistics.json", None
        folder = (await self._models.resolve(model, unit=unit)).path
        fingerprint = await asyncio.to_thread(_fingerprint, folder / "tokenizer.json")
        return f"statistics-{fingerprint}.json", (model, folder)

    async def find_statistics(
        self, unit: Unit, dataset_id: int, *, count_tokens: bool, model: str
    ) -> DatasetStatisticsResponse | None:
        """The statistics, when this content's were computed before."""
        row = await self.datasets.get_row(unit, dataset_id)
        name, _ = await self.statistics_name(unit, model if count_tokens else None)
        kept = await self.results.find(row, name)
        if kept is None:
            return None
        text = await asyncio.to_thread(kept.read_text, "utf-8")
        return statistics_of(row, FileStatistics.model_validate_json(text))

    async def start_statistics(self, unit: Unit, dataset_id: int, *, count_tokens: bool, model: str) -> JobView:
        """Have the statistics computed."""
        row = await self._row_with_content(unit, dataset_id)
        spec = {"dataset_id": row.id, "count_tokens": count_tokens, "model": model}
        return await self._once(unit, "dataset-statistics", spec, f"Statistics of {row.name} {row.version}")

    async def preprocess(
        self, unit: Unit, dataset_id: int, target: PreprocessFormat, validate: bool, body: DatasetPreprocessRequest
    ) -> JobView:
        """Have a file prepared. Raises TooLarge, Forbidden for a limit of one's own, and MissingColumnsError."""
        row = await self._derivations.usable_row(unit, dataset_id)
        if body.max_file_size is not None:
            unit.principal.require(Permission.ADMIN)
        limit = body.max_file_size or self.datasets.limits.max_file_size_bytes
        if row.size_bytes > limit:
            raise TooLarge(
                f"The file has {row.size_bytes:,} bytes, more than the limit of {limit:,} for a preparation.",
                hint="An administrator may send `max_file_size`, or raise TUNESMITH_DATASETS__MAX_FILE_SIZE_BYTES.",
                max_file_size_bytes=limit,
            )
        source = await self.datasets.source_of(row)
        await asyncio.to_thread(lambda: check_columns_of(mapped(source, body.column_mapping)))
        spec = {
            "dataset_id": row.id,
            "output_format": target.value,
            "validate_rows": validate,
            "column_mapping": body.column_mapping,
            "skip_invalid": body.skip_invalid,
        }
        name = f"Prepare {row.name} {row.version} as {target.value}"
        return await self._jobs.submit(unit, "preprocess", spec, name=name[:200])

    async def keep_prepared(
        self, unit: Unit, dataset_id: int, stored: StoredObject, statistics: FileStatistics
    ) -> None:
        """Note the prepared file; the one before it goes unless somebody has it."""
        row = await self.datasets.get_row(unit, dataset_id)
        before = row.preprocessed_path
        row.preprocessed_path = stored.key
        row.avg_instruction_length = statistics.avg_instruction_length
        row.avg_output_length = statistics.avg_output_length
        await unit.session.flush()
        if before is not None and not await repository.is_stored_for_someone(unit.session, before):
            unit.after_commit(lambda: self.datasets.storage.delete(before))

    async def find_download(self, unit: Unit, dataset_id: int, fmt: DownloadFormat) -> Download | None:
        """The file, when it is there. Raises DatasetNotReadyError for a prepared file that nobody asked for yet."""
        row = await self._row_with_content(unit, dataset_id)
        key, name = self._kept_as(row, fmt)
        if key is None or not await self.datasets.storage.exists(key):
            return None
        size_bytes = (await self.datasets.storage.stat(key)).size_bytes
        suffix = name.rsplit(".", 1)[-1].lower()
        return Download(key, name, MEDIA_TYPES.get(suffix, "application/octet-stream"), size_bytes)

    def _kept_as(self, row: DatasetRow, fmt: DownloadFormat) -> tuple[str | None, str]:
        stem = f"{row.name}-{row.version}"
        if fmt is DownloadFormat.ORIGINAL:
            return row.file_path, row.file_name
        if fmt is DownloadFormat.PREPROCESSED:
            if row.preprocessed_path is None:
                raise DatasetNotReadyError(
                    f"The dataset {row.name!r} {row.version} has not been prepared.",
                    hint=f"POST /api/v1/admin/training/datasets/{row.id}/preprocess first.",
                )
            return row.preprocessed_path, f"{stem}-preprocessed.jsonl"
        suffix = SUFFIXES[fmt]
        is_kept_so = fmt is DownloadFormat.JSONL and row.file_kind == FileKind.JSONL.value and row.row_map is not None
        return row.file_path if is_kept_so else self.packed_key(row, fmt), f"{stem}.{suffix}"

    def packed_key(self, row: DatasetRow, fmt: DownloadFormat) -> str:
        """Where a packed form of a version is kept. The Hub folder has a card, which says the version's own name."""
        name = f"packed-{row.id}" if fmt is DownloadFormat.HF else "packed"
        return self.results.key(row, f"{name}.{SUFFIXES[fmt]}")

    async def start_packing(self, unit: Unit, dataset_id: int, fmt: DownloadFormat) -> JobView:
        """Have a dataset written in another form."""
        row = await self._row_with_content(unit, dataset_id)
        spec = {"dataset_id": row.id, "format": fmt.value}
        return await self._once(unit, "pack-dataset", spec, f"Write {row.name} {row.version} as {fmt.value}")

    async def save(self, unit: Unit, dataset_id: int, asked: DatasetSaveRequest, settings: Settings) -> JobView:
        """Have a dataset saved. Raises PathNotAllowed, TargetExistsError and InvalidInput for a path that cannot be."""
        row = await self._row_with_content(unit, dataset_id)
        target = await asyncio.to_thread(target_of, asked, settings)
        spec = {
            "dataset_id": row.id,
            **asked.model_dump(mode="json"),
            "path": None if target is None else str(target),
        }
        return await self._once(unit, "save-dataset", spec, f"Save {row.name} {row.version} as {asked.format.value}")

    async def _once(self, unit: Unit, kind: str, spec: dict[str, Any], name: str) -> JobView:
        """A job, or the one that does just this already."""
        for job in await self._jobs.list_naming(
            unit, ("dataset_id",), [spec["dataset_id"]], kinds=(kind,), unfinished=True
        ):
            if job.spec == spec:
                return job
        return await self._jobs.submit(unit, kind, spec, name=name[:200])

    async def _row_with_content(self, unit: Unit, dataset_id: int) -> DatasetRow:
        row = await self.datasets.get_row(unit, dataset_id)
        await self.datasets.source_of(row)  # refuses what is purged
        return row


def statistics_of(row: DatasetRow, statistics: FileStatistics) -> DatasetStatisticsResponse:
    """The answer about one version."""
    return DatasetStatisticsResponse(dataset_id=row.id, file_path=row.file_path, statistics=statistics)


def _fingerprint(tokenizer: Path) -> str:
    with tokenizer.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
