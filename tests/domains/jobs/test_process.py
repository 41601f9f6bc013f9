"""A process is known again by more than its number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith.domains.jobs.process import Beat, find_child, start_child
from tunesmith.domains.jobs.verdict import judge
from tunesmith.wire.run_dir import RunDirectory


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "sleeper.py").write_text("import time\ntime.sleep(60)\n")
    return RunDirectory.create(tmp_path / "attempts" / "1", {})


def environment(run: RunDirectory) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(run.path.parents[1])}


def test_a_child_is_found_again_and_killed_by_another_worker(run: RunDirectory) -> None:
    started = start_child(run, "sleeper", 0, environment(run))
    found = find_child(run)
    assert found is not None
    assert (found.is_alive(), found.is_ours, found.exit_code) == (True, False, None)
    found.kill()
    deadline = time.monotonic() + 10
    while started.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert started.exit_code == -9
    assert not found.is_alive()


def test_another_process_with_the_same_number_is_left_alone(run: RunDirectory) -> None:
    started = start_child(run, "sleeper", 0, environment(run))
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        document = json.loads(run.child_file.read_text())
        run.child_file.write_text(json.dumps(document | {"pid": stranger.pid}))
        found = find_child(run)
        assert found is not None
        assert not found.is_alive()
        found.kill()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        started.kill()


def test_a_child_of_another_machine_is_never_signalled(run: RunDirectory) -> None:
    started = start_child(run, "sleeper", 0, environment(run))
    document = json.loads(run.child_file.read_text())
    run.child_file.write_text(json.dumps(document | {"host": "elsewhere"}))
    found = find_child(run)
    assert found is not None
    assert found.is_elsewhere
    assert found.is_alive(), "only its heartbeat can tell"
    found.kill()
    assert started.is_alive()
    started.kill()


def test_nothing_is_found_where_nothing_was_started(run: RunDirectory) -> None:
    assert find_child(run) is None
    run.child_file.write_text("{")
    assert find_child(run) is None


def test_our_own_sleep_makes_no_beat_stale(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    beat = Beat(run, 10.0)
    run.heartbeat_file.touch()
    assert not beat.is_stale()
    now += 1000  # this machine slept
    assert not beat.is_stale()
    for _ in range(4):
        now += 6
        stale = beat.is_stale()
    assert stale, "24 s of looking without a beat"


@pytest.mark.parametrize(
    ("lines", "exit_code", "killed_for_memory", "error_type", "reason"),
    [
        (["MemoryError"], 1, False, "GPU_ERROR", "out-of-memory"),
        (["torch.OutOfMemoryError: CUDA out of memory."], 1, False, "GPU_ERROR", "out-of-memory"),
        ([], -9, True, "GPU_ERROR", "out-of-memory"),
        (["OSError: [Errno 28] No space left on device"], 1, False, "DISK_ERROR", "disk-full"),
        ([], -9, False, "ENGINE_ERROR", "killed"),
        (["Segmentation fault"], -11, False, "ENGINE_ERROR", "killed"),
        (["what?"], 3, False, "ENGINE_ERROR", None),
    ],
)
def test_the_verdict_names_the_cause(
    lines: list[str], exit_code: int, killed_for_memory: bool, error_type: str, reason: str | None
) -> None:
    failure = judge(lines, exit_code, killed_for_memory=killed_for_memory, starts=3)
    assert (failure.error_type, failure.reason) == (error_type, reason)
    assert failure.hint
    assert "3 times" in failure.message
