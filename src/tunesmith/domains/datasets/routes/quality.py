"""How the quality of a dataset came to be what it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from tunesmith.domains.datasets.quality_history import QualityHistory
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Reads
from tunesmith.domains.datasets.schemas.quality import QualityLogListResponse
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.web import paging, problem_responses, provide

router = APIRouter(prefix=PREFIX, tags=[TAG])
History = Annotated[QualityHistory, provide(QualityHistory)]


@router.get("/{id}/quality", responses=problem_responses(404))
async def list_quality(
    dataset_id: DatasetId, unit: Reads, history: History, page: Annotated[PageRequest, paging()]
) -> QualityLogListResponse:
    """Every validation of the dataset with its score and what changed since the one before, newest first."""
    return await history.list_logs(unit, dataset_id, page)
