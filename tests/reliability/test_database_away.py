"""The database goes away in the middle of a job: the child goes on, and what it said is copied afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.reliability.counting_child import digest_after
from tests.reliability.kinds import build_services
from tunesmith.domains.jobs import JobState
from tunesmith.worker.loop import Worker

AWAY_SECONDS = 3.0


# connections that the server cut are closed by the garbage collector, which says so
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
async def test_a_job_outlives_an_absence_of_the_database(
    tmp_path: Path, postgres_server: str, postgres_url: str
) -> None:
    services = build_services(
        tmp_path / "data",
        jobs={"lease_seconds": 1.0, "poll_seconds": 0.05},
        database={"url": postgres_url},
    )
    await services.start()
    owner = await services.owner()
    async with services.database.write(owner) as unit:
        job = await services.jobs.submit(unit, "count", {"steps": 60, "step_seconds": 0.05}, name="count")
    worker = Worker(services, "here")
    working = asyncio.create_task(worker.run(until_idle=True, parent=None))
    events = services.settings.runs_dir / str(job.id) / "attempts" / "1" / "events.jsonl"
    await _until(lambda: events.exists() and events.stat().st_size > 500)
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        name = postgres_url.rsplit("/", 1)[1]
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        size = events.stat().st_size
        await asyncio.sleep(AWAY_SECONDS)  # three lease times: the subject of this test
        assert events.stat().st_size > size, "the child did not go on"
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    await asyncio.wait_for(working, 60)
    async with services.database.read(owner) as unit:
        view = await services.jobs.get(unit, job.id)
        metrics = await services.jobs.list_events(unit, job.id, types=("metric",))
    assert view.state is JobState.SUCCEEDED, view.error
    assert view.result == {"digest": digest_after(60), "steps": 60}
    assert view.attempt == 1
    assert [event.payload["step"] for event in metrics] == list(range(1, 61))
    await services.close()


async def _until(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not probe():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
