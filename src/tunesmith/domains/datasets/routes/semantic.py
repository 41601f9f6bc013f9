"""Have rows found that mean the same."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Entry, Jobs, Wait
from tunesmith.domains.datasets.schemas.semantic import SemanticDuplicatesRequest, SemanticDuplicatesResponse
from tunesmith.domains.datasets.semantic import SemanticService
from tunesmith.kit.web import Accepted, accepted, problem_responses, provide

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.post(
    "/{id}/duplicates/semantic",
    response_model=SemanticDuplicatesResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def find_semantic_duplicates(
    dataset_id: DatasetId,
    access: Entry,
    semantic: Annotated[SemanticService, provide(SemanticService)],
    jobs: Jobs,
    body: SemanticDuplicatesRequest,
    wait: Wait = 2,
) -> SemanticDuplicatesResponse | JSONResponse:
    """Say which rows mean the same in other words, by the vectors of a model of the store; every pair is compared."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await semantic.submit(unit, dataset_id, body)
    ended = await jobs.answer(access, job.id, wait)
    if ended is None:
        return accepted(job.id, job.state)
    return SemanticDuplicatesResponse.model_validate(ended.result_or_raise())
