"""One claimed job in the worker: run its task, and record how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import shutil
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from tunesmith.domains.jobs.context import JobContext
from tunesmith.domains.jobs.errors import Cancelled, ChildFailed, LeaseLost, Stopped
from tunesmith.domains.jobs.failure import ErrorType, JobFailure
from tunesmith.domains.jobs.holder import Holder, is_database_away
from tunesmith.domains.jobs.kinds import JobKind
from tunesmith.domains.jobs.launcher import Launcher
from tunesmith.domains.jobs.state import Move
from tunesmith.kit import logs
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import InvalidInput, TunesmithError
from tunesmith.settings import Settings

logger = logging.getLogger(__name__)

DATABASE_PAUSE_SECONDS = 1.0


class Interruption(StrEnum):
    """Why a task is ended from outside."""

    CANCEL = "cancel"
    OVERTIME = "overtime"


@dataclass(frozen=True)
class Outcome:
    """The move that ends the job."""

    move: Move
    result: dict[str, Any] | None = None
    failure: JobFailure | None = None


class Execution:
    """One lease on one job. ``run`` returns when the job has ended, or when somebody else goes on with it."""

    def __init__(self, *, holder: Holder, kind: JobKind, settings: Settings) -> None:
        self._holder = holder
        self._kind = kind
        self._settings = settings
        self._launcher = Launcher(holder, kind, settings)
        self._task: asyncio.Task[Outcome] | None = None
        self._is_draining = False

    @property
    def job_id(self) -> int:
        """Id of the job."""
        return self._holder.job.id

    def drain(self) -> None:
        """Give the job back: its child goes on, and the next worker takes it up at once."""
        self._is_draining = True
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Run the task and record its end; a lost lease ends it without a word."""
        logs.job_id.set(self.job_id)
        self._task = asyncio.create_task(self._run_task())
        keeper = asyncio.create_task(self._holder.keep())
        guard = asyncio.create_task(self._guard())
        try:
            if self._is_draining:
                self._task.cancel()
            await asyncio.wait({self._task, keeper, guard}, return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                keeper.result()  # raises
            interruption = guard.result() if guard.done() and not self._task.done() else None
            if interruption is not None:
                self._task.cancel()
            await asyncio.wait({self._task, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                keeper.result()
            await self._end(self._task, interruption)
        except LeaseLost as reason:
            logger.warning("job %d is left to another worker: %s", self.job_id, reason)
        finally:
            for task in (self._task, keeper, guard):
                task.cancel()
            await asyncio.gather(self._task, keeper, guard, return_exceptions=True)

    async def _guard(self) -> Interruption:
        started_at = self._holder.job.started_at or utc_now()
        ends_at = started_at + timedelta(hours=self._max_runtime_hours())
        while True:
            await asyncio.sleep(self._settings.jobs.poll_seconds)
            if self._holder.end == "cancel" and self._launcher.current is None:
                return Interruption.CANCEL
            if utc_now() > ends_at:
                return Interruption.OVERTIME

    async def _run_task(self) -> Outcome:
        try:
            spec = self._kind.parse(self._holder.job.spec)
            context = JobContext(holder=self._holder, launcher=self._launcher, spec=spec)
            result = await self._kind.run(context)
            return Outcome(Move.SUCCEED, result=plain(result))
        except Cancelled:
            return Outcome(Move.END_CANCELLED)
        except Stopped:
            return Outcome(Move.END_STOPPED)
        except LeaseLost:
            raise
        except Exception as error:
            return Outcome(Move.FAIL, failure=explain(error))

    async def _end(self, task: asyncio.Task[Outcome], interruption: Interruption | None) -> None:
        if task.cancelled():
            if interruption is Interruption.CANCEL:
                outcome = Outcome(Move.END_CANCELLED)
            elif interruption is Interruption.OVERTIME:
                outcome = Outcome(Move.FAIL, failure=self._overtime())
            elif not self._is_draining:
                outcome = Outcome(Move.FAIL, failure=explain(RuntimeError("the task cancelled itself")))
            else:
                with contextlib.suppress(Exception):  # the lease ends by itself as well
                    await self._holder.give_back()
                logger.info("job %d is given back", self.job_id)
                return
        else:
            outcome = task.result()
        await self._record(outcome)

    def _max_runtime_hours(self) -> float:
        asked = None
        if self._kind.max_runtime_hours is not None:
            with contextlib.suppress(InvalidInput):  # the task says what is wrong with the spec
                asked = self._kind.max_runtime_hours(self._kind.parse(self._holder.job.spec))
        return asked or self._settings.jobs.max_runtime_hours

    def _overtime(self) -> JobFailure:
        hours = self._max_runtime_hours()
        is_default = hours == self._settings.jobs.max_runtime_hours
        limit = "TUNESMITH_JOBS__MAX_RUNTIME_HOURS" if is_default else "resources.max_runtime_hours"
        return JobFailure(
            code="max-runtime",
            error_type=ErrorType.CONFIGURATION,
            message=f"The job ran longer than {hours:g} hours and was ended.",
            hint=f"Resume it from its last checkpoint, or raise {limit}.",
        )

    async def _record(self, outcome: Outcome) -> None:
        """Write the end; while the database is away the job stays ours and this waits."""
        await self._launcher.end_leftovers()
        is_last_try = False
        while True:
            try:
                async with self._holder.held() as (unit, row):
                    if row.end_requested == "cancel" and outcome.move is not Move.END_CANCELLED:
                        outcome = Outcome(Move.END_CANCELLED)
                    if outcome.move is Move.END_CANCELLED:
                        await asyncio.to_thread(self._discard)
                    await self._holder.lifecycle.move(
                        unit, row, outcome.move, result=outcome.result, failure=outcome.failure
                    )
                logger.info("job %d (%s): %s", self.job_id, self._kind.name, outcome.move.value)
                return
            except LeaseLost:
                raise
            except Exception as error:
                if is_database_away(error):
                    logger.warning("job %d: its end is written later: %s", self.job_id, error)
                    await asyncio.sleep(DATABASE_PAUSE_SECONDS)
                elif is_last_try:
                    raise
                else:  # what follows from the end could not be done, so the job has not ended well
                    is_last_try = True
                    outcome = Outcome(Move.FAIL, failure=explain(error))

    def _discard(self) -> None:
        for folder in self._launcher.folder.glob("attempts/*/checkpoints"):
            shutil.rmtree(folder, ignore_errors=True)


def plain(result: BaseModel | dict[str, Any]) -> dict[str, Any]:
    """A result as plain JSON; what is not a number becomes null, since PostgreSQL keeps no NaN."""
    text = result.model_dump_json(by_alias=True) if isinstance(result, BaseModel) else json.dumps(result)
    document: dict[str, Any] = json.loads(text)
    return document


def explain(error: Exception) -> JobFailure:
    """What is told about an error that ended a task."""
    if isinstance(error, ChildFailed):
        return error.failure
    if isinstance(error, TunesmithError):
        return JobFailure(
            code=error.code,
            error_type=str(error.extra.get("error_type", ErrorType.UNKNOWN)),
            message=error.message,
            hint=error.hint,
            reason=error.extra.get("reason"),
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return JobFailure(
            code="disk-full",
            error_type=ErrorType.DISK,
            message="The disk is full; what was being written has been removed.",
            hint="Free some space in the data folder, then retry the job.",
            reason="disk-full",
        )
    if isinstance(error, MemoryError):
        return JobFailure(
            code="out-of-memory",
            error_type=ErrorType.GPU,
            message="The worker ran out of memory.",
            hint="Close other programs, then retry the job.",
            reason="out-of-memory",
        )
    logger.exception("a task ended with an error that nobody expected", exc_info=error)
    return JobFailure(
        code="internal",
        message=f"The job stopped because of a fault in the program ({type(error).__name__}).",
        hint="Look at the worker's log, and send it with your report.",
    )
