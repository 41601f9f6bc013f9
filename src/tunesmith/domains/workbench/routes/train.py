"""`/train/…`: the current run of one person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from tunesmith.db import Access
from tunesmith.domains.evaluation import EvaluationResponse
from tunesmith.domains.export import PushRequest, PushResult, PushService
from tunesmith.domains.jobs import JobView
from tunesmith.domains.training import ModelSaver, SavedModel
from tunesmith.domains.workbench.schemas.train import (
    EvaluateRunRequest,
    LoraConfigRequest,
    PrepareDatasetRequest,
    PreparedDataset,
    QloraConfigRequest,
    SaveRequest,
    StartRequest,
    TrainingArgsRequest,
    TrainingConfiguration,
    TrainingHealth,
    TrainingHistory,
    TrainingStarted,
    TrainingStatus,
)
from tunesmith.domains.workbench.service.train import TrainBench
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    Accepted,
    Wait,
    accepted,
    allow,
    paging,
    problem_responses,
    provide,
    result_or_accepted,
)

router = APIRouter(prefix="/train", tags=["workbench: training"])
Bench = Annotated[TrainBench, provide(TrainBench)]
Reader = Annotated[Access, allow(Permission.READ)]
Trainer = Annotated[Access, allow(Permission.TRAIN)]
ANSWERS: dict[int | str, dict[str, Any]] = {202: {"model": Accepted}, **problem_responses(403, 404, 409, 422)}


@router.post("/prepare-dataset", response_model=PreparedDataset, responses=ANSWERS)
async def prepare_current_dataset(
    access: Trainer, bench: Bench, body: PrepareDatasetRequest | None = None, wait: Wait = 30
) -> PreparedDataset | JSONResponse:
    """Tokenise and template the current dataset: rendered rows, token by token, with which tokens carry loss."""
    found = await bench.prepare_dataset(access, body or PrepareDatasetRequest(), wait)
    return accepted(found.id, found.state) if isinstance(found, JobView) else found


@router.post("/config-lora", responses=problem_responses(403, 422))
async def configure_lora(access: Trainer, bench: Bench, body: LoraConfigRequest | None = None) -> TrainingConfiguration:
    """Train a LoRA adapter next: rank, alpha, dropout, target modules, rsLoRA, DoRA."""
    return await bench.configure(access, body or LoraConfigRequest())


@router.post("/config-qlora", responses=problem_responses(403, 422))
async def configure_qlora(
    access: Trainer, bench: Bench, body: QloraConfigRequest | None = None
) -> TrainingConfiguration:
    """Train a LoRA adapter beside a model in four bits next: the same, and how the base is quantised."""
    return await bench.configure(access, body or QloraConfigRequest())


@router.post("/config-training-args", responses=problem_responses(403, 422))
async def configure_training_args(
    access: Trainer, bench: Bench, body: TrainingArgsRequest | None = None
) -> TrainingConfiguration:
    """Set how long, how fast and in what portions to train; `method: full` selects full fine-tuning."""
    return await bench.configure(access, body or TrainingArgsRequest())


@router.post("/start", status_code=202, responses=problem_responses(403, 404, 409, 422))
async def start_training(access: Trainer, bench: Bench, body: StartRequest | None = None) -> TrainingStarted:
    """Queue a run with the current model, the current dataset and what is configured; 409 while one of yours goes on."""
    return await bench.start(access, body or StartRequest())


@router.get("/status")
async def get_training_status(access: Reader, bench: Bench) -> TrainingStatus:
    """The run that was started last: state, step, loss, learning rate, speed, memory, remaining time, last log lines."""
    return await bench.status(access)


@router.get("/history", responses=problem_responses(422))
async def get_training_history(
    access: Reader,
    bench: Bench,
    page: Annotated[PageRequest, paging()],
    max_points: Annotated[int, Query(ge=2, le=1000, description="At most this many points of each run.")] = 100,
) -> TrainingHistory:
    """Your runs, newest first, with their curves."""
    return await bench.history(access, page, max_points)


@router.post("/save", response_model=SavedModel | PushResult, responses={**ANSWERS, **problem_responses(401, 403, 503)})
async def save_trained_model(
    access: Trainer,
    bench: Bench,
    saver: Annotated[ModelSaver, provide(ModelSaver)],
    pushing: Annotated[PushService, provide(PushService)],
    body: SaveRequest | None = None,
    wait: Wait = 30,
) -> Any:
    """Keep the adapter of a run, or its base with the adapter merged in, in a folder of the server's machine; or push it to the Hub."""
    asked = body or SaveRequest()
    async with access.write("train.save", resource=f"job:{asked.job_id or 'current'}") as unit:
        run_id = await bench.run_to_save(unit, asked.job_id)
        if asked.format == "hub":
            assert asked.repo_id is not None  # the request was checked
            pushed = PushRequest(
                model=f"run:{run_id}", repo_id=asked.repo_id, private=asked.private, access_token=asked.access_token
            )
            job = await pushing.start(unit, pushed, None)
        else:
            job = await saver.start(unit, run_id, asked.format, asked.path, overwrite=asked.overwrite)
    return await result_or_accepted(bench.jobs, access, job, wait)


@router.post("/evaluate", response_model=EvaluationResponse, responses=ANSWERS)
async def evaluate_trained_model(
    access: Trainer, bench: Bench, body: EvaluateRunRequest | None = None, wait: Wait = 30
) -> Any:
    """Loss and perplexity of a run on held-out rows, beside the untuned base."""
    job = await bench.evaluate(access, body or EvaluateRunRequest())
    return await result_or_accepted(bench.jobs, access, job, wait)


@router.get("/health")
async def get_training_health(access: Reader, bench: Bench) -> TrainingHealth:
    """Whether training is possible here, what is going on, and what is configured for the next run."""
    return await bench.health(access)
