"""Edit rows: the answer is a new version."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Derivations, Entry, Jobs, Wait
from tunesmith.domains.datasets.schemas.derivation import DerivationResponse, RowsEdit
from tunesmith.kit.web import Accepted, accepted, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.patch(
    "/{id}/rows",
    response_model=DerivationResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def edit_rows(
    dataset_id: DatasetId, access: Entry, derivations: Derivations, jobs: Jobs, body: RowsEdit, wait: Wait = 2
) -> DerivationResponse | JSONResponse:
    """Set values, delete and insert rows, all or nothing; the result is a new version, and this one stays as it is."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await derivations.edit(unit, dataset_id, body)
    ended = await jobs.answer(access, job.id, wait)
    if ended is None:
        return accepted(job.id, job.state)
    return DerivationResponse.model_validate(ended.result_or_raise())
