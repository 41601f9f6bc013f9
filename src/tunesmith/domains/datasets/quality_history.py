"""What the validations of a dataset said, one after the other."""

from __future__ import annotations

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.schemas.quality import QualityLog, QualityLogListResponse
from tunesmith.domains.datasets.schemas.validation import FindingsOfKind
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.tables import QualityLogRow
from tunesmith.kit.paging import PageRequest


class QualityHistory:
    """Reads ``dataset_quality_logs``; validations write them."""

    def __init__(self, *, datasets: DatasetService) -> None:
        self._datasets = datasets

    async def list_logs(self, unit: Unit, dataset_id: int, page: PageRequest) -> QualityLogListResponse:
        """A page of validations, newest first; raises DatasetNotFoundError."""
        await self._datasets.get_row(unit, dataset_id)
        rows, total = await repository.list_quality_logs(unit.session, unit.principal, dataset_id, page)
        shown, before = rows[: page.page_size], rows[1:]
        return QualityLogListResponse(
            items=[_log(row, before[at] if at < len(before) else None) for at, row in enumerate(shown)],
            total=total,
            page=page.page,
            page_size=page.page_size,
            weights=self._datasets.limits.score_weights.model_dump(),
        )


def _log(row: QualityLogRow, before: QualityLogRow | None) -> QualityLog:
    errors = FindingsOfKind.model_validate(row.format_errors)
    return QualityLog(
        id=row.id,
        dataset_id=row.dataset_id,
        quality_score=row.quality_score,
        change=None if before is None else round(row.quality_score - before.quality_score, 4),
        passed=errors.total == 0,
        pii=FindingsOfKind.model_validate(row.pii),
        duplicates=FindingsOfKind.model_validate(row.duplicates),
        format_errors=errors,
        created_at=row.created_at,
    )
