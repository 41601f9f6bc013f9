"""Have a dataset compared with those that it is judged by."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Datasets, Entry, Jobs, Wait
from tunesmith.domains.datasets.schemas.leakage import DatasetLeakageRequest, DatasetLeakageResponse
from tunesmith.kit.web import Accepted, accepted, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.post(
    "/{id}/leakage",
    response_model=DatasetLeakageResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def check_leakage(
    dataset_id: DatasetId,
    access: Entry,
    datasets: Datasets,
    jobs: Jobs,
    body: DatasetLeakageRequest | None = None,
    wait: Wait = 2,
) -> DatasetLeakageResponse | JSONResponse:
    """Say which rows are, exactly or nearly, in the datasets that models are judged by, and where."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await datasets.check_leakage(unit, dataset_id, body or DatasetLeakageRequest())
    ended = await jobs.answer(access, job.id, wait)
    if ended is None:
        return accepted(job.id, job.state)
    return DatasetLeakageResponse.model_validate(ended.result_or_raise())
