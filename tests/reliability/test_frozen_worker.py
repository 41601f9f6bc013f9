"""A worker that was frozen past its lease and thaws writes nothing, in rows or files."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import sqlite3

from tests.reliability.conftest import Yard
from tests.reliability.counting_child import digest_after

TABLES = ("jobs", "job_events", "job_dependencies")


def picture(yard: Yard, job_id: int) -> dict[str, object]:
    """Every row and every file of a job, with its time of change."""
    connection = sqlite3.connect(yard.data_dir / "tunesmith.db")
    rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES}
    connection.close()
    folder = yard.services.settings.runs_dir / str(job_id)
    files = {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return rows | files


async def settled_picture(yard: Yard, job_id: int) -> dict[str, object]:
    """The same when the successor has done: beside the job's end it may still be giving its last sign of life."""
    before: dict[str, object] = {}
    while (now := picture(yard, job_id)) != before:
        before = now
        await asyncio.sleep(0.2)
    return before


async def test_a_thawed_worker_writes_nothing_after_another_has_finished_its_job(hasty_yard: Yard) -> None:
    yard = hasty_yard
    job_id = await yard.submit(steps=40, save_every=5, step_seconds=0.05)
    frozen, _ = await yard.start_pair(job_id)
    await yard.until_step(job_id, 7)
    await yard.freeze(frozen)
    view = await yard.until_state(job_id)
    assert view.result == {"digest": digest_after(40), "steps": 40}
    assert (view.state, view.attempt) == ("succeeded", 1)
    assert view.lease > 1
    before = await settled_picture(yard, job_id)
    frozen.send(signal.SIGCONT)
    await yard.until("it to notice", lambda: f"job {job_id} is left to another worker" in frozen.log())
    await asyncio.sleep(0.3)  # a few of its rounds
    assert picture(yard, job_id) == before


async def test_a_thawed_worker_leaves_the_running_child_to_its_successor(hasty_yard: Yard) -> None:
    yard = hasty_yard
    job_id = await yard.submit(steps=80, save_every=5, step_seconds=0.05)
    frozen, _ = await yard.start_pair(job_id)
    await yard.until_step(job_id, 5)
    await yard.freeze(frozen)

    async def is_taken_over() -> bool:
        return (await yard.job(job_id)).lease > 1

    await yard.until("the second worker", is_taken_over)
    lease_file = yard.run(job_id, 1).lease_file(1)
    touched = lease_file.stat().st_mtime_ns
    frozen.send(signal.SIGCONT)
    await yard.until("it to notice", lambda: f"job {job_id} is left to another worker" in frozen.log())
    assert yard.child(job_id, 1) is not None, "it killed the child"
    view = await yard.until_state(job_id)
    assert view.result == {"digest": digest_after(80), "steps": 80}
    assert view.attempt == 1
    assert lease_file.stat().st_mtime_ns == touched
    steps = [event.payload["step"] for event in await yard.events(job_id, "metric")]
    assert steps == list(range(1, 81))


async def test_a_frozen_child_is_replaced_and_cannot_touch_its_successors_files(hasty_yard: Yard) -> None:
    yard = hasty_yard
    job_id = await yard.submit(steps=60, save_every=5, step_seconds=0.05)
    yard.work_here()
    await yard.until_step(job_id, 7)
    child = yard.child(job_id, 1)
    assert child is not None
    child.suspend()
    view = await yard.until_state(job_id)
    assert view.result == {"digest": digest_after(60), "steps": 60}
    assert view.attempt >= 2
    assert "no sign of life" in await yard.log(job_id)
