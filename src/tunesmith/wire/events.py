"""What a child process tells: one JSON object a line in ``events.jsonl``, a tagged union on ``type``."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")
    at: float = Field(default_factory=time.time, description="Unix time in seconds.")


class Progress(_Event):
    """How far the work is."""

    type: Literal["progress"] = "progress"
    step: int = Field(0, description="Units done.")
    total_steps: int | None = Field(None, description="Units in all.")
    eta_seconds: float | None = Field(None, description="Estimated seconds until the end.")
    message: str | None = Field(None, description="What is being done.")


class Metric(_Event):
    """A point on the curves."""

    type: Literal["metric"] = "metric"
    step: int = Field(description="Optimizer updates done.")
    epoch: float | None = Field(None, description="Passes over the data.")
    values: dict[str, float] = Field(
        description="loss, eval_loss, learning_rate, grad_norm, tokens_per_second, memory_gb …"
    )


class LogLine(_Event):
    """A line for people."""

    type: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"] = "info"
    message: str


class CheckpointSaved(_Event):
    """A checkpoint is complete on disk and verified."""

    type: Literal["checkpoint"] = "checkpoint"
    step: int
    epoch: float | None = None
    path: str = Field(description="Folder, relative to the attempt's folder.")
    size_bytes: int = 0
    metrics: dict[str, float] = Field(default_factory=dict)
    is_best: bool = False
    removed: list[str] = Field(
        default_factory=list, description="Older checkpoints removed after it, relative like path."
    )


class Sample(_Event):
    """Something the model said during the run."""

    type: Literal["sample"] = "sample"
    step: int = 0
    prompt: str
    answer: str


class Finished(_Event):
    """The work is done; ``stopped`` when it ended early on request, with a checkpoint."""

    type: Literal["finished"] = "finished"
    result: dict[str, Any] = Field(default_factory=dict)
    stopped: bool = False


class Failed(_Event):
    """The work cannot go on."""

    type: Literal["failed"] = "failed"
    error_type: str = Field(
        "UNKNOWN_ERROR",
        description="GPU_ERROR, DATASET_ERROR, CONFIGURATION_ERROR, CHECKPOINT_ERROR, ENGINE_ERROR, NETWORK_ERROR, "
        "DISK_ERROR or UNKNOWN_ERROR.",
    )
    code: str = Field("training", description="Slug of the error.")
    message: str = ""
    hint: str = ""
    reason: str | None = None
    retryable: bool = Field(False, description="Whether starting again from the last checkpoint may help.")


Event = Annotated[
    Progress | Metric | LogLine | CheckpointSaved | Sample | Finished | Failed, Field(discriminator="type")
]

event_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(line: str | bytes) -> Event:
    """Read one line; raises ``pydantic.ValidationError`` when it is none of the union."""
    return event_adapter.validate_json(line)
