"""Holding a job: renewing the lease, and writing only while it is ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Literal, cast

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from tunesmith.db import Database, Unit
from tunesmith.domains.jobs import repository
from tunesmith.domains.jobs.errors import LeaseLost
from tunesmith.domains.jobs.lifecycle import Lifecycle, view_of
from tunesmith.domains.jobs.schemas import JobView
from tunesmith.domains.jobs.tables import JobRow
from tunesmith.kit.clock import utc_now
from tunesmith.kit.principal import Principal
from tunesmith.settings import JobSettings
from tunesmith.wire.run_dir import RunDirectory

logger = logging.getLogger(__name__)


AWAY_SQLSTATES = ("08", "40", "53", "55", "57")
"""PostgreSQL's classes: connection, serialization, resources, not in the state for it, shut down by an operator."""


def is_database_away(error: BaseException) -> bool:
    """Whether trying again later may help: no connection, or a database that others keep locked."""
    if isinstance(error, OperationalError):
        return "no such" not in str(error.orig)  # a missing table or column does not come by waiting
    if isinstance(error, DBAPIError):
        sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
        return isinstance(error, InterfaceError) or error.connection_invalidated or sqlstate.startswith(AWAY_SQLSTATES)
    return isinstance(error, ConnectionError | TimeoutError)


class Holder:
    """One lease on one job, in the worker that has it.

    Everything that is written about the job goes through ``held``, which locks the row and raises LeaseLost when another
    worker has claimed the job since. Files: only the lease's own ``lease.<k>``.
    """

    def __init__(
        self,
        *,
        database: Database,
        lifecycle: Lifecycle,
        settings: JobSettings,
        job: JobView,
        first_attempt: int,
        principal: Principal,
    ) -> None:
        self.database = database
        self.lifecycle = lifecycle
        self.settings = settings
        self.job = job
        self.first_attempt = first_attempt  # attempts below it belong to earlier runs of the job
        self.principal = principal
        self.lease = job.lease
        self.end: Literal["stop", "cancel"] | None = job.end_requested
        self._run: RunDirectory | None = None
        self._renewed_at = time.monotonic()

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[tuple[Unit, JobRow]]:
        """A writing unit with the job's row locked; raises LeaseLost, and then nothing is written."""
        async with self.database.write(self.principal) as unit:
            row = await repository.hold(unit.session, self.job.id, self.lease, utc_now())
            if row is None:
                raise LeaseLost(f"lease {self.lease} of job {self.job.id} is no longer the newest")
            yield unit, row
            await unit.session.flush()
            view = await view_of(unit, row)
        self.job = view

    async def keep(self) -> None:
        """Renew the lease and hear of requests to end, until it is lost: then raises LeaseLost."""
        while True:
            await asyncio.sleep(self.settings.poll_seconds)
            is_due = time.monotonic() - self._renewed_at >= self.settings.lease_seconds / 3
            try:
                await self._renew() if is_due else await self._look()
            except Exception as error:
                if not is_database_away(error):
                    raise
                logger.warning("the database does not answer; job %d goes on: %s", self.job.id, error)
                if is_due and not self._is_overtaken():
                    self._touch()  # the child must not die of it; nobody else can have claimed the job through that database

    async def _renew(self) -> None:
        expires_at = utc_now() + timedelta(seconds=self.settings.lease_seconds)
        async with self.database.write(self.principal) as unit:
            ours = await repository.renew(unit.session, self.job.id, self.lease, expires_at)
        if not ours:
            raise LeaseLost(f"lease {self.lease} of job {self.job.id} is no longer the newest")
        self._renewed_at = time.monotonic()
        if not self._is_overtaken():  # this process may have been frozen since the commit
            self._touch()

    async def _look(self) -> None:
        async with self.database.read(self.principal) as unit:
            end = await repository.find_held(unit.session, self.job.id, self.lease)
        if end is None:
            raise LeaseLost(f"lease {self.lease} of job {self.job.id} is no longer the newest")
        self.end = cast(Literal["stop", "cancel"] | None, end or None)

    async def check_lease(self) -> None:
        """Raise LeaseLost unless the lease is still ours."""
        await self._look()

    async def give_back(self) -> None:
        """End the lease, so that the next worker goes on at once."""
        async with self.database.write(self.principal) as unit:
            await repository.give_back(unit.session, self.job.id, self.lease, utc_now())

    def watch_over(self, run: RunDirectory | None) -> None:
        """From now on the child of ``run`` sees that the lease is held."""
        self._run = run
        self._touch()

    def _touch(self) -> None:
        if self._run is not None:
            try:
                self._run.lease_file(self.lease).touch()
            except OSError as error:
                logger.warning("cannot touch the lease file of job %d: %s", self.job.id, error)

    def _is_overtaken(self) -> bool:
        if self._run is None:
            return False
        leases = [file.suffix[1:] for file in self._run.path.glob("lease.*")]
        return any(lease.isdigit() and int(lease) > self.lease for lease in leases)
