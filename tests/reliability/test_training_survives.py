"""A real training run, killed three times: the child, then the worker, then the server. It ends by itself, with the same
weights as a run that nobody disturbed, and without doing again what a checkpoint already had."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fixtures.server import Server, wait_until

pytestmark = pytest.mark.early

QUICK = {"TUNESMITH_JOBS__LEASE_SECONDS": "3"}
STEPS, SAVE_EVERY = 90, 5
ADMIN = "/api/v1/admin"


def rows() -> bytes:
    """A small conversation set."""
    lines = []
    for number in range(24):
        messages = [
            {"role": "user", "content": f"{number} 더하기 {number}은 얼마예요?"},
            {"role": "assistant", "content": f"{number * 2}입니다."},
        ]
        lines.append(json.dumps({"messages": messages}, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def recipe(dataset: dict[str, Any]) -> dict[str, Any]:
    """A short run with many checkpoints."""
    return {
        "name": "survivor",
        "model": {"base": "tunesmith/tiny"},
        "data": {"train": f"dataset:{dataset['name']}@{dataset['version']}"},
        "method": {"lora": {"r": 4, "dropout": 0.1}},
        "training": {
            "max_steps": STEPS,
            "batch_size": 2,
            "max_length": 64,
            "save_steps": SAVE_EVERY,
            "precision": "fp32",
            "keep_last_n": 3,
        },
        "evaluate": {"enabled": False},
    }


def start_run(server: Server) -> int:
    """Upload, wait for the doctor, start the run."""
    uploaded = server.http.post(
        f"{ADMIN}/training/datasets", files={"file": ("rows.jsonl", rows())}, data={"name": "rows"}
    )
    uploaded.raise_for_status()
    dataset = uploaded.json()
    server.wait_for_job(dataset["job_id"])
    started = server.http.post(f"{ADMIN}/finetuning/jobs", json=recipe(dataset))
    assert started.status_code == 201, started.text
    return int(started.json()["id"])


def saved_steps(server: Server, run_id: int) -> int:
    """The step of the newest checkpoint."""
    items = server.http.get(f"{ADMIN}/finetuning/jobs/{run_id}/checkpoints").json()["items"]
    return max((int(c["step"]) for c in items), default=0)


def events(server: Server, run_id: int) -> list[dict[str, Any]]:
    """Every event of a job that has ended."""
    found = []
    with server.http.stream("GET", f"{ADMIN}/jobs/{run_id}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                found.append(json.loads(line[5:]))
    return found


@pytest.fixture(scope="module")
def undisturbed(make_server: Callable[..., Server]) -> dict[str, Any]:
    """The result of a run that nobody disturbed."""
    server = make_server(**QUICK).start()
    job = server.wait_for_job(start_run(server), timeout_seconds=180)
    server.stop()
    assert job["state"] == "succeeded", job
    result: dict[str, Any] = job["result"]
    return result


@pytest.mark.matrix
def test_child_worker_and_server_killed(make_server: Callable[..., Server], undisturbed: dict[str, Any]) -> None:
    server = make_server(**QUICK).start()
    run_id = start_run(server)

    wait_until("three checkpoints", lambda: saved_steps(server, run_id) >= 3 * SAVE_EVERY, 120)
    for child in server.processes("tunesmith.ml.sft"):
        child.kill()
    at_first_kill = saved_steps(server, run_id)
    wait_until(
        "progress after the child's death", lambda: saved_steps(server, run_id) >= at_first_kill + SAVE_EVERY, 120
    )

    for worker in server.processes("tunesmith.worker"):
        worker.kill()
    at_second_kill = saved_steps(server, run_id)
    wait_until(
        "progress after the worker's death", lambda: saved_steps(server, run_id) >= at_second_kill + SAVE_EVERY, 120
    )

    family = [*server.processes(), *orphans(server.data_dir)]
    server.kill()
    for process in family:
        process.send_signal(signal.SIGKILL)
    assert saved_before_the_end(server.data_dir, run_id) <= STEPS - 3 * SAVE_EVERY, "the last kill came too late"
    server.start()
    job = server.wait_for_job(run_id, timeout_seconds=180)

    assert job["state"] == "succeeded", job
    assert job["result"]["weights_sha256"] == undisturbed["weights_sha256"]
    assert job["result"]["final_loss"] == undisturbed["final_loss"]
    assert job["result"]["trained_tokens"] == undisturbed["trained_tokens"]
    assert job["result"]["resumed"] is True
    first_steps = {}
    for event in events(server, run_id):
        if event["type"] == "metric" and "loss" in event["values"]:
            first_steps.setdefault(event["attempt"], event["step"])
    assert len(first_steps) >= 3
    later = [step for attempt, step in sorted(first_steps.items())][1:]
    assert all(step > 3 * SAVE_EVERY for step in later), f"a start went back to the beginning: {first_steps}"


def orphans(data_dir: Path) -> list[psutil.Process]:
    """Children whose worker was killed: nobody's descendants now, and named by their run directory."""
    everything = psutil.process_iter(["cmdline"])
    return [one for one in everything if any(str(data_dir / "runs") in word for word in one.info["cmdline"] or ())]


def saved_before_the_end(data_dir: Path, run_id: int) -> int:
    """The newest checkpoint on disk, read from the run directory while no server runs."""
    manifests = (data_dir / "runs" / str(run_id) / "attempts").glob("*/checkpoints/*/manifest.json")
    return max(int(json.loads(m.read_text())["step"]) for m in manifests)
