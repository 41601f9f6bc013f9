"""Alter rows, by hand or by the doctor's fixes: the answer is a new version."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.db import Access
from tunesmith.domains.datasets.routes.entry import PREFIX, TAG, DatasetId, Derivations, Entry, Jobs, Wait
from tunesmith.domains.datasets.schemas.cleaning import CleanRequest
from tunesmith.domains.datasets.schemas.derivation import DerivationResponse, RowsEdit
from tunesmith.domains.datasets.schemas.fixes import FixRequest
from tunesmith.domains.datasets.schemas.personal import PiiApplyRequest
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.kit.web import Accepted, problem_responses, result_or_accepted

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
    return await _answer(jobs, access, job, wait)


@router.post(
    "/{id}/fixes",
    response_model=DerivationResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def fix_findings(
    dataset_id: DatasetId,
    access: Entry,
    derivations: Derivations,
    jobs: Jobs,
    body: FixRequest | None = None,
    wait: Wait = 2,
) -> DerivationResponse | JSONResponse:
    """Mend what the doctor found, in a new version: findings by code, by row, one by one, or all that can be mended."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await derivations.fix(unit, dataset_id, body or FixRequest())
    return await _answer(jobs, access, job, wait)


@router.post(
    "/{id}/clean",
    response_model=DerivationResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)},
)
async def clean_dataset(
    dataset_id: DatasetId, access: Entry, derivations: Derivations, jobs: Jobs, body: CleanRequest, wait: Wait = 2
) -> DerivationResponse | JSONResponse:
    """Clean a dataset into a new version; with `preview` only say what each step would remove and change."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await derivations.clean(unit, dataset_id, body)
    return await _answer(jobs, access, job, wait)


@router.post(
    "/{id}/pii/apply",
    response_model=DerivationResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 409, 422)},
)
async def apply_pii(
    dataset_id: DatasetId, access: Entry, derivations: Derivations, jobs: Jobs, body: PiiApplyRequest, wait: Wait = 2
) -> DerivationResponse | JSONResponse:
    """Mask, redact, pseudonymise or drop personal data, in a new version; with `preview` only say what would be done."""
    async with access.write(resource=f"dataset:{dataset_id}") as unit:
        job = await derivations.apply_pii(unit, dataset_id, body)
    return await _answer(jobs, access, job, wait)


async def _answer(jobs: JobService, access: Access, job: JobView, wait: float) -> DerivationResponse | JSONResponse:
    answer = await result_or_accepted(jobs, access, job, wait)
    return answer if isinstance(answer, JSONResponse) else DerivationResponse.model_validate(answer)
