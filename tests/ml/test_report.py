"""The child's side of the border, with real processes where the process is what matters."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.fixtures.server import wait_until
from tunesmith.ml.report import EXIT_ABANDONED, Reporter
from tunesmith.wire.events import CheckpointSaved, Failed, Finished, LogLine, Metric, Progress
from tunesmith.wire.run_dir import RunDirectory


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "attempts" / "1", {"lease_seconds": 0.3})


def start(run: RunDirectory, body: str) -> subprocess.Popen[bytes]:
    """A child that waits inside a reporter."""
    program = "import sys, time\nfrom tunesmith.ml.report import Reporter\nwith Reporter(sys.argv[1]) as report:\n"
    command = [sys.executable, "-c", program + textwrap.indent(textwrap.dedent(body), "    "), str(run.path)]
    with run.output_file.open("wb") as output:
        return subprocess.Popen(command, stderr=output)


def test_events_are_read_back_as_they_were_told(run: RunDirectory) -> None:
    with Reporter(run) as report:
        report.progress(1, 10)
        report.progress(3, 10, "training")
        report.metric(3, {"loss": 1.5}, epoch=0.3)
        report.checkpoint(3, run.checkpoints / "step-3", size_bytes=9, removed=[run.checkpoints / "step-1"])
        report.finished({"loss": 1.5})
        report.progress(4, 10)
    events = [event for _, event, _ in run.read_events()]
    assert [type(e) for e in events] == [Progress, Progress, Metric, CheckpointSaved, Finished]
    progress, checkpoint = events[1], events[3]
    assert isinstance(progress, Progress)
    assert progress.eta_seconds is not None
    assert isinstance(checkpoint, CheckpointSaved)
    assert checkpoint.path == "checkpoints/step-3"
    assert checkpoint.removed == ["checkpoints/step-1"]


def test_a_loss_that_is_not_a_number_is_a_warning_and_the_other_values_stay(run: RunDirectory) -> None:
    with Reporter(run, watch=False) as report:
        report.metric(3, {"loss": float("nan"), "grad_norm": float("inf"), "learning_rate": 0.1})
    events = [event for _, event, _ in run.read_events()]
    assert [event.message for event in events if isinstance(event, LogLine)] == [
        "loss is nan at step 3",
        "grad_norm is inf at step 3",
    ]
    assert [event.values for event in events if isinstance(event, Metric)] == [{"learning_rate": 0.1}]


def test_the_last_word_is_said_once(run: RunDirectory) -> None:
    with Reporter(run, watch=False) as report:
        report.failed("DATASET_ERROR", "row 3 has no answer", code="dataset", hint="give it one")
        report.finished({})
    (event,) = [event for _, event, _ in run.read_events()]
    assert isinstance(event, Failed)
    assert event.error_type == "DATASET_ERROR"


@pytest.mark.parametrize(
    ("raised", "error_type", "reason"),
    [
        ("MemoryError()", "GPU_ERROR", "out-of-memory"),
        ("RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')", "GPU_ERROR", "out-of-memory"),
        ("OSError(28, 'No space left on device')", "DISK_ERROR", "disk-full"),
        ("KeyError('q_proj')", "ENGINE_ERROR", None),
    ],
)
def test_an_unexpected_error_becomes_a_classified_last_word(
    run: RunDirectory, raised: str, error_type: str, reason: str | None
) -> None:
    child = start(run, f"raise {raised}")
    assert child.wait(30) == 1
    assert run.output_file.read_bytes().count(b"Traceback") == 1  # in the output, for the developer
    (event,) = [event for _, event, _ in run.read_events()]
    assert isinstance(event, Failed)
    assert (event.error_type, event.reason) == (error_type, reason)
    assert "Traceback" not in event.message


def test_a_child_whose_lease_goes_stale_leaves_with_75(run: RunDirectory) -> None:
    run.lease_file(1).touch()
    started = time.monotonic()
    child = start(run, "time.sleep(60)")
    wait_until("a sign of life", run.heartbeat_file.exists)
    while time.monotonic() - started < 1.0:
        run.lease_file(1).touch()
        assert child.poll() is None
        time.sleep(0.05)
    assert child.wait(10) == EXIT_ABANDONED
    assert "renewed" in run.abandoned_file.read_text()


def test_a_child_without_any_lease_file_is_run_by_hand_and_stays(run: RunDirectory) -> None:
    child = start(run, "time.sleep(1.2)\nreport.finished({})")
    assert child.wait(30) == 0
    assert not run.abandoned_file.exists()


def test_a_superseded_child_leaves_although_its_lease_is_fresh(run: RunDirectory) -> None:
    run.lease_file(1).touch()
    child = start(run, "time.sleep(60)")
    wait_until("a sign of life", run.heartbeat_file.exists)
    (run.path.parent / "2").mkdir()
    os.utime(run.lease_file(1))
    assert child.wait(10) == EXIT_ABANDONED
    assert "later attempt" in run.abandoned_file.read_text()


def test_a_torn_line_spoils_itself_only(run: RunDirectory) -> None:
    run.events_file.write_bytes(b'{"type": "metric", "st')
    with Reporter(run, watch=False) as report:
        report.finished({"steps": 3})
    events = [event for _, event, _ in run.read_events()]
    assert events[0] is None
    assert isinstance(events[1], Finished)
    assert events[1].result == {"steps": 3}
