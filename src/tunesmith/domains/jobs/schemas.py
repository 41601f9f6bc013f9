"""What jobs look like from outside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from tunesmith.domains.jobs.errors import JobFailed
from tunesmith.domains.jobs.failure import JobFailure
from tunesmith.kit.machine import Usage
from tunesmith.kit.paging import Page

Priority = Annotated[int, Field(ge=-100, le=100)]


class JobState(StrEnum):
    """The states of a job; ``state.py`` has the moves between them."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more unless somebody asks for it."""
        return self in (JobState.STOPPED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)

    @property
    def is_held(self) -> bool:
        """Whether a worker holds (or held, and died) a lease on the job."""
        return self in (JobState.RUNNING, JobState.STOPPING)


class InputReference(BaseModel):
    """A field of the spec that another job's result fills."""

    job_id: int = Field(description="Job whose result is read.")
    path: str = Field(description="Dotted path in that result; empty is all of it.")


class JobView(BaseModel):
    """A job."""

    id: int = Field(description="Id of the job.")
    project_id: int = Field(description="Project that it belongs to.")
    created_by: int = Field(description="Person who started it.")
    kind: str = Field(description="What kind of work it is.", examples=["train"])
    name: str = Field(description="Name that people see.")
    state: JobState = Field(description="Where the job is in its life.")
    spec: dict[str, Any] = Field(description="What is to be done.")
    result: dict[str, Any] | None = Field(None, description="What came of it; null until it has succeeded.")
    error: JobFailure | None = Field(None, description="Why it failed.")
    graph_id: int | None = Field(None, description="Id of the first job of the graph that it belongs to.")
    after: list[int] = Field(default_factory=list, description="Jobs that must have succeeded before it starts.")
    inputs: dict[str, InputReference] = Field(
        default_factory=dict, description="Fields of the spec that other jobs fill."
    )
    priority: int = Field(0, description="Higher starts sooner; among equals the older one.")
    start_after: datetime | None = Field(None, description="It does not start before this time.")
    position: int | None = Field(None, description="Place in the queue, from 1; null unless it could start now.")
    device: str | None = Field(None, description="Machine and device that it has (or had last) for itself.")
    lease: int = Field(0, description="How often a worker has claimed it.")
    attempt: int = Field(0, description="How often a child process was started for it.")
    resumed: bool = Field(False, description="Whether it went on from a checkpoint.")
    end_requested: Literal["stop", "cancel"] | None = Field(None, description="How it is asked to end.")
    progress: float = Field(0.0, description="Share done, 0 to 1.")
    step: int = Field(0, description="Steps done.")
    total_steps: int | None = Field(None, description="Steps in all, when known.")
    eta_seconds: float | None = Field(None, description="Estimated seconds until the end, when known.")
    message: str | None = Field(None, description="What is being done.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it last changed.")
    queued_at: datetime | None = Field(None, description="When it was last put in the queue.")
    started_at: datetime | None = Field(None, description="When it was started.")
    finished_at: datetime | None = Field(None, description="When it ended.")

    @computed_field(description="The same word as `state`, under the name that a 202 answer uses.")  # type: ignore[prop-decorator]
    @property
    def status(self) -> JobState:
        """The state."""
        return self.state

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state.is_final

    def result_or_raise(self) -> dict[str, Any]:
        """The result; raises JobFailed with the job's own message and hint when there is none."""
        if self.state is JobState.SUCCEEDED:
            return self.result or {}
        message = self.error.message if self.error else f"Job {self.id} ({self.name}) is {self.state}."
        hint = self.error.hint if self.error else None
        code = self.error.code if self.error else self.state.value
        raise JobFailed(message, hint=hint or None, job_id=self.id, job_code=code)


class JobListResponse(Page[JobView]):
    """A page of jobs, newest first."""


class JobEventView(BaseModel):
    """Something that happened to a job."""

    offset: int = Field(description="Grows with every event; a stream resumes after it.")
    attempt: int = Field(description="Start of the child process that said it.")
    type: str = Field(
        description="`state`, `progress`, `metric`, `log`, `checkpoint`, `sample`, `finished` or `failed`."
    )
    payload: dict[str, Any] = Field(description="What happened, as the border's event of that type.")
    at: datetime = Field(description="When it happened.")


class LogLineView(BaseModel):
    """A line of the job's log."""

    offset: int = Field(description="Offset of the event; `after` takes it.")
    attempt: int = Field(description="Start of the child process that wrote it.")
    level: str = Field(description="`debug`, `info`, `warning` or `error`.")
    message: str = Field(description="The line.")
    at: datetime = Field(description="When it was written.")


class JobLogsResponse(BaseModel):
    """Lines of a job's log, oldest first."""

    job_id: int = Field(description="Id of the job.")
    lines: list[LogLineView] = Field(description="The lines.")
    next_offset: int = Field(description="Ask with `after` set to this for what comes later.")


class JobResultResponse(BaseModel):
    """What came of a job."""

    job_id: int = Field(description="Id of the job.")
    kind: str = Field(description="What kind of work it was.")
    result: dict[str, Any] = Field(description="The result, in the form that the kind declares.")


class JobPriority(BaseModel):
    """How urgent a job is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"priority": 10}]})
    priority: Priority = Field(description="Higher starts sooner; 0 is usual.")


class WorkerView(BaseModel):
    """A worker process that gives signs of life."""

    name: str = Field(description="Name of the worker.")
    host: str = Field(description="Machine that it runs on.")
    pid: int = Field(description="Process id there.")
    concurrency: int = Field(description="Jobs that it runs at once.")
    devices: list[str] = Field(description="Devices that it gives to jobs, one job at a time each.")
    running: list[int] = Field(description="Jobs that it holds, of those that you may see.")
    started_at: datetime = Field(description="When it came.")
    seen_at: datetime = Field(description="Last sign of life.")


class QueueView(BaseModel):
    """One device, or the place of the jobs that need none."""

    name: str = Field(description="`HOST/DEVICE`, or `shared` for jobs that need no device.", examples=["box/cuda:0"])
    slots: int = Field(description="Jobs that can run here at once.")
    in_use: int = Field(description="Jobs that run here.")
    running: list[int] = Field(description="Those of them that you may see.")


class QueuesResponse(BaseModel):
    """What runs where, and what waits."""

    queues: list[QueueView] = Field(description="Devices with one slot each, then the shared place.")
    ready: int = Field(description="Jobs that could start now.")
    waiting: int = Field(description="Jobs that wait for others, or for their time.")
    order: str = Field(description="The rule of the queue in words.")


class ResourceSample(BaseModel):
    """What a machine was using."""

    host: str = Field(description="Machine.")
    at: datetime = Field(description="When.")
    usage: Usage = Field(description="What it was using.")


class ResourceHistory(BaseModel):
    """The last hours of a machine."""

    host: str | None = Field(description="Machine; null when none has been watched yet.")
    hosts: list[str] = Field(description="Machines that there are samples of.")
    hours: float = Field(description="How far back it goes.")
    samples: list[ResourceSample] = Field(description="Oldest first, thinned to `max_points`.")
