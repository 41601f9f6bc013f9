"""What a worker asks of jobs: claim one, give a sign of life, know when there is nothing to do."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from tunesmith.domains.jobs import queue, repository, resources
from tunesmith.domains.jobs.errors import LeaseLost
from tunesmith.domains.jobs.execution import Execution, explain
from tunesmith.domains.jobs.holder import Holder
from tunesmith.domains.jobs.lifecycle import add_event
from tunesmith.domains.jobs.schemas import JobState, JobView
from tunesmith.domains.jobs.service import JobService
from tunesmith.domains.jobs.state import Move
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.machine import Usage
from tunesmith.kit.principal import Principal

SYSTEM = Principal(user_id=0, name="worker", role="admin", project_id=0)
FORGET_WORKERS_AFTER = timedelta(days=1)


class Claims:
    """One worker's view of the queue."""

    def __init__(self, jobs: JobService, worker: str, *, devices: Sequence[str] = ("cpu",)) -> None:
        """``devices`` are given to jobs that need one for themselves, one job at a time each, whoever works on this machine."""
        self._jobs = jobs
        self._worker = worker
        self._devices = tuple(f"{socket.gethostname()}/{device}" for device in devices)

    async def claim(self, *, not_these: Collection[int] = ()) -> Execution | None:
        """Take a job and answer what runs it; None when there is none. ``not_these`` are held by this worker already."""
        kinds = self._jobs.kinds.names()
        if not kinds:
            return None
        place = queue.Place(self._devices, tuple(self._jobs.kinds.needing_device()))
        async with self._jobs.database.read(SYSTEM) as unit:
            if not await queue.has_claimable(
                unit.session, kinds=kinds, not_these=not_these, now=utc_now(), place=place
            ):
                return None
        try:
            claimed = await self._claim(kinds, not_these, place)
        except IntegrityError:  # a worker beside this one took the device at the same moment
            return None
        return None if claimed is None else await self._execution(*claimed)

    async def _claim(
        self, kinds: Collection[str], not_these: Collection[int], place: queue.Place
    ) -> tuple[JobView, int] | None:
        """The claimed job, and the first attempt of this run of it."""
        async with self._jobs.database.write(SYSTEM) as unit:
            now = utc_now()
            row = await queue.claim(
                unit.session,
                owner=self._worker,
                kinds=kinds,
                not_these=not_these,
                now=now,
                lease_seconds=self._jobs.settings.jobs.lease_seconds,
                place=place,
            )
            if row is None:
                return None
            if row.started_at == now:
                view = await self._jobs.lifecycle.announce(unit, row, JobState.QUEUED, JobState(row.state))
            else:
                message = f"Worker {self._worker} goes on with this job."
                add_event(unit, row, "log", {"level": "info", "message": message})
                view = await self._jobs.lifecycle.tell_kind(unit, row)
            return view, row.first_attempt

    async def _execution(self, view: JobView, first_attempt: int) -> Execution | None:
        """The execution, in the name of the person who started the job; without them the job fails."""
        settings = self._jobs.settings
        holder = Holder(
            database=self._jobs.database,
            lifecycle=self._jobs.lifecycle,
            settings=settings.jobs,
            job=view,
            first_attempt=first_attempt,
            principal=SYSTEM,
        )
        try:
            async with self._jobs.database.read(SYSTEM) as unit:
                holder.principal = await self._jobs.projects.principal_of(
                    unit.session, view.created_by, view.project_id
                )
        except TunesmithError as error:
            await self._refuse(holder, error)
            return None
        return Execution(holder=holder, kind=self._jobs.kinds.get(view.kind), settings=settings)

    async def _refuse(self, holder: Holder, error: TunesmithError) -> None:
        try:
            async with holder.held() as (unit, row):
                await self._jobs.lifecycle.move(unit, row, Move.FAIL, failure=explain(error))
        except LeaseLost:
            return

    async def is_idle(self) -> bool:
        """Whether nothing is ready, and nobody holds anything."""
        async with self._jobs.database.read(SYSTEM) as unit:
            return not await queue.has_work(unit.session, kinds=self._jobs.kinds.names(), now=utc_now())

    async def arrive(self, host: str, pid: int, capabilities: dict[str, Any]) -> None:
        """Make this worker known."""
        now = utc_now()
        worker = {"name": self._worker, "host": host, "pid": pid, "capabilities": capabilities}
        async with self._jobs.database.write(SYSTEM) as unit:
            await repository.forget_workers(unit.session, name=self._worker, before=now - FORGET_WORKERS_AFTER)
            await repository.see_worker(unit.session, worker | {"started_at": now}, now)

    async def beat(self, host: str, pid: int, capabilities: dict[str, Any]) -> None:
        """Give a sign of life."""
        worker = {"name": self._worker, "host": host, "pid": pid, "capabilities": capabilities}
        async with self._jobs.database.write(SYSTEM) as unit:
            await repository.see_worker(unit.session, worker, utc_now())

    async def note_usage(self, usage: Usage) -> None:
        """Keep what this machine uses now; what is too old is forgotten."""
        async with self._jobs.database.write(SYSTEM) as unit:
            await resources.keep(unit.session, socket.gethostname(), usage, utc_now())

    async def leave(self) -> None:
        """Forget this worker."""
        async with self._jobs.database.write(SYSTEM) as unit:
            await repository.forget_workers(unit.session, name=self._worker)
