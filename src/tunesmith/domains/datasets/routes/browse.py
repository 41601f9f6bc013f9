"""Look at datasets: list, one, rows, findings."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from tunesmith.domains.datasets.doctor import CODES, Severity
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Datasets, Reads
from tunesmith.domains.datasets.schemas.dataset import (
    DatasetListResponse,
    DatasetPreviewResponse,
    DatasetResponse,
    DatasetStatus,
)
from tunesmith.domains.datasets.schemas.validation import FindingListResponse
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.web import ID_MAX, paging, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])

Sort = Literal[
    "created_at", "-created_at", "name", "-name", "size_bytes", "-size_bytes",
    "total_samples", "-total_samples", "quality_score", "-quality_score",
]  # fmt: skip


@router.get("")
async def list_datasets(
    unit: Reads,
    datasets: Datasets,
    page: Annotated[PageRequest, paging()],
    search: Annotated[str | None, Query(max_length=200, description="Part of a name or file name.")] = None,
    status: Annotated[list[DatasetStatus] | None, Query(description="Only these states.")] = None,
    sort: Annotated[Sort, Query(description="Column to sort by; `-` for the largest first.")] = "-created_at",
) -> DatasetListResponse:
    """Datasets, newest first."""
    return await datasets.list_datasets(unit, page, search=search, statuses=status or [], sort=sort)


@router.get("/{id}", responses=problem_responses(404))
async def get_dataset(dataset_id: DatasetId, unit: Reads, datasets: Datasets) -> DatasetResponse:
    """One dataset version."""
    return await datasets.get(unit, dataset_id)


@router.get("/{id}/preview", responses=problem_responses(404))
async def preview_dataset(
    dataset_id: DatasetId,
    unit: Reads,
    datasets: Datasets,
    offset: Annotated[int, Query(ge=0, le=ID_MAX, description="Rows to pass over.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="Rows to show.")] = 50,
) -> DatasetPreviewResponse:
    """Rows as they are in the file."""
    return await datasets.preview(unit, dataset_id, offset, limit)


@router.get("/{id}/findings", responses=problem_responses(404, 409))
async def list_findings(
    dataset_id: DatasetId,
    unit: Reads,
    datasets: Datasets,
    page: Annotated[PageRequest, paging()],
    severity: Annotated[Severity | None, Query(description="Only findings of this severity.")] = None,
    code: Annotated[str | None, Query(max_length=60, description="Only findings with this code.")] = None,
) -> FindingListResponse:
    """What the last validation found, in the order of the file."""
    if code is not None and code not in CODES:
        raise InvalidInput(f"There is no finding {code[:60]!r}.", hint=f"The codes are: {', '.join(CODES)}.")
    return await datasets.list_findings(unit, dataset_id, page, severity=severity, code=code)
