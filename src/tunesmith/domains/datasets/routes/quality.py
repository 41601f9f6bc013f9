"""How the quality of a dataset went."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from tunesmith.domains.datasets.quality_history import list_checks
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Datasets, Reads
from tunesmith.domains.datasets.schemas.quality import QualityHistoryResponse
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.web import paging, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.get("/{id}/quality", responses=problem_responses(404))
async def list_quality(
    dataset_id: DatasetId, unit: Reads, datasets: Datasets, page: Annotated[PageRequest, paging()]
) -> QualityHistoryResponse:
    """Every check of the dataset, the newest first: score, findings by kind, and what changed since the one before."""
    return await list_checks(datasets, unit, dataset_id, page)
