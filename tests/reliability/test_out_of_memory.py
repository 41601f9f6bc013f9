"""Memory ends: by the allocator's error, and by the system's own kill in a memory group, which is no person's `kill -9`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.conftest import Yard
from tests.reliability.counting_child import digest_after

LIMIT_MIB = 96
"""The counting child needs about 40 MiB besides what it eats."""


@pytest.fixture
def memory_group() -> Iterator[Path]:
    """A memory group of our own with a limit; processes are moved into it by ``join``."""
    first_version = Path("/sys/fs/cgroup/memory")
    place = (first_version if first_version.is_dir() else Path("/sys/fs/cgroup")) / f"tunesmith-test-{os.getpid()}"
    place.mkdir()
    limit = str(LIMIT_MIB << 20)
    if first_version.is_dir():
        (place / "memory.limit_in_bytes").write_text(limit)
        with contextlib.suppress(OSError):
            (place / "memory.memsw.limit_in_bytes").write_text(limit)
    else:
        (place / "memory.max").write_text(limit)
        (place / "memory.swap.max").write_text("0")
    yield place
    for pid in (place / "cgroup.procs").read_text().split():
        (place.parent / "cgroup.procs").write_text(pid)
    place.rmdir()


def join(group: Path, pid: int) -> None:
    """Move a process."""
    (group / "cgroup.procs").write_text(str(pid))


async def test_the_systems_kill_is_repaired_and_goes_on_from_the_checkpoint(yard: Yard, memory_group: Path) -> None:
    job_id = await yard.submit(steps=30, save_every=5, step_seconds=0.1, eat_mib=160)
    yard.work_here()
    await yard.until_step(job_id, 1)
    child = yard.child(job_id, 1)
    assert child is not None
    join(memory_group, child.pid)
    done = await yard.until_state(job_id)
    assert (done.state, done.result) == ("succeeded", {"digest": digest_after(30), "steps": 30}), done.error
    log = await yard.log(job_id)
    assert "ran out of memory" in log
    assert "Repaired: it eats 80 MiB." in log
    assert "checkpoint of step 5." in log
    assert yard.run(job_id, 2).read_spec()["eat_mib"] == 80
    assert done.attempt == 2


async def test_a_persons_kill_in_a_memory_group_repairs_nothing(yard: Yard, memory_group: Path) -> None:
    job_id = await yard.submit(steps=20, save_every=5, step_seconds=0.1, eat_mib=32)
    yard.work_here()
    await yard.until_step(job_id, 7)
    child = yard.child(job_id, 1)
    assert child is not None
    join(memory_group, child.pid)
    await yard.until_step(job_id, 9)
    child.kill()
    done = await yard.until_state(job_id)
    assert done.result == {"digest": digest_after(20), "steps": 20}
    log = await yard.log(job_id)
    assert "was killed (SIGKILL)" in log
    assert "out of memory" not in log
    assert yard.run(job_id, 2).read_spec()["eat_mib"] == 32


async def test_a_successor_keeps_the_repair_and_the_last_one_gives_up(yard: Yard) -> None:
    """What nothing can repair fails after the usual three starts, and never goes round for ever."""
    job_id = await yard.submit(misdeed="memory", eat_mib=100)
    yard.work_here()
    failed = await yard.until_state(job_id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert (failed.error.code, failed.error.reason) == ("out-of-memory", "out-of-memory")
    eaten = [yard.run(job_id, n).read_spec()["eat_mib"] for n in range(1, failed.attempt + 1)]
    assert eaten == [100, 50, 50, 50]
    assert await yard.log(job_id)
