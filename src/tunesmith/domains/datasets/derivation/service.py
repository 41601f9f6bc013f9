"""Rules of derivations: what may be derived from, and how the result becomes a version."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.ancestry import ancestors_of
from tunesmith.domains.datasets.derivation.catalogue import OperationName
from tunesmith.domains.datasets.derivation.cleaning.operation import Clean
from tunesmith.domains.datasets.derivation.edits import Edit
from tunesmith.domains.datasets.derivation.operation import Operation
from tunesmith.domains.datasets.derivation.writing import Derivation
from tunesmith.domains.datasets.errors import DatasetChangedError, DatasetNotReadyError, PiiModelMissingError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.schemas.cleaning import CleanRequest
from tunesmith.domains.datasets.schemas.dataset import DatasetCreate
from tunesmith.domains.datasets.schemas.derivation import (
    DatasetReference,
    DerivationReport,
    DerivationResponse,
    DiffCounts,
    RowsEdit,
)
from tunesmith.domains.datasets.schemas.fixes import FixRequest
from tunesmith.domains.datasets.schemas.personal import BY_MODEL, PiiApplyRequest
from tunesmith.domains.datasets.service import DatasetService, next_version
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.models import ModelStore
from tunesmith.ports.storage import StoredObject

SALT_BYTES = 32
VERB = {"edit": "Edit", "fix": "Fix", "clean": "Clean", "pii": "Take personal data out of"}


class DerivationService:
    """Makes versions from versions, in jobs."""

    def __init__(self, *, datasets: DatasetService, jobs: JobService, models: ModelStore) -> None:
        self.datasets = datasets
        self._models = models
        self._jobs = jobs

    async def edit(self, unit: Unit, dataset_id: int, edit: RowsEdit) -> JobView:
        """Have rows edited. Raises DatasetChangedError, and RowNotFoundError at once where the number of rows is known."""
        row = await self.usable_row(unit, dataset_id)
        if edit.sha256 is not None and edit.sha256 != row.sha256:
            raise DatasetChangedError(f"The dataset {row.name!r} {row.version} has SHA-256 {row.sha256}, not that one.")
        parameters = Edit.parameters(edit)
        if row.total_samples is not None:
            Edit(parameters).check_rows(row.total_samples)
        return await self.derive(unit, row, "edit", parameters)

    async def fix(self, unit: Unit, dataset_id: int, asked: FixRequest) -> JobView:
        """Have findings fixed; what cannot be stays as it is, and the answer names it."""
        row = await self.usable_row(unit, dataset_id)
        parameters = asked.model_dump(mode="json", exclude={"preview"})
        return await self.derive(unit, row, "fix", parameters, preview=asked.preview)

    async def clean(self, unit: Unit, dataset_id: int, asked: CleanRequest) -> JobView:
        """Have rows cleaned. Raises what the model store raises when tokens are to be counted with a model it has not."""
        row = await self.usable_row(unit, dataset_id)
        parameters = asked.model_dump(mode="json", exclude={"preview"}, exclude_defaults=True)
        await self.tokenizer_of(unit, Clean(parameters))
        return await self.derive(unit, row, "clean", parameters, preview=asked.preview)

    async def apply_pii(self, unit: Unit, dataset_id: int, asked: PiiApplyRequest) -> JobView:
        """Have personal data taken out. Raises PiiModelMissingError where names are asked for and nothing finds them."""
        named = [entity.value for entity in asked.actions if entity in BY_MODEL]
        if named and self.datasets.limits.names_model is None:
            raise PiiModelMissingError(f"No rule finds {' and '.join(named)}, and no model is set that does.")
        row = await self.usable_row(unit, dataset_id)
        parameters = asked.model_dump(mode="json", exclude={"preview"})
        return await self.derive(unit, row, "pii", parameters, preview=asked.preview)

    async def salt_of(self, unit: Unit, row: DatasetRow) -> bytes:
        """The salt of a dataset's pseudonyms: made once for the first version, kept in the store, told to nobody."""
        first = (await ancestors_of(unit, row))[-1]
        key = f"datasets/salts/{first.id}"
        storage = self.datasets.storage
        if not await storage.exists(key):
            await storage.put_stream(_once(secrets.token_bytes(SALT_BYTES)), key)
        return b"".join([piece async for piece in await storage.open_read(key)])

    async def tokenizer_of(self, unit: Unit, operation: Operation) -> Path | None:
        """The folder of the tokenizer that an operation needs."""
        if operation.model is None:
            return None
        return (await self._models.resolve(operation.model, unit=unit)).path

    async def derive(
        self,
        unit: Unit,
        row: DatasetRow,
        operation: OperationName,
        parameters: dict[str, Any],
        *,
        preview: bool = False,
    ) -> JobView:
        """Have a version made from ``row``; the parameters were checked by the caller."""
        spec = {"dataset_id": row.id, "operation": operation, "parameters": parameters, "preview": preview}
        name = f"{VERB[operation]} {row.name} {row.version}"
        return await self._jobs.submit(unit, "derive", spec, name=name[:200])

    async def usable_row(self, unit: Unit, dataset_id: int) -> DatasetRow:
        """The dataset when something can be made from it; raises DatasetNotFoundError and DatasetNotReadyError."""
        row = await self.datasets.get_row(unit, dataset_id)
        if row.archived_at is not None:
            raise DatasetNotReadyError(
                f"The dataset {row.name!r} {row.version} is archived.", hint="Restore it first, or use another version."
            )
        return row

    async def find_made(self, unit: Unit, job_id: int) -> DerivationResponse | None:
        """The answer of a job that made its version before it was killed."""
        made = await repository.list_of_job(unit.session, unit.principal, job_id)
        return answer_of(made[0]) if made else None

    async def keep(
        self, unit: Unit, parent_id: int, job_id: int, work: Derivation, stored: StoredObject, row_map: str
    ) -> DerivationResponse:
        """Make the version that ``work`` has written."""
        parent = await self.datasets.get_row(unit, parent_id)
        taken = await repository.list_versions(unit.session, unit.principal, parent.name)
        version = next_version(parent.version, taken)
        fmt = work.operation.format_after(DataFormat(parent.format), work.sample)
        body = DatasetCreate(
            name=parent.name,
            version=version,
            description=parent.description,
            tags=parent.tags,
            dataset_metadata=parent.dataset_metadata,
        )
        source = _source_of(work, parent, job_id)
        made = await self.datasets.create(
            unit, body, stored, file_name=_file_name(parent), fmt=fmt, source=source, parent_id=parent.id
        )
        row = await self.datasets.get_row(unit, made.id)
        row.row_map = row_map
        row.total_samples = work.counts.rows
        await unit.session.flush()
        return answer_of(row)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _source_of(work: Derivation, parent: DatasetRow, job_id: int) -> dict[str, Any]:
    counts = work.counts
    return {
        "kind": work.operation.name,
        "job_id": job_id,
        "operation": work.operation.name,
        "parameters": work.operation.summary(),
        "parent": f"{parent.name}@{parent.version}",
        "diff": {"added": counts.added, "removed": counts.removed, "changed": counts.changed},
        "report": work.report.document().model_dump(mode="json"),
    }


def _file_name(parent: DatasetRow) -> str:
    stem = parent.file_name.split(".", 1)[0] or "rows"
    return f"{stem[:200]}.jsonl"


def reference_to(row: DatasetRow) -> DatasetReference:
    """A dataset, short."""
    return DatasetReference.model_validate(
        {name: getattr(row, name) for name in ("id", "name", "version", "sha256", "status", "parent_id")}
        | {"rows": row.total_samples}
    )


def answer_of(row: DatasetRow) -> DerivationResponse:
    """The answer of the derivation that made ``row``."""
    diff = DiffCounts.model_validate(row.source["diff"])
    return DerivationResponse(
        dataset=reference_to(row),
        changed=True,
        message=f"Version {row.version} was made: {_words(diff)}.",
        report=DerivationReport.model_validate(row.source["report"]),
        diff=diff,
    )


def answer_without_version(row: DatasetRow, work: Derivation, *, preview: bool) -> DerivationResponse:
    """The answer of a preview, or of a derivation that found nothing to change."""
    counts = work.counts
    diff = DiffCounts(added=counts.added, removed=counts.removed, changed=counts.changed)
    changed = work.makes_a_version
    message = f"This would make a version: {_words(diff)}." if changed else "Nothing changes, so no version is made."
    return DerivationResponse(
        dataset=reference_to(row),
        changed=changed,
        preview=preview,
        message=message,
        report=work.report.document(),
        diff=diff,
    )


def _words(diff: DiffCounts) -> str:
    return f"{diff.changed:,} rows changed, {diff.removed:,} removed, {diff.added:,} added"
