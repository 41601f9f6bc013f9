"""Versions of a dataset: say something about one, list them, compare them, undo, archive, restore, purge."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from tunesmith.domains.datasets.routes.entry import (
    PREFIX,
    TAG,
    DatasetId,
    Entry,
    Jobs,
    Reader,
    Reads,
    Versions,
    Wait,
)
from tunesmith.domains.datasets.schemas.dataset import DatasetResponse
from tunesmith.domains.datasets.schemas.versions import (
    DatasetDiffResponse,
    DatasetPurgeResponse,
    DatasetUndoResponse,
    DatasetUpdate,
    DatasetVersionListResponse,
    DifferenceKind,
    LineageResponse,
)
from tunesmith.domains.datasets.versions.lineage import lineage_of
from tunesmith.domains.datasets.versions.preparing import comparison_of
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.web import ID_MAX, Accepted, paging, problem_responses, result_or_accepted

router = APIRouter(prefix=PREFIX, tags=[TAG])

OtherId = Annotated[int, Path(alias="other", ge=1, le=ID_MAX, description="Id of the dataset to compare with.")]


@router.patch("/{id}", responses=problem_responses(404, 409, 422))
async def update_dataset(
    dataset_id: DatasetId, access: Entry, versions: Versions, body: DatasetUpdate
) -> DatasetResponse:
    """Change what is said about a dataset: description, tags, metadata; the name for all of its versions."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        return await versions.update(unit, dataset_id, body)


@router.delete("/{id}", responses=problem_responses(404, 409))
async def archive_dataset(dataset_id: DatasetId, access: Entry, versions: Versions) -> DatasetResponse:
    """Archive a version: it is listed no more and nothing can be made from it. 409 while a job uses it."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        return await versions.archive(unit, dataset_id)


@router.post("/{id}/restore", responses=problem_responses(404, 409))
async def restore_dataset(dataset_id: DatasetId, access: Entry, versions: Versions) -> DatasetResponse:
    """Bring an archived version back."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        return await versions.restore(unit, dataset_id)


@router.post("/{id}/purge", responses=problem_responses(404, 409))
async def purge_dataset(dataset_id: DatasetId, access: Entry, versions: Versions) -> DatasetPurgeResponse:
    """Reclaim the bytes of an archived version for good, but for what another version shares; its lineage stays."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        return await versions.purge(unit, dataset_id)


@router.post("/{id}/undo", responses=problem_responses(404, 409))
async def undo_dataset(dataset_id: DatasetId, access: Entry, versions: Versions) -> DatasetUndoResponse:
    """Take back the change that made this version: it is archived, and the answer is the version before it."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        return await versions.undo(unit, dataset_id)


@router.get("/{id}/versions", responses=problem_responses(404))
async def list_dataset_versions(
    dataset_id: DatasetId, unit: Reads, versions: Versions, page: Annotated[PageRequest, paging()]
) -> DatasetVersionListResponse:
    """All versions of this dataset, newest first, archived ones too."""
    return await versions.list_versions(unit, dataset_id, page)


@router.get("/{id}/lineage", responses=problem_responses(404))
async def get_dataset_lineage(dataset_id: DatasetId, unit: Reads, versions: Versions) -> LineageResponse:
    """The graph of what this version came from, what came of it, and the runs that used any of that."""
    return await lineage_of(versions, unit, dataset_id)


@router.get(
    "/{id}/diff/{other}",
    response_model=DatasetDiffResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409)},
)
async def get_dataset_diff(
    dataset_id: DatasetId,
    other_id: OtherId,
    access: Reader,
    versions: Versions,
    jobs: Jobs,
    page: Annotated[PageRequest, paging()],
    kind: Annotated[list[DifferenceKind] | None, Query(description="Only these differences.")] = None,
    wait: Wait = 2,
) -> DatasetDiffResponse | JSONResponse:
    """What differs on the way from this version to the other, row by row. Exact along the lineage; by equal rows otherwise."""
    kinds = list(kind or ())
    async with access.read() as unit:
        comparison = await comparison_of(versions, unit, dataset_id, other_id)
    if comparison.is_ready:
        return await asyncio.to_thread(comparison.answer, kinds, page)
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await versions.compare(unit, dataset_id, other_id, kinds, page)
    answer = await result_or_accepted(jobs, access, job, wait)
    return answer if isinstance(answer, JSONResponse) else DatasetDiffResponse.model_validate(answer)
