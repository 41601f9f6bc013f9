"""Have a dataset split."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Datasets, Entry, Jobs, Wait
from tunesmith.domains.datasets.schemas.split import DatasetSplitRequest, DatasetSplitResponse
from tunesmith.kit.web import Accepted, accepted, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.post(
    "/{id}/split",
    response_model=DatasetSplitResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def split_dataset(
    dataset_id: DatasetId, access: Entry, datasets: Datasets, jobs: Jobs, body: DatasetSplitRequest, wait: Wait = 2
) -> DatasetSplitResponse | JSONResponse:
    """Make parts that share no prompt, each a dataset of its own; the same seed makes the same split."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await datasets.split(unit, dataset_id, body)
    ended = await jobs.answer(access, job.id, wait)
    if ended is None:
        return accepted(job.id, job.state)
    return DatasetSplitResponse.model_validate(ended.result_or_raise())
