"""What a task gets: the job, its folder, its children, and doors to the database that are shut when the lease is lost."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from pydantic import BaseModel

from tunesmith.db import Unit
from tunesmith.domains.jobs.copier import set_progress
from tunesmith.domains.jobs.errors import Cancelled
from tunesmith.domains.jobs.holder import Holder
from tunesmith.domains.jobs.launcher import Launcher
from tunesmith.domains.jobs.lifecycle import add_event
from tunesmith.domains.jobs.repairs import Repairs
from tunesmith.domains.jobs.schemas import JobView
from tunesmith.kit.principal import Principal
from tunesmith.wire.events import Finished
from tunesmith.wire.run_dir import RunDirectory

P = ParamSpec("P")
T = TypeVar("T")

PROGRESS_EVERY_SECONDS = 0.1


class JobContext:
    """Everything that a task may use. After a kill the task runs again from the start."""

    def __init__(self, *, holder: Holder, launcher: Launcher, spec: BaseModel) -> None:
        self.spec = spec
        self._holder = holder
        self._launcher = launcher
        self._told_at = 0.0

    @property
    def job(self) -> JobView:
        """The job as it is now; ``lease`` and ``attempt`` are this worker's."""
        return self._holder.job

    @property
    def principal(self) -> Principal:
        """The person who started the job."""
        return self._holder.principal

    @property
    def folder(self) -> Path:
        """The job's folder; it exists when this is asked."""
        self._launcher.folder.mkdir(parents=True, exist_ok=True)
        return self._launcher.folder

    @property
    def run(self) -> RunDirectory | None:
        """The folder of the child that was started last; None before the first."""
        attempt = self.job.attempt
        return RunDirectory(self._launcher.folder / "attempts" / str(attempt)) if attempt else None

    async def run_child(
        self,
        module: str,
        spec: BaseModel,
        *,
        python: str | None = None,
        env: dict[str, str] | None = None,
        repairs: Repairs | None = None,
    ) -> Finished:
        """Start ``python -m module FOLDER`` (or take up the one that was started) and follow it to its last word.

        Events reach the database within half a second. A child that dies is started again as long as it reached a new
        checkpoint; a spec with ``resume_from`` gets the newest verified one. A child that ran out of memory is started
        again with what ``repairs`` makes of its spec. Raises ChildFailed, Cancelled and Stopped, which a task lets pass.
        """
        return await self._launcher.run_child(module, spec, python=python, env=env, repairs=repairs)

    async def progress(self, step: int, total_steps: int | None = None, message: str | None = None) -> None:
        """Say how far the work is; calls that follow too closely are left out."""
        now = time.monotonic()
        if now - self._told_at < PROGRESS_EVERY_SECONDS and step != total_steps:
            return
        self._told_at = now
        payload = {"step": step, "total_steps": total_steps, "message": message}
        async with self._holder.held() as (unit, row):
            set_progress(row, step, total_steps, message)
            add_event(unit, row, "progress", {name: value for name, value in payload.items() if value is not None})
            await self._holder.lifecycle.tell_kind(unit, row)

    async def log(self, message: str, level: str = "info") -> None:
        """A line in the job's log."""
        async with self._holder.held() as (unit, row):
            add_event(unit, row, "log", {"level": level, "message": message})

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Unit]:
        """A unit that is committed when the block ends well; raises LeaseLost, and then nothing of it is written."""
        async with self._holder.held() as (unit, _row):
            yield unit

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Unit]:
        """A unit that only reads."""
        async with self._holder.database.read(self.principal) as unit:
            yield unit

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``function`` beside the event loop: whatever computes for more than 20 ms or reads a large file."""
        return await asyncio.to_thread(function, *args, **kwargs)

    def check(self) -> None:
        """Raise Cancelled when that was asked for; long loops call it between steps."""
        if self._holder.end == "cancel":
            raise Cancelled
