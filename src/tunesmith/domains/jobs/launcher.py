"""The launcher of work: starts a child for a job, or finds the one that runs; follows it; starts it again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tunesmith.domains.jobs.copier import Copier, LastWord
from tunesmith.domains.jobs.errors import Cancelled, ChildFailed, LeaseLost, Stopped
from tunesmith.domains.jobs.failure import JobFailure
from tunesmith.domains.jobs.holder import Holder, is_database_away
from tunesmith.domains.jobs.kinds import JobKind
from tunesmith.domains.jobs.lifecycle import add_event
from tunesmith.domains.jobs.memory_kills import MemoryKills
from tunesmith.domains.jobs.process import Beat, Child, attempt_numbers, find_child, start_child
from tunesmith.domains.jobs.repairs import OUT_OF_MEMORY, Repairs, as_repaired, carried
from tunesmith.domains.jobs.verdict import how_it_ended, judge, output_tail
from tunesmith.settings import Settings
from tunesmith.wire.checkpoint import INHERITED, find_newest_checkpoint
from tunesmith.wire.events import Failed, Finished
from tunesmith.wire.run_dir import RunDirectory

logger = logging.getLogger(__name__)

EXIT_GRACE_SECONDS = 10.0
"""How long a child may take to leave after its last word."""


@dataclass(frozen=True)
class Order:
    """What to start."""

    module: str
    spec: BaseModel
    call: int
    python: str | None
    env: dict[str, str]
    repairs: Repairs | None = None


@dataclass
class Attempt:
    """One start of a child."""

    number: int
    child: Child
    copier: Copier
    memory_kills: MemoryKills

    @property
    def run(self) -> RunDirectory:
        """Its folder."""
        return self.child.run


class Launcher:
    """Runs the children of one job, one after the other."""

    def __init__(self, holder: Holder, kind: JobKind, settings: Settings) -> None:
        self._holder = holder
        self._kind = kind
        self._settings = settings
        self._calls = 0
        self.current: Attempt | None = None

    @property
    def folder(self) -> Path:
        """The job's folder."""
        return self._settings.runs_dir / str(self._holder.job.id)

    async def run_child(
        self,
        module: str,
        spec: BaseModel,
        *,
        python: str | None = None,
        env: dict[str, str] | None = None,
        repairs: Repairs | None = None,
    ) -> Finished:
        """See ``JobContext.run_child``."""
        order = Order(module, spec, self._calls, python, env or {}, repairs)
        self._calls += 1
        attempt = await asyncio.to_thread(self._find_attempt, order)
        try:
            is_forgiven = False
            while True:
                if attempt is None:
                    self._raise_end()
                    attempt = await self._start(order, is_forgiven)
                self.current = attempt
                self._holder.watch_over(attempt.run)
                word = await self._follow(attempt)
                if isinstance(word, Finished):
                    return self._accept(word)
                if repaired := await self._repair(order, attempt, word):
                    order, attempt, is_forgiven = repaired, None, True
                    continue
                if word is not None and not word.retryable:
                    self._raise_end(only="cancel")
                    raise ChildFailed(_failure_of(word))
                is_forgiven = await self._bury(attempt, word)
                attempt = None
        finally:
            self._holder.watch_over(None)
            self.current = None

    def _find_attempt(self, order: Order) -> Attempt | None:
        """The newest attempt of this run of the job that was started for ``order``."""
        job = self._holder.job
        numbers = attempt_numbers(self.folder / "attempts")
        for number in reversed([n for n in numbers if self._first_attempt <= n <= job.attempt]):
            child = find_child(RunDirectory(self.folder / "attempts" / str(number)))
            if child and (child.identity.call, child.identity.module) == (order.call, order.module):
                logger.info("job %d: attempt %d is taken up again", job.id, number)
                return self._attempt(number, child)
        return None

    @property
    def _first_attempt(self) -> int:
        return self._holder.first_attempt

    def _attempt(self, number: int, child: Child) -> Attempt:
        return Attempt(
            number, child, Copier(self._holder, self._kind, child.run, number), MemoryKills(child.identity.pid)
        )

    async def _start(self, order: Order, is_forgiven: bool) -> Attempt:
        attempts = self.folder / "attempts"
        numbers = await asyncio.to_thread(attempt_numbers, attempts)
        async with self._holder.held() as (unit, row):
            highest = max(numbers, default=0)
            if highest > row.attempt:
                row.discarded_attempts = highest  # folders that this database knows nothing of
            usable = [n for n in numbers if row.discarded_attempts < n <= row.attempt]
            number = row.attempt = max(row.attempt, highest) + 1
            if not is_forgiven:
                row.starts_without_checkpoint += 1
            await self._holder.lifecycle.tell_kind(unit, row)
        changes: dict[str, Any] = {
            "job_id": self._holder.job.id,
            "attempt": number,
            "lease_seconds": self._settings.jobs.lease_seconds,
        }
        if "resume_from" in type(order.spec).model_fields:
            changes["resume_from"] = await self._find_checkpoint(order, attempts, usable)
        known = {name: value for name, value in changes.items() if name in type(order.spec).model_fields}
        given = order.spec
        if order.repairs is not None:
            given = await asyncio.to_thread(carried, order.repairs, given, [attempts / str(n) for n in usable])
        spec = given.model_copy(update=known).model_dump(mode="json", by_alias=True)
        run = await asyncio.to_thread(RunDirectory.create, attempts / str(number), spec)
        self._holder.watch_over(run)
        await self._holder.check_lease()
        environment = self._settings.child_environment() | order.env
        child = await asyncio.to_thread(start_child, run, order.module, order.call, environment, order.python)
        logger.info(
            "job %d: attempt %d started (%s, pid %d)", changes["job_id"], number, order.module, child.identity.pid
        )
        return self._attempt(number, child)

    async def _find_checkpoint(self, order: Order, attempts: Path, usable: list[int]) -> str | None:
        given: str | None = getattr(order.spec, "resume_from", None)
        is_chosen = given is not None and Path(given).parent.name != INHERITED
        if is_chosen:  # by a person: only what was reached since then is newer
            usable = [n for n in usable if n >= self._first_attempt]
        folders = [attempts / str(number) / "checkpoints" for number in usable]
        found = await asyncio.to_thread(find_newest_checkpoint, folders)
        if found is None:
            return given
        path, manifest = found
        async with self._holder.held() as (unit, row):
            row.resumed = True
            add_event(
                unit, row, "log", {"level": "info", "message": f"Goes on from the checkpoint of step {manifest.step}."}
            )
        return str(path)

    async def _follow(self, attempt: Attempt) -> LastWord | None:
        """Copy events until the child has ended; answers its last word, if it had one."""
        beat = Beat(attempt.run, self._settings.jobs.lease_seconds)
        end_asked_at: float | None = None
        leaves_at: float | None = None
        while True:
            is_alive = attempt.child.is_alive()  # asked before reading: what it wrote before it died is read below
            attempt.memory_kills.look()
            await self._copy(attempt)
            now = time.monotonic()
            if not is_alive:
                return attempt.copier.last_word
            if attempt.copier.last_word is not None:
                leaves_at = leaves_at or now + EXIT_GRACE_SECONDS
                if now > leaves_at or attempt.child.is_elsewhere:
                    await asyncio.to_thread(attempt.child.kill)
                    return attempt.copier.last_word
            elif self._holder.end is not None:
                end_asked_at = end_asked_at or now
                await self._pass_on_end(attempt, now - end_asked_at)
            elif beat.is_stale():
                await self._tell(attempt, "warning", "The child process gave no sign of life and was ended.")
                await asyncio.to_thread(attempt.child.kill)
                if attempt.child.is_elsewhere:
                    return None
            await asyncio.sleep(self._settings.jobs.poll_seconds)

    async def _copy(self, attempt: Attempt) -> None:
        while True:
            try:
                return await attempt.copier.copy()
            except LeaseLost:
                raise
            except Exception as error:
                if not is_database_away(error):
                    raise
                logger.warning("job %d: events are copied later: %s", self._holder.job.id, error)
                await asyncio.sleep(max(1.0, self._settings.jobs.poll_seconds))

    async def _pass_on_end(self, attempt: Attempt, asked_seconds: float) -> None:
        how = self._holder.end
        if how is not None and attempt.run.end_requested() != how:
            await asyncio.to_thread(attempt.run.request_end, how)
        if asked_seconds > self._settings.jobs.stop_grace_seconds:
            await self._tell(attempt, "warning", "The child process took too long to end and was killed.")
            await asyncio.to_thread(attempt.child.kill)

    def _accept(self, word: Finished) -> Finished:
        self._raise_end(only="cancel")
        if word.stopped and self._holder.end == "stop":
            raise Stopped
        return word

    def _raise_end(self, only: str | None = None) -> None:
        if self._holder.end == "cancel":
            raise Cancelled
        if self._holder.end == "stop" and only is None:
            raise Stopped

    async def _repair(self, order: Order, attempt: Attempt, word: Failed | None) -> Order | None:
        """The order to go on with when memory was what the child lacked and its kind knows how to ask for less."""
        if order.repairs is None or self._holder.end is not None:
            return None
        failure = _failure_of(word) if word is not None else await self._judge(attempt, 1)
        if failure.reason != OUT_OF_MEMORY:
            return None
        used = await asyncio.to_thread(as_repaired, order.repairs, order.spec, attempt.run, self._holder.job.message)
        if used is None:
            return None
        spec, what = used
        await self._tell(attempt, "warning", f"{failure.message} {what}")
        return replace(order, spec=spec)

    async def _judge(self, attempt: Attempt, starts: int) -> JobFailure:
        """Why a child died that left no last word."""
        lines = await asyncio.to_thread(output_tail, attempt.run)
        exit_code = attempt.child.exit_code
        killed = exit_code in (-9, None) and await asyncio.to_thread(attempt.memory_kills.happened)
        return judge(lines, exit_code, killed_for_memory=killed, starts=starts)

    async def _bury(self, attempt: Attempt, word: Failed | None) -> bool:
        """Decide what follows a death: raises, or returns whether this start counts as none (nobody held the lease)."""
        self._raise_end()
        is_forgiven = word is None and not attempt.child.is_ours and attempt.run.abandoned_file.exists()
        if is_forgiven:
            await self._tell(attempt, "warning", "The child process left because no worker held its lease.")
            return True
        lines = await asyncio.to_thread(output_tail, attempt.run)
        how = how_it_ended(attempt.child.exit_code)
        what = word.message if word is not None else f"The child process {how} without a last word."
        last_lines = f" Its last lines:\n{chr(10).join(lines)}" if lines and word is None else ""
        async with self._holder.held() as (unit, row):
            starts = row.starts_without_checkpoint
            add_event(unit, row, "log", {"level": "error", "message": what + last_lines})
        if starts >= self._settings.jobs.max_starts_without_checkpoint:
            if word is not None:
                raise ChildFailed(_failure_of(word))
            raise ChildFailed(await self._judge(attempt, starts))
        return False

    async def _tell(self, attempt: Attempt, level: str, message: str) -> None:
        logger.warning("job %d, attempt %d: %s", self._holder.job.id, attempt.number, message)
        async with self._holder.held() as (unit, row):
            add_event(unit, row, "log", {"level": level, "message": message})

    async def end_leftovers(self) -> None:
        """Make sure that no child of this run of the job is left when the job has ended."""
        numbers = await asyncio.to_thread(attempt_numbers, self.folder / "attempts")
        for number in [n for n in numbers if self._first_attempt <= n <= self._holder.job.attempt]:
            child = find_child(RunDirectory(self.folder / "attempts" / str(number)))
            if child is not None and not child.is_elsewhere:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(child.kill)


def _failure_of(word: Failed) -> JobFailure:
    return JobFailure(
        code=word.code, error_type=word.error_type, message=word.message, hint=word.hint, reason=word.reason
    )
