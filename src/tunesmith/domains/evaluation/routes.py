"""Paths of evaluations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from tunesmith.db import Access, Unit
from tunesmith.domains.evaluation.schemas import (
    EvaluationRequest,
    EvaluationResponse,
    ModelEvaluationListResponse,
    ModelEvaluationRequest,
    ModelEvaluationResponse,
    RunEvaluationRequest,
)
from tunesmith.domains.evaluation.service import EvaluationService
from tunesmith.domains.jobs import JobService
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    ID_MAX,
    Accepted,
    Wait,
    allow,
    paging,
    problem_responses,
    provide,
    reading,
    result_or_accepted,
)

router = APIRouter(prefix="/api/v1/admin", tags=["evaluation"])

Reads = Annotated[Unit, reading(Permission.READ)]
Evaluates = Annotated[Access, allow(Permission.REGISTRY_WRITE)]
Evaluations = Annotated[EvaluationService, provide(EvaluationService)]
Jobs = Annotated[JobService, provide(JobService)]
ModelId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the version.")]


@router.post(
    "/models/{id}/evaluate",
    response_model=ModelEvaluationResponse,
    responses={202: {"model": Accepted}, **problem_responses(404, 422)},
)
async def evaluate_model(
    id: ModelId,
    request: ModelEvaluationRequest,
    access: Evaluates,
    evaluations: Evaluations,
    jobs: Jobs,
    wait: Wait = 2,
) -> Any:
    """Evaluate a version beside its base: held-out loss, perplexity, exact answers."""
    async with access.write("model.evaluate", resource=f"model:{id}") as unit:
        job = await evaluations.start(unit, id, request)
    answer = await result_or_accepted(jobs, access, job, wait)
    if isinstance(answer, Response):
        return answer
    async with access.read() as unit:
        return await evaluations.get_by_job(unit, id, job.id)


@router.post(
    "/finetuning/jobs/{id}/evaluate",
    response_model=EvaluationResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)},
)
async def evaluate_finetuning_job(
    id: Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the job.")],
    access: Annotated[Access, allow(Permission.TRAIN)],
    evaluations: Evaluations,
    jobs: Jobs,
    request: RunEvaluationRequest | None = None,
    wait: Wait = 2,
) -> Any:
    """Evaluate what a run has made beside its base, on what the run held out or on other rows."""
    async with access.write("run.evaluate", resource=f"job:{id}") as unit:
        job = await evaluations.start_for_run(unit, id, request or RunEvaluationRequest())
    return await result_or_accepted(jobs, access, job, wait)


@router.get("/models/{id}/evaluations", responses=problem_responses(404, 422))
async def list_model_evaluations(
    id: ModelId, unit: Reads, evaluations: Evaluations, page: Annotated[PageRequest, paging()]
) -> ModelEvaluationListResponse:
    """Evaluations of a version, newest first."""
    return await evaluations.list_evaluations(unit, id, page)


@router.post(
    "/evaluations",
    response_model=EvaluationResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 422)},
)
async def evaluate_any_model(
    request: EvaluationRequest, access: Evaluates, evaluations: Evaluations, jobs: Jobs, wait: Wait = 2
) -> Any:
    """The same for any model by name; an evaluation of a registered version is kept with it."""
    async with access.write("model.evaluate", resource=request.model[:200]) as unit:
        job = await evaluations.start_for(unit, request)
    return await result_or_accepted(jobs, access, job, wait)
