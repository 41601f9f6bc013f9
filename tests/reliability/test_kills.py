"""`kill -9` of the child, of the worker, of both: the job ends by itself as if nothing had happened."""

from __future__ import annotations

import asyncio
import signal

from tests.reliability.conftest import CALM_LEASE_SECONDS, Yard
from tests.reliability.counting_child import digest_after

SPEC = {"steps": 40, "save_every": 5, "step_seconds": 0.05}


async def assert_like_uninterrupted(yard: Yard, job_id: int, steps: int = 40) -> None:
    view = await yard.until_state(job_id)
    assert view.state == "succeeded", view.error
    assert view.result == {"digest": digest_after(steps), "steps": steps}
    assert view.progress == 1.0
    offsets = [event.offset for event in await yard.events(job_id)]
    assert offsets == sorted(set(offsets))


async def test_a_killed_child_goes_on_from_its_last_checkpoint(yard: Yard) -> None:
    job_id = await yard.submit(**SPEC)
    yard.work_here()
    await yard.until_step(job_id, 17)
    child = yard.child(job_id, 1)
    assert child is not None
    child.kill()
    await assert_like_uninterrupted(yard, job_id)
    view = await yard.job(job_id)
    assert (view.attempt, view.lease, view.resumed) == (2, 1, True)
    second = [event.payload["step"] for event in await yard.events(job_id, "metric") if event.attempt == 2]
    assert second == list(range(second[0], 41))
    assert second[0] >= 16, "it started before its last checkpoint"
    assert "was killed (SIGKILL)" in await yard.log(job_id)


async def test_a_worker_that_follows_a_killed_one_takes_up_the_living_child(hasty_yard: Yard) -> None:
    yard = hasty_yard
    job_id = await yard.submit(**SPEC)
    first, _ = await yard.start_pair(job_id)
    await yard.until_step(job_id, 7)
    child = yard.child(job_id, 1)
    first.kill()
    await assert_like_uninterrupted(yard, job_id)
    view = await yard.job(job_id)
    assert (view.attempt, view.resumed) == (1, False)
    assert view.lease > 1
    assert child is not None
    steps = [event.payload["step"] for event in await yard.events(job_id, "metric")]
    assert steps == list(range(1, 41)), "every line once, in order"


async def test_worker_and_child_killed_together(hasty_yard: Yard) -> None:
    yard = hasty_yard
    job_id = await yard.submit(**SPEC)
    first, _ = await yard.start_pair(job_id)
    await yard.until_step(job_id, 12)
    child = yard.child(job_id, 1)
    assert child is not None
    first.kill()
    child.kill()
    await assert_like_uninterrupted(yard, job_id)
    view = await yard.job(job_id)
    assert (view.attempt, view.resumed) == (2, True)
    assert view.lease > 1


async def test_a_child_that_ended_while_no_worker_was_there_is_not_run_again(hasty_yard: Yard) -> None:
    yard = hasty_yard
    job_id = await yard.submit(steps=12, save_every=5, step_seconds=0.02)
    first = yard.start_worker()
    await yard.until("the child", lambda: yard.child(job_id, 1))
    first.kill()
    await yard.until("its end", lambda: yard.child(job_id, 1) is None)
    yard.work_here()
    await assert_like_uninterrupted(yard, job_id, 12)
    assert (await yard.job(job_id)).attempt == 1


async def test_an_orphaned_child_leaves_and_that_start_is_forgiven(hasty_yard: Yard) -> None:
    yard = hasty_yard
    job_id = await yard.submit(steps=200, save_every=100, step_seconds=0.02)
    first = yard.start_worker()
    await yard.until_step(job_id, 3)
    first.kill()
    await yard.until("the child to leave", lambda: yard.child(job_id, 1) is None)
    assert "renewed" in yard.run(job_id, 1).abandoned_file.read_text()
    yard.work_here()
    await yard.until_step(job_id, 3, attempt=2)
    assert "no worker held its lease" in await yard.log(job_id)
    await yard.ask("cancel", job_id)
    await yard.until_state(job_id, "cancelled")


async def test_a_drained_worker_gives_its_job_back_at_once(yard: Yard) -> None:
    job_id = await yard.submit(**SPEC)
    owner, _ = await yard.start_pair(job_id)
    await yard.until_step(job_id, 7)
    child = yard.child(job_id, 1)
    owner.send(signal.SIGTERM)

    async def is_taken_over() -> bool:
        return (await yard.job(job_id)).lease == 2

    await yard.until("the other worker", is_taken_over, timeout_seconds=CALM_LEASE_SECONDS / 2)
    assert await asyncio.to_thread(owner.process.wait, 10) == 0
    assert child is not None
    assert child.is_running()
    await assert_like_uninterrupted(yard, job_id)
    assert (await yard.job(job_id)).attempt == 1
