"""Who gets which job: nobody gets one twice, and the order is priority, then age."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text, update

from tests.domains.jobs.conftest import Desk
from tests.reliability.kinds import ROOT
from tunesmith.domains.jobs import Claims
from tunesmith.domains.jobs.tables import JobRow
from tunesmith.kit.clock import utc_now

PROCESSES = 4
JOBS = 40


async def test_four_processes_never_claim_the_same_job(any_desk: Desk, database_url: str, tmp_path: Path) -> None:
    async with any_desk.services.database.write(any_desk.owner) as unit:
        for number in range(JOBS):
            await any_desk.jobs.submit(unit, "add", {"a": number}, name="a job")
    command = [sys.executable, "-m", "tests.domains.jobs.claimer", str(tmp_path / "data"), database_url]
    claimers = [
        subprocess.Popen(
            [*command, f"worker-{number}"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(PROCESSES)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    answers = []
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    for claimer in claimers:
        output, _ = claimer.communicate(timeout=60)
        assert claimer.returncode == 0
        answers.append([int(job_id) for job_id in output.split()])
    taken = [job_id for answer in answers for job_id in answer]
    assert len(taken) == JOBS
    assert len(set(taken)) == JOBS
    assert sum(1 for answer in answers if answer) > 1, "they did not work at the same time"
    async with any_desk.services.database.read(any_desk.owner) as unit:
        rows = (await unit.session.execute(text("SELECT DISTINCT lease, state FROM jobs"))).all()
    assert [tuple(row) for row in rows] == [(1, "running")]


async def test_priority_comes_first_then_age_then_nothing_before_its_time(any_desk: Desk) -> None:
    old = await any_desk.submit(a=1)
    young = await any_desk.submit(a=2)
    urgent = await any_desk.do("submit", "add", {"a": 3}, name="urgent", priority=5)
    await any_desk.do("submit", "add", {"a": 4}, name="later", priority=9, start_after=utc_now() + timedelta(hours=1))
    claims = Claims(any_desk.jobs, "me")
    order = []
    while (execution := await claims.claim()) is not None:
        order.append(execution.job_id)
    assert order == [urgent.id, old.id, young.id]


async def test_a_job_whose_lease_has_ended_is_claimed_before_the_queue(any_desk: Desk) -> None:
    orphan = await any_desk.submit(a=1)
    claims = Claims(any_desk.jobs, "me")
    await claims.claim()
    queued = await any_desk.submit(a=2)
    async with any_desk.services.database.write(any_desk.owner) as unit:
        await unit.session.execute(
            update(JobRow).where(JobRow.id == orphan.id).values(lease_expires_at=utc_now() - timedelta(seconds=1))
        )
    first, second = await claims.claim(), await claims.claim()
    assert first is not None
    assert second is not None
    assert (first.job_id, second.job_id) == (orphan.id, queued.id)
    assert (await any_desk.get(orphan.id)).lease == 2
    assert await claims.claim() is None


async def test_a_worker_does_not_claim_what_it_holds(desk: Desk) -> None:
    job = await desk.submit(a=1)
    claims = Claims(desk.jobs, "me")
    await claims.claim()
    async with desk.services.database.write(desk.owner) as unit:
        await unit.session.execute(update(JobRow).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
    assert await claims.claim(not_these=[job.id]) is None
    assert await claims.claim() is not None
