"""A job runs to its end in a child, and every event of it is in the database."""

from __future__ import annotations

from pathlib import Path

from tests.reliability.counting_child import digest_after
from tests.reliability.kinds import build_services
from tunesmith.worker import run_worker


async def test_a_job_runs_and_its_events_are_kept(tmp_path: Path) -> None:
    services = build_services(tmp_path, jobs={"lease_seconds": 2.0, "poll_seconds": 0.05})
    await services.start()
    owner = await services.owner()
    async with services.database.write(owner) as unit:
        job = await services.jobs.submit(unit, "count", {"steps": 12}, name="count")
    await run_worker(services, until_idle=True)
    async with services.database.read(owner) as unit:
        view = await services.jobs.get(unit, job.id)
        events = await services.jobs.list_events(unit, job.id)
    assert view.state == "succeeded"
    assert view.result == {"digest": digest_after(12), "steps": 12}
    assert (view.progress, view.step, view.attempt, view.lease) == (1.0, 12, 1, 1)
    assert [e.payload["step"] for e in events if e.type == "metric"] == list(range(1, 13))
    assert [e.payload["state"] for e in events if e.type == "state"] == ["queued", "running", "succeeded"]
    await services.close()
