"""Have a dataset examined."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Datasets, Entry, Jobs, Wait, Xrays
from tunesmith.domains.datasets.schemas.validation import DatasetValidationRequest, DatasetValidationResponse
from tunesmith.kit.web import Accepted, accepted, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.post(
    "/{id}/validate",
    response_model=DatasetValidationResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)},
)
async def validate_dataset(
    dataset_id: DatasetId,
    access: Entry,
    datasets: Datasets,
    xrays: Xrays,
    jobs: Jobs,
    body: DatasetValidationRequest | None = None,
    wait: Wait = 2,
) -> DatasetValidationResponse | JSONResponse:
    """Examine the file again; answers what was found."""
    asked = body or DatasetValidationRequest()
    if asked.check_learning:
        async with access.read() as unit:
            await xrays.learner(unit, asked.model, asked.max_length)
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await datasets.validate(unit, dataset_id, asked)
    ended = await jobs.answer(access, job.id, wait)
    if ended is None:
        return accepted(job.id, job.state)
    return DatasetValidationResponse.model_validate(ended.result_or_raise())
