"""Which column is which field."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from tunesmith.domains.datasets.remapping import MappingService
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Entry
from tunesmith.domains.datasets.schemas.dataset import DatasetResponse
from tunesmith.domains.datasets.schemas.mapping import (
    ColumnMappingRequest,
    ColumnMappingResponse,
    ColumnMappingUpdate,
)
from tunesmith.kit.web import problem_responses, provide

router = APIRouter(prefix=PREFIX, tags=[TAG])

Mappings = Annotated[MappingService, provide(MappingService)]


@router.post("/mapping", responses=problem_responses(404, 409, 422))
async def propose_mapping(access: Entry, mappings: Mappings, body: ColumnMappingRequest) -> ColumnMappingResponse:
    """How the columns of an upload would be read: what was decided before, what their names say, what they hold."""
    async with access.read() as unit:
        return await mappings.propose(unit, body)


@router.put("/{id}/mapping", responses=problem_responses(404, 409, 422))
async def set_mapping(
    dataset_id: DatasetId, access: Entry, mappings: Mappings, body: ColumnMappingUpdate
) -> DatasetResponse:
    """Read the columns like this from now on; the dataset is validated again, and the mapping kept for the next such file."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        return await mappings.set(unit, dataset_id, body)
