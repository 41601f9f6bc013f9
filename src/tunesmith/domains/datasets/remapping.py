"""Rules of column mappings: proposed, given, kept for the next file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets.errors import (
    ColumnMappingError,
    DatasetNotReadyError,
    DatasetPurgedError,
    MissingColumnsError,
)
from tunesmith.domains.datasets.formats import FIELDS, detect
from tunesmith.domains.datasets.incoming.service import UploadService
from tunesmith.domains.datasets.looking import Seen, read_as, see
from tunesmith.domains.datasets.mapping.proposing import Proposal, propose
from tunesmith.domains.datasets.mapping.saved import save_mapping, saved_mapping
from tunesmith.domains.datasets.schemas.dataset import DatasetResponse
from tunesmith.domains.datasets.schemas.mapping import (
    ColumnMappingRequest,
    ColumnMappingResponse,
    ColumnMappingUpdate,
    ProposedMapping,
)
from tunesmith.domains.datasets.schemas.validation import DatasetValidationRequest
from tunesmith.domains.datasets.service import DatasetService

SAMPLE_ROWS = 5


class MappingService:
    """Proposes how columns are to be read, and takes what a person decides."""

    def __init__(self, *, datasets: DatasetService, uploads: UploadService) -> None:
        self._datasets = datasets
        self._uploads = uploads

    async def propose(self, unit: Unit, body: ColumnMappingRequest) -> ColumnMappingResponse:
        """How the columns of an upload, or these, would be read. Raises a named error when the file cannot be data."""
        columns, rows = body.columns or [], body.sample_rows
        seen = await self._named(unit, body)
        if seen is not None:
            columns, rows = seen.columns, seen.rows
        saved = await saved_mapping(unit, columns)
        found = await asyncio.to_thread(_candidates, columns, rows)
        ranked = [saved, *found] if saved is not None else found
        best = ranked[0] if ranked else None
        return ColumnMappingResponse(
            columns=columns,
            format=best.format if best else None,
            mapping=best.mapping if best else {},
            confidence=best.confidence if best else 0.0,
            reasons=best.reasons if best else [],
            alternatives=[_view(proposal) for proposal in ranked[1:4]],
            saved=saved is not None,
            sample_rows=[dict(row) for row in rows[:SAMPLE_ROWS]],
        )

    async def _named(self, unit: Unit, body: ColumnMappingRequest) -> Seen | None:
        """What the file that is named looks like; None where only columns are given."""
        if body.upload_id is not None:
            name, stored = await self._uploads.stored(unit, body.upload_id)
            return await self._see(await self._datasets.files.path_of(stored.key), name)
        if body.dataset_id is not None:
            row = await self._datasets.get_row(unit, body.dataset_id)
            if row.purged_at is not None:
                raise DatasetPurgedError(f"The content of the dataset {row.name!r} {row.version} has been purged.")
            return await self._see(await self._datasets.files.path_of(row.file_path), row.file_name)
        return None

    async def set(self, unit: Unit, dataset_id: int, body: ColumnMappingUpdate) -> DatasetResponse:
        """Read the dataset's columns like this from now on, validate it again, and keep the mapping for the next file.

        Raises ColumnMappingError and MissingColumnsError.
        """
        row = await self._datasets.get_row(unit, dataset_id)
        if row.archived_at is not None or row.purged_at is not None:
            raise DatasetNotReadyError(f"The dataset {row.name!r} {row.version} is archived.")
        seen = await self._see(await self._datasets.files.path_of(row.file_path), row.file_name)
        reading = await asyncio.to_thread(read_as, seen, body.format, body.mapping)
        missing = sorted(set(FIELDS[reading.format].required) - _fields_of(seen, reading.mapping))
        if missing:
            raise ColumnMappingError(
                f"The format {reading.format.value} needs {', '.join(f'`{name}`' for name in missing)}, to which no column "
                "is mapped."
            )
        row.format, row.column_mapping = reading.format.value, reading.mapping or None
        row.source = {**row.source, "mapping": "given"}
        await save_mapping(unit, seen.columns, reading.format, reading.mapping)
        await self._datasets.validate(unit, row.id, DatasetValidationRequest())
        return await self._datasets.get(unit, row.id)

    async def _see(self, path: Path, file_name: str) -> Seen:
        limits = self._datasets.limits
        return await asyncio.to_thread(see, path, file_name, limits.max_row_bytes, self._datasets.unpacking)


def _fields_of(seen: Seen, mapping: dict[str, str]) -> set[str]:
    return {mapping.get(column, column) for column in seen.columns}


def _candidates(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Proposal]:
    """The reading by the file's own names first, where there is one."""
    proposals = propose(columns, rows)
    sample = rows or [dict.fromkeys(columns, "")]
    try:
        native = detect(sample)
    except MissingColumnsError:
        return proposals
    own = Proposal(native.format, {}, native.confidence if rows else 1.0, native.reasons)
    return [own, *(proposal for proposal in proposals if proposal.format is not native.format)]


def _view(proposal: Proposal) -> ProposedMapping:
    return ProposedMapping(
        format=proposal.format,
        mapping=proposal.mapping,
        confidence=proposal.confidence,
        reasons=proposal.reasons,
    )
