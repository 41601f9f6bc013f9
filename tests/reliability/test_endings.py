"""Stop keeps, cancel discards; what cannot work fails with a sentence; what may work is tried again."""

from __future__ import annotations

import pytest

from tests.reliability.conftest import Yard
from tests.reliability.counting_child import digest_after

LONG = {"steps": 400, "save_every": 5, "step_seconds": 0.05}


async def test_stop_keeps_the_checkpoint_and_resume_goes_on_from_it(yard: Yard) -> None:
    job_id = await yard.submit(steps=30, save_every=5, step_seconds=0.05)
    yard.work_here()
    await yard.until_step(job_id, 7)
    assert (await yard.ask("stop", job_id)).state == "stopping"
    stopped = await yard.until_state(job_id)
    assert (stopped.state, stopped.end_requested) == ("stopped", "stop")
    assert yard.child(job_id, 1) is None
    reached = stopped.step
    assert (await yard.ask("resume", job_id)).state == "queued"
    done = await yard.until_state(job_id)
    assert done.state == "succeeded"
    assert done.result == {"digest": digest_after(30), "steps": 30}
    assert done.resumed
    second = [event.payload["step"] for event in await yard.events(job_id, "metric") if event.attempt == 2]
    assert second == list(range(reached + 1, 31))


async def test_a_damaged_checkpoint_is_passed_over(yard: Yard) -> None:
    job_id = await yard.submit(steps=30, save_every=5, step_seconds=0.05)
    yard.work_here()
    await yard.until_step(job_id, 12)
    await yard.ask("stop", job_id)
    await yard.until_state(job_id, "stopped")
    older, newest = sorted(yard.run(job_id, 1).checkpoints.iterdir())[-2:]
    (newest / "state.json").write_text('{"step": 29, "digest": "forged"}')
    await yard.ask("resume", job_id)
    done = await yard.until_state(job_id)
    assert done.result == {"digest": digest_after(30), "steps": 30}
    assert f"checkpoint of step {int(older.name.removeprefix('step-'))}." in await yard.log(job_id)


async def test_cancel_ends_the_child_and_discards_its_checkpoints(yard: Yard) -> None:
    job_id = await yard.submit(**LONG)
    yard.work_here()
    await yard.until_step(job_id, 7)
    assert (await yard.ask("cancel", job_id)).state == "stopping"
    view = await yard.until_state(job_id)
    assert view.state == "cancelled"
    assert yard.child(job_id, 1) is None
    assert not yard.run(job_id, 1).checkpoints.exists()
    assert yard.run(job_id, 1).events_file.exists()
    # a retry starts from nothing
    await yard.ask("retry", job_id)
    await yard.until_step(job_id, 1, attempt=2)
    first = next(event for event in await yard.events(job_id, "metric") if event.attempt == 2)
    assert first.payload["step"] == 1
    await yard.ask("cancel", job_id)
    await yard.until_state(job_id, "cancelled")


async def test_a_child_that_does_not_listen_is_killed_after_the_grace_time(yard: Yard) -> None:
    job_id = await yard.submit(**(LONG | {"misdeed": "deaf"}))
    yard.work_here()
    await yard.until_step(job_id, 3)
    await yard.ask("cancel", job_id)
    view = await yard.until_state(job_id)
    assert view.state == "cancelled"
    assert yard.child(job_id, 1) is None
    assert "took too long" in await yard.log(job_id)


async def test_work_in_the_worker_itself_is_cancelled_at_once(yard: Yard) -> None:
    job_id = await yard.submit("doze", a=60)
    yard.work_here()
    await yard.until_state(job_id, "running")
    await yard.ask("cancel", job_id)
    assert (await yard.until_state(job_id)).state == "cancelled"


async def test_three_starts_without_a_checkpoint_fail_the_job_with_a_reason(yard: Yard) -> None:
    job_id = await yard.submit(misdeed="memory")
    yard.work_here()
    view = await yard.until_state(job_id)
    assert view.state == "failed"
    assert view.error is not None
    assert (view.error.error_type, view.error.reason, view.attempt) == ("GPU_ERROR", "out-of-memory", 3)
    assert "Traceback" not in view.error.message
    assert view.error.hint
    assert (await yard.log(job_id)).count("MemoryError: cannot allocate 9 TiB") == 3


async def test_a_child_that_dies_again_and_again_goes_on_while_it_reaches_new_checkpoints(yard: Yard) -> None:
    job_id = await yard.submit(steps=22, save_every=5, step_seconds=0.001, misdeed="die")
    yard.work_here()
    view = await yard.until_state(job_id)
    assert view.state == "succeeded", view.error
    assert view.result == {"digest": digest_after(22), "steps": 22}
    assert view.attempt == 5, "four deaths, each after a new checkpoint"


@pytest.mark.parametrize(
    ("misdeed", "error_type", "code"),
    [("fail", "DATASET_ERROR", "dataset-empty"), ("disk-full", "DISK_ERROR", "disk-full")],
)
async def test_a_failure_that_the_child_explains_is_final(yard: Yard, misdeed: str, error_type: str, code: str) -> None:
    job_id = await yard.submit(misdeed=misdeed)
    yard.work_here()
    view = await yard.until_state(job_id)
    assert view.state == "failed"
    assert view.error is not None
    assert (view.error.error_type, view.error.code, view.attempt) == (error_type, code, 1)
    assert view.error.hint


async def test_a_child_without_a_sign_of_life_is_replaced(hasty_yard: Yard) -> None:
    job_id = await hasty_yard.submit(steps=12, save_every=5, step_seconds=0.02, misdeed="hang")
    hasty_yard.work_here()
    view = await hasty_yard.until_state(job_id)
    assert view.state == "succeeded", view.error
    assert view.attempt >= 2
    assert "no sign of life" in await hasty_yard.log(job_id)


async def test_a_fault_in_a_task_is_a_sentence_and_not_a_traceback(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await yard.submit("add", a=-1)
    yard.work_here()
    view = await yard.until_state(job_id)
    assert view.state == "failed"
    assert view.error is not None
    assert view.error.code == "internal"
    assert "ValueError" in view.error.message
    assert "ValueError: negative" in caplog.text, "the log has it all"
