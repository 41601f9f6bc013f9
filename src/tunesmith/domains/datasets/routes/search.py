"""Find a text in the rows of a dataset."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Datasets, Reads
from tunesmith.domains.datasets.schemas.search import DatasetSearchResponse
from tunesmith.kit.web import ID_MAX, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.get("/{id}/rows/search", responses=problem_responses(404))
async def search_rows(
    dataset_id: DatasetId,
    unit: Reads,
    datasets: Datasets,
    text: Annotated[str, Query(min_length=1, max_length=200, description="Text to find, in any case.")],
    after: Annotated[int, Query(ge=0, le=ID_MAX, description="Search behind this row.")] = 0,
) -> DatasetSearchResponse:
    """The next row with this text in one of its values. Answers within a second: go on from `scanned_to` until `complete`."""
    return await datasets.search(unit, dataset_id, text, after)
