"""What a worker asks of jobs: claim one, give a sign of life, know when there is nothing to do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from tunesmith.domains.jobs import repository
from tunesmith.domains.jobs.errors import LeaseLost
from tunesmith.domains.jobs.execution import Execution, explain
from tunesmith.domains.jobs.holder import Holder
from tunesmith.domains.jobs.lifecycle import add_event
from tunesmith.domains.jobs.schemas import JobState, JobView
from tunesmith.domains.jobs.service import JobService
from tunesmith.domains.jobs.state import Move
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.principal import Principal

SYSTEM = Principal(user_id=0, name="worker", role="admin", project_id=0)
FORGET_WORKERS_AFTER = timedelta(days=1)


class Claims:
    """One worker's view of the queue."""

    def __init__(self, jobs: JobService, worker: str) -> None:
        self._jobs = jobs
        self._worker = worker

    async def claim(self, *, not_these: Collection[int] = ()) -> Execution | None:
        """Take a job and answer what runs it; None when there is none. ``not_these`` are held by this worker already."""
        kinds = self._jobs.kinds.names()
        if not kinds:
            return None
        async with self._jobs.database.read(SYSTEM) as unit:
            if not await repository.has_claimable(unit.session, kinds=kinds, not_these=not_these, now=utc_now()):
                return None
        async with self._jobs.database.write(SYSTEM) as unit:
            now = utc_now()
            row = await repository.claim(
                unit.session,
                owner=self._worker,
                kinds=kinds,
                not_these=not_these,
                now=now,
                lease_seconds=self._jobs.settings.jobs.lease_seconds,
            )
            if row is None:
                return None
            if row.started_at == now:
                view = await self._jobs.lifecycle.announce(unit, row, JobState.QUEUED, JobState(row.state))
            else:
                message = f"Worker {self._worker} goes on with this job."
                add_event(unit, row, "log", {"level": "info", "message": message})
                view = await self._jobs.lifecycle.tell_kind(unit, row)
            first_attempt = row.first_attempt
        return await self._execution(view, first_attempt)

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
            return not await repository.has_work(unit.session, kinds=self._jobs.kinds.names(), now=utc_now())

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

    async def leave(self) -> None:
        """Forget this worker."""
        async with self._jobs.database.write(SYSTEM) as unit:
            await repository.forget_workers(unit.session, name=self._worker)
