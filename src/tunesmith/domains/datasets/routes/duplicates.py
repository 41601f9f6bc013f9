"""Look through the near duplicates of a dataset."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Datasets, Reads
from tunesmith.domains.datasets.schemas.duplicates import DuplicateListResponse
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.web import ID_MAX, paging, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.get("/{id}/duplicates", responses=problem_responses(404, 409))
async def list_duplicates(
    dataset_id: DatasetId,
    unit: Reads,
    datasets: Datasets,
    page: Annotated[PageRequest, paging()],
    members: Annotated[int, Query(ge=1, le=200, description="Rows to show of each cluster beside the first.")] = 20,
    members_offset: Annotated[int, Query(ge=0, le=ID_MAX, description="Rows of each cluster to pass over.")] = 0,
) -> DuplicateListResponse:
    """Clusters of rows that the last validation found to be nearly the same, the largest first."""
    return await datasets.list_duplicates(unit, dataset_id, page, members=members, members_offset=members_offset)
