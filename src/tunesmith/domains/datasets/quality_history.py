"""The checks of a dataset, each with what changed since the one before."""

from __future__ import annotations

from itertools import pairwise

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.schemas.quality import QualityHistoryResponse, QualityLog
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.tables import QualityLogRow
from tunesmith.kit.paging import PageRequest


async def list_checks(
    datasets: DatasetService, unit: Unit, dataset_id: int, page: PageRequest
) -> QualityHistoryResponse:
    """A page of checks, the newest first. Raises DatasetNotFoundError."""
    await datasets.get_row(unit, dataset_id)
    rows, total = await repository.list_quality_logs(unit.session, unit.principal, dataset_id, page)
    logs = [_log(row) for row in rows]
    for newer, older in pairwise(logs):
        newer.score_change = round(newer.quality_score - older.quality_score, 4)
        newer.changes = _changes(older, newer)
    return QualityHistoryResponse(
        items=logs[: page.page_size],
        total=total,
        page=page.page,
        page_size=page.page_size,
        weights=datasets.limits.score_weights.model_dump(),
    )


def _log(row: QualityLogRow) -> QualityLog:
    fields = ("id", "dataset_id", "quality_score", "pii", "duplicates", "format_errors", "created_at")
    return QualityLog.model_validate({name: getattr(row, name) for name in fields} | (row.details or {}))


def _changes(older: QualityLog, newer: QualityLog) -> dict[str, int]:
    if older.counts is None or newer.counts is None:
        return {}
    before, after = older.counts.by_code, newer.counts.by_code
    changed = {code: after.get(code, 0) - before.get(code, 0) for code in sorted(before.keys() | after.keys())}
    return {code: change for code, change in changed.items() if change}
