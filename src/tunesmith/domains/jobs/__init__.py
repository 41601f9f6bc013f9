"""Everything slow is a job of a declared kind: the queue, the graphs, the only state machine, and the launcher of work."""

from tunesmith.domains.jobs.claims import Claims
from tunesmith.domains.jobs.context import JobContext
from tunesmith.domains.jobs.errors import (
    Cancelled,
    ChildFailed,
    JobFailed,
    JobGraphInvalid,
    JobKindUnknown,
    JobNotFound,
    JobStateConflict,
    LeaseLost,
    ResumeImpossible,
    Stopped,
)
from tunesmith.domains.jobs.execution import Execution
from tunesmith.domains.jobs.failure import ErrorType, JobFailure
from tunesmith.domains.jobs.follow import border
from tunesmith.domains.jobs.follow import follow as follow_events
from tunesmith.domains.jobs.kinds import GraphNode, JobKind
from tunesmith.domains.jobs.machines import list_queues, list_workers
from tunesmith.domains.jobs.repairs import Repairs
from tunesmith.domains.jobs.resources import history
from tunesmith.domains.jobs.schemas import (
    JobEventView,
    JobListResponse,
    JobLogsResponse,
    JobResultResponse,
    JobState,
    JobView,
    LogLineView,
    Priority,
    QueuesResponse,
    ResourceHistory,
    WorkerView,
)
from tunesmith.domains.jobs.service import JobService

__all__ = [
    "Cancelled",
    "ChildFailed",
    "Claims",
    "ErrorType",
    "Execution",
    "GraphNode",
    "JobContext",
    "JobEventView",
    "JobFailed",
    "JobFailure",
    "JobGraphInvalid",
    "JobKind",
    "JobKindUnknown",
    "JobListResponse",
    "JobLogsResponse",
    "JobNotFound",
    "JobResultResponse",
    "JobService",
    "JobState",
    "JobStateConflict",
    "JobView",
    "LeaseLost",
    "LogLineView",
    "Priority",
    "QueuesResponse",
    "Repairs",
    "ResourceHistory",
    "ResumeImpossible",
    "Stopped",
    "WorkerView",
    "border",
    "follow_events",
    "history",
    "list_queues",
    "list_workers",
]
