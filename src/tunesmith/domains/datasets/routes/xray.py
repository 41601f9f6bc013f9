"""Look at rows as the trainer sees them."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Entry, Wait, Xrays
from tunesmith.domains.datasets.schemas.xray import DatasetXrayRequest, DatasetXrayResponse
from tunesmith.kit.web import Accepted, accepted, problem_responses

router = APIRouter(prefix=PREFIX, tags=[TAG])


@router.post(
    "/{id}/xray",
    response_model=DatasetXrayResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)},
)
async def xray_dataset(
    dataset_id: DatasetId, access: Entry, xrays: Xrays, body: DatasetXrayRequest | None = None, wait: Wait = 2
) -> DatasetXrayResponse | JSONResponse:
    """The mask X-ray: rows token by token, with what carries loss; sums over all rows come from a job, once."""
    answer = await xrays.look(access, dataset_id, body or DatasetXrayRequest(), wait)
    return answer if isinstance(answer, DatasetXrayResponse) else accepted(answer.id, answer.state)
