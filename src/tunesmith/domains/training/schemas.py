"""What fine-tuning looks like from outside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.kit.paging import Page
from tunesmith.wire.foreign import Carried, LeftOut
from tunesmith.wire.recipe_text import FaultReason

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


class FinetuningStatus(StrEnum):
    """The states of a fine-tuning job outward; ``mirror.py`` maps the job table's words to them, and nothing else does."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


class RunFigures(BaseModel):
    """The figures of a run that has ended."""

    steps: int = Field(description="Optimizer updates.")
    final_loss: float | None = Field(None, description="Mean training loss over the last tenth of the updates.")
    eval_loss: float | None = Field(None, description="Evaluation loss of the weights that came of it.")
    measures: dict[str, float] = Field(
        default_factory=dict,
        description="What the objective measures on the validation data besides the loss: accuracy, margin, reward …",
    )
    trained_tokens: int = Field(0, description="Labels that carried loss, over all updates.")
    tokens_per_second: float | None = Field(None, description="Tokens without padding, a second.")
    weights_sha256: str | None = Field(None, description="SHA-256 over the trained tensors.")
    resumed: bool = Field(False, description="Whether the run went on from a checkpoint.")
    repaired: bool = Field(False, description="Whether the recipe was repaired on the way.")
    repairs: list[str] = Field(default_factory=list, description="What was changed so that it fits into memory.")


class CheckpointResponse(BaseModel):
    """A checkpoint of a fine-tuning job."""

    id: int = Field(description="Id of the checkpoint.")
    job_id: int = Field(description="Job that wrote it.")
    attempt: int = Field(description="Start of the child process that wrote it.")
    step: int = Field(description="Optimizer updates done.")
    epoch: float | None = Field(description="Passes over the data.")
    metrics: dict[str, float] = Field(
        description="loss, and when it was measured eval_loss and what the objective measures besides."
    )
    size_bytes: int = Field(description="Size of all its files.")
    path: str = Field(description="Folder, from the job's folder.")
    is_best: bool = Field(description="Whether it is the best so far by metric_for_best.")
    is_kept: bool = Field(False, description="Whether somebody keeps it: it stays when newer ones come.")
    verified: bool = Field(True, description="Whether it verified when it was last looked at.")
    created_at: datetime = Field(description="When it was complete.")


class CheckpointListResponse(Page[CheckpointResponse]):
    """A page of checkpoints, by step."""


class GraphStep(BaseModel):
    """One job of a run."""

    job_id: int = Field(description="Id of the job.")
    kind: str = Field(description="What it does: split, train, evaluate, register or export.")
    name: str = Field(description="Name that people see.")
    state: str = Field(description="Where the job is in its life, in the job table's words.")


class TrackingState(StrEnum):
    """How a tracker stands to a run."""

    WAITING = "waiting"
    MIRRORED = "mirrored"
    AWAY = "away"
    GIVEN_UP = "given-up"


class RunTracking(BaseModel):
    """How far a run is mirrored to a tracker."""

    tracker: str = Field(description="`mlflow` or `wandb`.")
    state: TrackingState = Field(
        description="`waiting` for its next delivery, `mirrored`, `away` (delivered later), or `given-up` after refusals."
    )
    run_id: str | None = Field(description="Its id there.")
    url: str | None = Field(description="Its page there.")
    points: int = Field(description="Points that were delivered.")
    skipped_points: int = Field(
        description="Points that were not, because too many waited; they are in our own metrics."
    )
    message: str | None = Field(description="What stands in the way.")
    delivered_at: datetime | None = Field(description="When something was delivered last.")


class FinetuningJobResponse(BaseModel):
    """A fine-tuning job."""

    id: int = Field(description="Id of the job.")
    job_name: str = Field(description="Name that people see.")
    base_model: str = Field(description="Base model, as the recipe names it.")
    dataset_id: int | None = Field(description="Dataset that it trains on; null until a split has made it.")
    method: str = Field(
        description="How it trains: the adapter of a supervised run, else the objective.", examples=["lora", "dpo"]
    )
    hyperparameters: dict[str, Any] = Field(description="The settings of the run, flat, in one spelling.")
    recipe: dict[str, Any] = Field(description="The recipe.")
    status: FinetuningStatus = Field(description="Where the job is in its life.")
    progress: float = Field(description="Share done, 0 to 1.")
    current_step: int = Field(description="Optimizer updates done.")
    total_steps: int | None = Field(description="Optimizer updates in all, when known.")
    eta_seconds: float | None = Field(description="Estimated seconds until the end, when known.")
    message: str | None = Field(description="What is being done.")
    queue_position: int | None = Field(
        None, description="Place in the queue of what runs next of it, from 1; null when nothing of it is in the queue."
    )
    priority: int = Field(0, description="Higher starts sooner.")
    device: str | None = Field(None, description="Machine and device that it runs (or ran last) on.")
    best_checkpoint: int | None = Field(description="Id of the best checkpoint.")
    mlflow_run_id: str | None = Field(description="Run in MLflow, when one is configured.")
    tracking: list[RunTracking] = Field(description="Trackers that mirror this run; empty when none is configured.")
    error_type: str | None = Field(description="Where the cause of a failure lies.", examples=["GPU_ERROR"])
    error_code: str | None = Field(description="Stable slug of the error.")
    error_message: str | None = Field(description="What was wrong.")
    hint: str | None = Field(description="What to do about it.")
    resumed: bool = Field(description="Whether it went on from a checkpoint.")
    figures: RunFigures | None = Field(description="The figures of the run, once it has ended.")
    graph: list[GraphStep] = Field(description="The jobs of this run, in their order.")
    links: dict[str, str] = Field(description="Where to look: self, events, logs, metrics, checkpoints.")
    warnings: list[str] = Field(description="What is worth knowing and stopped nothing.")
    created_by: int = Field(description="Person who started it.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it last changed.")
    started_at: datetime | None = Field(description="When it was started.")
    completed_at: datetime | None = Field(description="When it ended.")


class FinetuningJobListResponse(Page[FinetuningJobResponse]):
    """A page of fine-tuning jobs, newest first."""


class ResumeRequest(BaseModel):
    """From where to go on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}, {"checkpoint_id": 3}]})
    checkpoint_id: Id | None = Field(
        None, description="Checkpoint to go on from; empty takes the newest that verifies."
    )


class TrainingMetrics(BaseModel):
    """The curves at one step."""

    step: int = Field(description="Optimizer updates done.")
    epoch: float | None = Field(description="Passes over the data.")
    loss: float | None = Field(description="Training loss.")
    eval_loss: float | None = Field(description="Evaluation loss, where it was measured.")
    learning_rate: float | None = Field(description="Learning rate.")
    grad_norm: float | None = Field(description="Norm of the gradient before clipping.")
    tokens_per_second: float | None = Field(description="Tokens without padding, a second.")
    memory_gb: float | None = Field(description="Memory in use, in 10⁹ bytes.")
    figures: dict[str, float] = Field(
        default_factory=dict,
        description="What the objective measures besides: accuracy, margin, reward, kl, and the same with `eval_` before it.",
    )
    gpu: dict[str, float] | None = Field(None, description="Figures of the GPU, where there is one.")
    timestamp: datetime = Field(description="When it was measured.")


class JobMetricsResponse(BaseModel):
    """The curves of a job, each step once."""

    job_id: int = Field(description="Id of the job.")
    names: list[str] = Field(description="Curves that are filled in.")
    total: int = Field(description="Points there are from from_step on.")
    points: list[TrainingMetrics] = Field(description="At most max_points of them, by step.")


class SampleView(BaseModel):
    """Something that the model said during the run."""

    offset: int = Field(description="Offset of the event.")
    step: int = Field(description="Optimizer updates done then.")
    prompt: str = Field(description="What it was asked.")
    answer: str = Field(description="What it said.")
    at: datetime = Field(description="When it said it.")


class JobSamplesResponse(BaseModel):
    """What the model said during the run, oldest first."""

    job_id: int = Field(description="Id of the job.")
    samples: list[SampleView] = Field(description="The samples.")


class CapabilityState(StrEnum):
    """What is known of a way to train."""

    WORKS = "works"
    FAILS = "fails"
    UNTRIED = "untried"


class CapabilityCell(BaseModel):
    """One way to train on one kind of device."""

    objective: str = Field(description="What is optimised.", examples=["dpo"])
    adapter: str = Field(description="Which weights are trained.", examples=["qlora"])
    device: str = Field(description="cpu, cuda or mps.")
    engine: str = Field(description="Engine that trains.")
    strategy: str = Field("", description="How several processes share the run: `ddp`, `fsdp`; empty for one process.")
    processes: int = Field(1, description="Processes of the run.")
    state: CapabilityState = Field(description="`works` only from a recorded run; `fails`; `untried`.")
    reason: str = Field("", description="Why it does not work, or is not known to.")
    alternative: str = Field("", description="The nearest thing that works, or how to find out.")
    recorded_at: datetime | None = Field(None, description="When the run was recorded.")
    device_name: str = Field("", description="The device of the run.")
    versions: dict[str, str] = Field(default_factory=dict, description="Versions of the libraries of the run.")
    steps: int = Field(0, description="Updates of the run.")
    seconds: float = Field(0.0, description="How long the run took, loading included.")
    weights_sha256: str = Field("", description="Of what the run trained.")
    loss_difference: float | None = Field(
        None, description="Several processes: the largest difference of an update's loss from that of one."
    )


class CapabilityMatrix(BaseModel):
    """Objective by adapter by device by engine."""

    cells: list[CapabilityCell] = Field(description="Every cell.")


class RecipePreset(BaseModel):
    """A recipe to start from."""

    name: str = Field(description="Name of the preset.")
    title: str = Field(description="Name that people see.")
    description: str = Field(description="What it is for.")
    yaml: str = Field(description="The file as it is.")
    recipe: dict[str, Any] = Field(description="The recipe in it, with its defaults.")


class RecipePresetListResponse(BaseModel):
    """All presets."""

    items: list[RecipePreset] = Field(description="The presets, by name.")


class RecipeValidationRequest(BaseModel):
    """A recipe to look at: its text, or its values."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"yaml": "name: first\n…"}]})
    yaml: str | None = Field(None, max_length=1 << 20, description="The recipe as YAML or JSON text.")
    recipe: dict[str, Any] | None = Field(None, description="The recipe as values.")


class RecipeFault(BaseModel):
    """Something that is wrong in a recipe."""

    location: str = Field(description="Key, as a dotted path; empty for the whole.")
    message: str = Field(description="What is wrong with it.")
    reason: FaultReason = Field("invalid", description="Kind of fault.")
    allowed: str | None = Field(None, description="Bounds or choices of the value.", examples=["≥ 1"])
    value: Any = Field(None, description="What was given.")
    line: int | None = Field(None, description="Line in the text.")
    column: int | None = Field(None, description="Column in the text.")


class ForeignProgram(StrEnum):
    """A program whose recipes are read."""

    AUTO = "auto"
    AXOLOTL = "axolotl"
    LLAMAFACTORY = "llamafactory"


class RecipeImportRequest(BaseModel):
    """A recipe of another program."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [{"yaml": "base_model: tunesmith/tiny\nadapter: lora\ndatasets:\n  - path: rows.jsonl\n"}]
        },
    )
    yaml: str = Field(max_length=1 << 20, description="The file as text (YAML or JSON).")
    program: ForeignProgram = Field(
        ForeignProgram.AUTO, alias="from", description="Whose file it is; `auto` looks at its keys."
    )
    name: str = Field(
        "imported", min_length=1, max_length=200, description="Name of the recipe when the file has none."
    )


class RecipeImportResponse(BaseModel):
    """The recipe that came of it. Each key of the file stands in `carried` or in `left_out`."""

    program: ForeignProgram = Field(description="Whose file it is.")
    valid: bool = Field(description="Whether a run could be made of the recipe as it is.")
    errors: list[RecipeFault] = Field(description="What is still wrong with it.")
    recipe: dict[str, Any] = Field(description="The recipe.")
    yaml: str = Field(description="The same as YAML.")
    carried: list[Carried] = Field(description="Keys that were carried over.")
    left_out: list[LeftOut] = Field(description="Keys that were not, each with the reason.")


class RecipeExportRequest(BaseModel):
    """A recipe for another program."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"yaml": "name: first\n…", "custom": {"lora_qkv_kernel": True}}]},
    )
    yaml: str | None = Field(None, max_length=1 << 20, description="The recipe as YAML or JSON text.")
    recipe: dict[str, Any] | None = Field(None, description="The recipe as values.")
    to: Literal["axolotl"] = Field("axolotl", description="The program.")
    custom: dict[str, Any] = Field(
        default_factory=dict, description="Keys of that program that stand above what the recipe says."
    )


class RecipeExportResponse(BaseModel):
    """The recipe in the other program's words."""

    to: Literal["axolotl"] = Field(description="The program.")
    version: str = Field(description="Version of it whose keys these are.")
    config: dict[str, Any] = Field(description="The configuration.")
    yaml: str = Field(description="The same as YAML.")


class RecipeValidationResponse(BaseModel):
    """What was found, and the recipe with its defaults filled in when nothing was."""

    valid: bool = Field(description="Whether a run could be made of it.")
    errors: list[RecipeFault] = Field(description="Every fault, located.")
    recipe: dict[str, Any] | None = Field(description="The recipe with its defaults.")
    yaml: str | None = Field(description="The same as YAML.")
