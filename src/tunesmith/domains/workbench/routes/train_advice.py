"""`/train/recommend-parameters` and `/train/prepare`: what to set, and what the run will take."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith.db import Access
from tunesmith.domains.jobs import JobService
from tunesmith.domains.training import ForecastResponse, Recommendation
from tunesmith.domains.workbench.schemas.train_advice import PrepareRequest, RecommendRequest
from tunesmith.domains.workbench.service.train_advice import TrainAdvice
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import Accepted, Wait, allow, problem_responses, provide, result_or_accepted

router = APIRouter(prefix="/train", tags=["workbench: training"])
Advice = Annotated[TrainAdvice, provide(TrainAdvice)]


@router.post("/recommend-parameters", responses=problem_responses(403, 404, 409, 422))
async def recommend_parameters(
    access: Annotated[Access, allow(Permission.TRAIN)], advice: Advice, body: RecommendRequest | None = None
) -> Recommendation:
    """Recommend a full configuration for a model, a dataset and the free memory, with the reason for each value."""
    return await advice.recommend(access, body or RecommendRequest())


@router.post(
    "/prepare",
    response_model=ForecastResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)},
)
async def prepare_training(
    access: Annotated[Access, allow(Permission.TRAIN)],
    advice: Advice,
    jobs: Annotated[JobService, provide(JobService)],
    body: PrepareRequest | None = None,
    wait: Wait = 30,
) -> dict[str, Any] | JSONResponse:
    """Say what would be trained, with how many parameters, and what it would take: memory, time, problems."""
    job = await advice.prepare(access, body or PrepareRequest())
    return await result_or_accepted(jobs, access, job, wait)
