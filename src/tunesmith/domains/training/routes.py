"""Fine-tuning jobs and recipes over HTTP."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, status

from tunesmith.db import Unit
from tunesmith.domains.jobs import JobLogsResponse
from tunesmith.domains.training.presets import list_presets
from tunesmith.domains.training.schemas import (
    CheckpointListResponse,
    FinetuningJobListResponse,
    FinetuningJobResponse,
    FinetuningStatus,
    JobMetricsResponse,
    RecipeFault,
    RecipePresetListResponse,
    RecipeValidationRequest,
    RecipeValidationResponse,
    ResumeRequest,
)
from tunesmith.domains.training.service import TrainingService
from tunesmith.domains.training.short_form import FinetuningJobCreate
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import ID_MAX, paging, problem_responses, provide, reading, writing
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError, read_recipe, validate_recipe, write_recipe

router = APIRouter(prefix="/api/v1/admin/finetuning/jobs", tags=["fine-tuning"])
recipes = APIRouter(prefix="/api/v1/admin/recipes", tags=["recipes"])

Reads = Annotated[Unit, reading(Permission.READ)]
Writes = Annotated[Unit, writing(Permission.TRAIN)]
Checks = Annotated[Unit, reading(Permission.TRAIN)]
Training = Annotated[TrainingService, provide(TrainingService)]
JobId = Annotated[int, Path(alias="id", ge=1, le=ID_MAX, description="Id of the job.")]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problem_responses(403, 404, 409, 422))
async def create_finetuning_job(
    unit: Writes,
    training: Training,
    body: FinetuningJobCreate,
    base_dir: Annotated[
        str | None,
        Query(max_length=4096, description="Folder that relative paths in the recipe start from (local mode)."),
    ] = None,
) -> FinetuningJobResponse:
    """Start a fine-tuning run from a recipe, or from the short form."""
    folder = FilePath(base_dir) if base_dir and "\x00" not in base_dir else None
    return await training.start(unit, body.root, base_dir=folder)


@router.get("", responses=problem_responses(422))
async def list_finetuning_jobs(
    unit: Reads,
    training: Training,
    page: Annotated[PageRequest, paging()],
    status: Annotated[FinetuningStatus | None, Query(description="Only jobs with this status.")] = None,
) -> FinetuningJobListResponse:
    """List fine-tuning jobs, newest first."""
    return await training.list_jobs(unit, page, status=status)


@router.get("/{id}", responses=problem_responses(404, 422))
async def get_finetuning_job(unit: Reads, training: Training, job_id: JobId) -> FinetuningJobResponse:
    """Get one fine-tuning job."""
    return await training.get(unit, job_id)


@router.post("/{id}/stop", responses=problem_responses(404, 409, 422))
async def stop_finetuning_job(unit: Writes, training: Training, job_id: JobId) -> FinetuningJobResponse:
    """Stop the run: it saves a checkpoint first, and can be resumed."""
    return await training.stop(unit, job_id)


@router.post("/{id}/resume", responses=problem_responses(404, 409, 422))
async def resume_finetuning_job(
    unit: Writes, training: Training, job_id: JobId, body: Annotated[ResumeRequest | None, Body()] = None
) -> FinetuningJobResponse:
    """Go on with a stopped or failed run from its newest checkpoint that verifies, or from the one named."""
    return await training.resume(unit, job_id, body.checkpoint_id if body else None)


@router.get("/{id}/logs", responses=problem_responses(404, 422))
async def get_finetuning_job_logs(
    unit: Reads,
    training: Training,
    job_id: JobId,
    tail: Annotated[int, Query(ge=1, le=10_000, description="How many of the newest lines.")] = 200,
    after: Annotated[int | None, Query(ge=0, le=ID_MAX, description="Instead: the lines after this offset.")] = None,
) -> JobLogsResponse:
    """Read the log of a run."""
    return await training.list_logs(unit, job_id, tail=None if after is not None else tail, after_offset=after or 0)


@router.get("/{id}/metrics", responses=problem_responses(404, 422))
async def get_finetuning_job_metrics(
    unit: Reads,
    training: Training,
    job_id: JobId,
    names: Annotated[str | None, Query(max_length=500, description="Curves, separated by commas; empty: all.")] = None,
    from_step: Annotated[int, Query(ge=0, le=ID_MAX, description="Only points from this step on.")] = 0,
    max_points: Annotated[int, Query(ge=2, le=10_000, description="At most this many, evenly chosen.")] = 1000,
) -> JobMetricsResponse:
    """Read the curves of a run, each step once."""
    wanted = [name.strip() for name in names.split(",") if name.strip()] if names else None
    return await training.metrics(unit, job_id, names=wanted, from_step=from_step, max_points=max_points)


@router.get("/{id}/checkpoints", responses=problem_responses(404, 422))
async def list_finetuning_job_checkpoints(
    unit: Reads, training: Training, page: Annotated[PageRequest, paging()], job_id: JobId
) -> CheckpointListResponse:
    """List the checkpoints of a run, by step."""
    return await training.list_checkpoints(unit, job_id, page)


@recipes.get("/schema", response_model=None)
async def get_recipe_schema(unit: Reads) -> dict[str, Any]:
    """The JSON Schema of a recipe; forms are rendered from it."""
    return Recipe.model_json_schema(by_alias=True)


@recipes.get("/presets")
async def list_recipe_presets(unit: Reads) -> RecipePresetListResponse:
    """The recipes that come with the program."""
    return RecipePresetListResponse(items=list_presets())


@recipes.post("/validate", responses=problem_responses(422))
async def validate_recipe_text(unit: Checks, body: RecipeValidationRequest) -> RecipeValidationResponse:
    """Look at a recipe without starting anything: every fault with its line, or the recipe with its defaults."""
    try:
        recipe = validate_recipe(body.recipe) if body.recipe is not None else read_recipe(body.yaml or "")
    except RecipeError as error:
        faults = error.errors or [{"location": "", "message": error.message}]
        return RecipeValidationResponse(
            valid=False, errors=[RecipeFault.model_validate(fault) for fault in faults], recipe=None, yaml=None
        )
    return RecipeValidationResponse(valid=True, errors=[], recipe=recipe.to_plain(), yaml=write_recipe(recipe))
