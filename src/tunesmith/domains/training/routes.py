"""Fine-tuning jobs and recipes over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Response
from fastapi.responses import JSONResponse

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import JobLogsResponse, JobService, Priority, border, follow_events
from tunesmith.domains.training.capabilities import capability_matrix
from tunesmith.domains.training.exchange import export_recipe, import_recipe
from tunesmith.domains.training.forecasting import ForecastResponse
from tunesmith.domains.training.presets import list_presets
from tunesmith.domains.training.recipe_book import RecipeBook
from tunesmith.domains.training.recipe_views import (
    RecipeCreate,
    RecipeDiffResponse,
    RecipeListResponse,
    RecipeResponse,
    RecipeRunRequest,
    RecipeUpdate,
)
from tunesmith.domains.training.repository import JobFilter
from tunesmith.domains.training.schemas import (
    CapabilityMatrix,
    CheckpointListResponse,
    CheckpointResponse,
    FinetuningJobListResponse,
    FinetuningJobResponse,
    FinetuningStatus,
    JobMetricsResponse,
    JobSamplesResponse,
    RecipeExportRequest,
    RecipeExportResponse,
    RecipeFault,
    RecipeImportRequest,
    RecipeImportResponse,
    RecipePresetListResponse,
    RecipeValidationRequest,
    RecipeValidationResponse,
    ResumeRequest,
)
from tunesmith.domains.training.service import TrainingService
from tunesmith.domains.training.short_form import FinetuningJobCreate
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    ID_MAX,
    Accepted,
    Wait,
    allow,
    event_stream,
    paging,
    problem_responses,
    provide,
    reading,
    result_or_accepted,
    writing,
)
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError, read_recipe, validate_recipe, write_recipe

router = APIRouter(prefix="/api/v1/admin/finetuning/jobs", tags=["fine-tuning"])
recipes = APIRouter(prefix="/api/v1/admin/recipes", tags=["recipes"])

Reads = Annotated[Unit, reading(Permission.READ)]
Writes = Annotated[Unit, writing(Permission.TRAIN)]
Checks = Annotated[Unit, reading(Permission.TRAIN)]
Watches = Annotated[Access, allow(Permission.READ)]
Training = Annotated[TrainingService, provide(TrainingService)]
Book = Annotated[RecipeBook, provide(RecipeBook)]
RecipeId = Annotated[int, Path(alias="id", ge=1, le=ID_MAX, description="Id of the recipe.")]
JobId = Annotated[int, Path(alias="id", ge=1, le=ID_MAX, description="Id of the job.")]


@router.post("", status_code=201, responses=problem_responses(403, 404, 409, 422))
async def create_finetuning_job(
    unit: Writes,
    training: Training,
    body: FinetuningJobCreate,
    base_dir: Annotated[
        str | None,
        Query(max_length=4096, description="Folder that relative paths in the recipe start from (local mode)."),
    ] = None,
    priority: Annotated[Priority, Query(description="Higher starts sooner; 0 is usual.")] = 0,
) -> FinetuningJobResponse:
    """Start a fine-tuning run from a recipe, or from the short form."""
    folder = FilePath(base_dir) if base_dir and "\x00" not in base_dir else None
    return await training.start(unit, body.root, base_dir=folder, priority=priority)


@router.post(
    "/preflight",
    response_model=ForecastResponse,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)},
)
async def forecast_finetuning_job(
    access: Annotated[Access, allow(Permission.TRAIN)],
    training: Training,
    body: FinetuningJobCreate,
    base_dir: Annotated[
        str | None,
        Query(max_length=4096, description="Folder that relative paths in the recipe start from (local mode)."),
    ] = None,
    wait: Wait = 2,
) -> dict[str, Any] | JSONResponse:
    """Rehearse a run without starting it: memory, time, tokens, and every problem with what to do about it."""
    folder = FilePath(base_dir) if base_dir and "\x00" not in base_dir else None
    async with access.write("finetuning.preflight") as unit:
        job = await training.forecast(unit, body.root, base_dir=folder)
    return await result_or_accepted(training.jobs, access, job, wait)


@router.get("", responses=problem_responses(422))
async def list_finetuning_jobs(
    unit: Reads,
    training: Training,
    page: Annotated[PageRequest, paging()],
    status: Annotated[FinetuningStatus | None, Query(description="Only jobs with this status.")] = None,
    search: Annotated[str | None, Query(max_length=200, description="Only jobs with this in their name.")] = None,
    base_model: Annotated[str | None, Query(max_length=1024, description="Only jobs from this base model.")] = None,
    method: Annotated[str | None, Query(max_length=20, description="Only jobs with this adapter or `full`.")] = None,
    dataset_id: Annotated[int | None, Query(ge=1, le=ID_MAX, description="Only jobs on this dataset.")] = None,
    sort: Annotated[str, Query(max_length=40, description="Column, `-` before it for the reverse.")] = "-id",
) -> FinetuningJobListResponse:
    """List fine-tuning jobs, newest first unless `sort` says otherwise."""
    wanted = JobFilter(
        status=status, search=search, base_model=base_model, method=method, dataset_id=dataset_id, sort=sort
    )
    return await training.list_jobs(unit, page, wanted)


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


@router.delete("/{id}", status_code=204, responses=problem_responses(404, 409, 422))
async def delete_finetuning_job(unit: Writes, training: Training, job_id: JobId) -> None:
    """Delete a run with its checkpoints and files; 409 while anything of it runs. Registered versions stay as they are."""
    await training.delete(unit, job_id)


@router.get(
    "/{id}/logs",
    response_model=JobLogsResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **problem_responses(404, 422)},
)
async def get_finetuning_job_logs(
    access: Watches,
    training: Training,
    job_id: JobId,
    tail: Annotated[int, Query(ge=1, le=10_000, description="How many of the newest lines.")] = 200,
    after: Annotated[int | None, Query(ge=0, le=ID_MAX, description="Instead: the lines after this offset.")] = None,
    before: Annotated[
        int | None, Query(ge=0, le=ID_MAX, description="Only lines before this offset, to page backwards.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="At most this many lines after `after`.")] = 1000,
    follow: Annotated[bool, Query(description="Stream lines as server-sent events until the job has ended.")] = False,
    last_event_id: Annotated[int | None, Header(ge=0, le=ID_MAX, description="Sent by what reconnects.")] = None,
) -> JobLogsResponse | Response:
    """Read the log of a run: the newest lines, a range of them, or what comes from now on (`follow`).

    Following begins with the last `tail` lines, or after `after` or `Last-Event-ID`; `id` of each event is the line's offset.
    """
    start = last_event_id if last_event_id is not None else after
    async with access.read() as unit:
        found = await training.list_logs(
            unit,
            job_id,
            tail=tail if start is None else None,
            after_offset=start or 0,
            before_offset=before,
            limit=limit,
        )
    if not follow:
        return found
    offset = start if start is not None else found.lines[0].offset - 1 if found.lines else 0
    return event_stream(_log_lines(training.jobs, access, job_id, offset))


async def _log_lines(
    jobs: JobService, access: Access, job_id: int, offset: int
) -> AsyncIterator[list[tuple[int, str, dict[str, Any]]] | None]:
    async for events in follow_events(jobs, access, job_id, offset, types=("log",)):
        yield None if events is None else [(event.offset, event.type, border(event)) for event in events]


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


@router.get("/{id}/samples", responses=problem_responses(404, 422))
async def list_finetuning_job_samples(unit: Reads, training: Training, job_id: JobId) -> JobSamplesResponse:
    """What the model said during the run, oldest first; empty when the recipe asks for no samples."""
    return await training.list_samples(unit, job_id)


@router.get("/{id}/checkpoints", responses=problem_responses(404, 422))
async def list_finetuning_job_checkpoints(
    unit: Reads, training: Training, page: Annotated[PageRequest, paging()], job_id: JobId
) -> CheckpointListResponse:
    """List the checkpoints of a run, by step."""
    return await training.list_checkpoints(unit, job_id, page)


CheckpointId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the checkpoint.")]


@router.post("/{id}/checkpoints/{checkpoint_id}/verify", responses=problem_responses(404, 422))
async def verify_finetuning_job_checkpoint(
    unit: Writes, training: Training, job_id: JobId, checkpoint_id: CheckpointId
) -> CheckpointResponse:
    """Read every file of a checkpoint and hold it against its manifest; `verified` says what came of it."""
    return await training.verify_checkpoint(unit, job_id, checkpoint_id)


@router.post("/{id}/checkpoints/{checkpoint_id}/keep", responses=problem_responses(404, 409, 422))
async def keep_finetuning_job_checkpoint(
    unit: Writes, training: Training, job_id: JobId, checkpoint_id: CheckpointId
) -> CheckpointResponse:
    """Keep a checkpoint, however many newer ones come. Keeping it twice changes nothing."""
    return await training.keep_checkpoint(unit, job_id, checkpoint_id)


@router.delete(
    "/{id}/checkpoints/{checkpoint_id}",
    status_code=204,
    responses=problem_responses(404, 409, 422),
)
async def delete_finetuning_job_checkpoint(
    unit: Writes, training: Training, job_id: JobId, checkpoint_id: CheckpointId
) -> None:
    """Delete a checkpoint of a run that has ended."""
    await training.delete_checkpoint(unit, job_id, checkpoint_id)


@recipes.get("/schema", response_model=None)
async def get_recipe_schema(unit: Reads) -> dict[str, Any]:
    """The JSON Schema of a recipe; forms are rendered from it."""
    return Recipe.model_json_schema(by_alias=True)


@recipes.get("/capabilities")
async def list_capabilities(unit: Reads) -> CapabilityMatrix:
    """Which methods work with which adapter on which device, from recorded runs; for the others why not, and what does."""
    return capability_matrix()


@recipes.get("/presets")
async def list_recipe_presets(unit: Reads) -> RecipePresetListResponse:
    """The recipes that come with the program."""
    return RecipePresetListResponse(items=list_presets())


@recipes.post("/validate", responses=problem_responses(422))
async def validate_recipe_text(
    unit: Checks, training: Training, body: RecipeValidationRequest
) -> RecipeValidationResponse:
    """Look at a recipe without starting anything: every fault with its line, or the recipe with its defaults."""
    try:
        recipe = validate_recipe(body.recipe) if body.recipe is not None else read_recipe(body.yaml or "")
    except RecipeError as error:
        faults = error.errors or [{"location": "", "message": error.message}]
        return RecipeValidationResponse(
            valid=False, errors=[RecipeFault.model_validate(fault) for fault in faults], recipe=None, yaml=None
        )
    problems = training.known_problems(recipe)
    if problems:
        known = [RecipeFault(location=p.location, message=f"{p.message} {p.hint}", value=p.value) for p in problems]
        return RecipeValidationResponse(valid=False, errors=known, recipe=None, yaml=None)
    return RecipeValidationResponse(valid=True, errors=[], recipe=recipe.to_plain(), yaml=write_recipe(recipe))


@recipes.post("/import", responses=problem_responses(422))
async def import_foreign_recipe(unit: Checks, body: RecipeImportRequest) -> RecipeImportResponse:
    """Read a recipe of Axolotl or LLaMA-Factory: what was carried over, and what was not and why. Nothing is started."""
    return import_recipe(body)


@recipes.post("/export", responses=problem_responses(422))
async def export_foreign_recipe(unit: Checks, body: RecipeExportRequest) -> RecipeExportResponse:
    """Write a recipe as a configuration of Axolotl."""
    return export_recipe(body)


@recipes.get("", responses=problem_responses(422))
async def list_recipes(
    unit: Reads,
    book: Book,
    page: Annotated[PageRequest, paging()],
    search: Annotated[str | None, Query(max_length=200, description="Only recipes with this in their name.")] = None,
) -> RecipeListResponse:
    """List saved recipes, newest first; those that come with the program are under `/presets`."""
    return await book.list_recipes(unit, page, search=search)


@recipes.post("", status_code=201, responses=problem_responses(403, 409, 422))
async def save_recipe(unit: Writes, book: Book, body: RecipeCreate) -> RecipeResponse:
    """Keep a recipe for another time; it has to be valid."""
    return await book.add(unit, body)


@recipes.get("/{id}", responses=problem_responses(404, 422))
async def get_recipe(unit: Reads, book: Book, recipe_id: RecipeId) -> RecipeResponse:
    """Get a saved recipe, as values and as YAML."""
    return await book.get(unit, recipe_id)


@recipes.patch("/{id}", responses=problem_responses(403, 404, 409, 422))
async def change_recipe(unit: Writes, book: Book, recipe_id: RecipeId, body: RecipeUpdate) -> RecipeResponse:
    """Change a saved recipe; what is left out stays."""
    return await book.change(unit, recipe_id, body)


@recipes.delete("/{id}", status_code=204, responses=problem_responses(403, 404, 422))
async def delete_recipe(unit: Writes, book: Book, recipe_id: RecipeId) -> None:
    """Forget a saved recipe; runs that were made of it keep their own copy."""
    await book.delete(unit, recipe_id)


@recipes.post("/{id}/run", status_code=201, responses=problem_responses(403, 404, 409, 422))
async def run_recipe(
    unit: Writes,
    book: Book,
    training: Training,
    recipe_id: RecipeId,
    body: Annotated[RecipeRunRequest | None, Body()] = None,
    priority: Annotated[Priority, Query(description="Higher starts sooner; 0 is usual.")] = 0,
) -> FinetuningJobResponse:
    """Start a run of a saved recipe, with changes for this one run."""
    recipe = await book.prepared(unit, recipe_id, body.overrides if body else [])
    return await training.start(unit, recipe, priority=priority)


@recipes.get("/{id}/diff/{other}", responses=problem_responses(404, 422))
async def compare_recipes(
    unit: Reads,
    book: Book,
    recipe_id: RecipeId,
    other: Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the other recipe.")],
) -> RecipeDiffResponse:
    """Where two saved recipes differ, key by key."""
    return await book.diff(unit, recipe_id, other)
