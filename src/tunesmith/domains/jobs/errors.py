"""Failures of jobs, and the four ways in which running one can end early."""

from __future__ import annotations

from tunesmith.domains.jobs.failure import JobFailure
from tunesmith.kit.errors import Conflict, InvalidInput, NotFound, TunesmithError


class JobNotFound(NotFound):
    """No such job, or not visible to this person."""

    code, title = "job-not-found", "There is no such job"


class JobStateConflict(Conflict):
    """The job's state does not allow what was asked."""

    code, title = "job-state", "The job's state does not allow this"


class JobGraphInvalid(InvalidInput):
    """Jobs that cannot be ordered, or that name inputs that nobody gives."""

    code, title = "job-graph", "The jobs do not fit together"


class JobKindUnknown(InvalidInput):
    """No part of the program runs jobs of that kind."""

    code, title = "job-kind", "There is no such kind of job"


class JobFailed(TunesmithError):
    """The job that was waited for did not succeed; ``code`` of the job's own error is in ``job_code``."""

    code, status, title = "job-failed", 422, "The job did not succeed"
    hint = "Look at the job's log."


class ResumeImpossible(Conflict):
    """The job cannot go on from a checkpoint."""

    code, title = "job-resume", "The job cannot be resumed"
    hint = "Retry it to start from the beginning."


class LeaseLost(Exception):
    """Another worker holds the job now; whoever sees this leaves without writing anything."""


class Cancelled(Exception):
    """The job was cancelled."""


class Stopped(Exception):
    """The job was stopped; its last checkpoint is kept."""


class ChildFailed(Exception):
    """The child process could not do the work."""

    def __init__(self, failure: JobFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure
