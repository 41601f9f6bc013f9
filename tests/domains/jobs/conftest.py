"""Services with the test kinds, on both databases, and a worker in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.kinds import build_services
from tunesmith.bootstrap import Services
from tunesmith.domains.jobs import GraphNode, JobView
from tunesmith.worker import run_worker


class Desk:
    """What a person does with jobs, each in a transaction of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.jobs = services.jobs

    async def open(self) -> None:
        await self.services.start()
        self.owner = await self.services.owner()

    async def do(self, what: str, *arguments: Any, **keywords: Any) -> Any:
        """Call a method of the service in a writing unit."""
        async with self.services.database.write(self.owner) as unit:
            return await getattr(self.jobs, what)(unit, *arguments, **keywords)

    async def submit(self, kind: str = "add", name: str = "a job", **spec: Any) -> JobView:
        view: JobView = await self.do("submit", kind, spec, name=name)
        return view

    async def graph(self, *nodes: GraphNode) -> dict[str, JobView]:
        views: dict[str, JobView] = await self.do("submit_graph", list(nodes), name="graph")
        return views

    async def get(self, job_id: int) -> JobView:
        async with self.services.database.read(self.owner) as unit:
            return await self.jobs.get(unit, job_id)

    async def work(self) -> None:
        """Run a worker until there is nothing left to do."""
        await run_worker(self.services, until_idle=True)


SETTINGS = {"lease_seconds": 30.0, "poll_seconds": 0.02}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """On SQLite."""
    made = Desk(build_services(tmp_path / "data", jobs=SETTINGS))
    await made.open()
    yield made
    await made.services.close()


@pytest.fixture
async def any_desk(tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    """Once on SQLite, once on PostgreSQL."""
    made = Desk(build_services(tmp_path / "data", jobs=SETTINGS, database={"url": database_url}))
    await made.open()
    yield made
    await made.services.close()
