"""A real training run, killed twenty times: child, worker, server or all of them, at moments that a seed chooses; and a full disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.server import Server, wait_until
from tests.reliability.test_training_survives import ADMIN, QUICK, orphans, recipe, rows, saved_before_the_end

pytestmark = pytest.mark.early

KILLS, STEPS, SAVE_EVERY = 20, 600, 5


def begin(server: Server, **training: Any) -> int:
    """Upload the rows and start a run."""
    form = {"name": "rows"}
    uploaded = server.http.post(f"{ADMIN}/training/datasets", files={"file": ("rows.jsonl", rows())}, data=form)
    uploaded.raise_for_status()
    plan = recipe(uploaded.json())
    plan["training"] |= training
    started = server.http.post(f"{ADMIN}/finetuning/jobs", json=plan)
    assert started.status_code == 201, started.text
    return int(started.json()["id"])


def saved(server: Server, run_id: int) -> int:
    """The newest checkpoint on disk; 0 before the first."""
    manifests = server.data_dir / "runs" / str(run_id) / "attempts"
    return saved_before_the_end(server.data_dir, run_id) if any(manifests.glob("*/checkpoints/*/manifest.json")) else 0


def strike(server: Server, victim: str) -> None:
    """`kill -9`; a dead server is started again by a person, everything else by itself."""
    if victim in ("child", "worker"):
        for process in server.processes({"child": "tunesmith.ml.sft", "worker": "tunesmith.worker"}[victim]):
            process.kill()
        return
    family = [*server.processes(), *orphans(server.data_dir)]
    server.kill()
    if victim == "all":
        for process in family:
            process.send_signal(signal.SIGKILL)
    server.start()


@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_twenty_kills_change_nothing(make_server: Callable[..., Server]) -> None:
    plan = {"max_steps": STEPS, "save_steps": SAVE_EVERY}
    calm = make_server(**QUICK).start()
    undisturbed = calm.wait_for_job(begin(calm, **plan), timeout_seconds=900)["result"]
    calm.stop()

    chance = random.Random(20)
    server = make_server(**QUICK).start()
    run_id = begin(server, **plan)
    reached = 0
    for number in range(KILLS):
        wait_until(f"progress before kill {number}", lambda r=reached: saved(server, run_id) > r, 300, 0.02)
        time.sleep(chance.uniform(0, 0.5))  # between any two writes: the moment is the subject of this test
        reached = saved(server, run_id)
        assert reached < STEPS, f"only {number} kills came in time"
        strike(server, chance.choice(("child", "child", "worker", "server", "all")))
    done = server.wait_for_job(run_id, timeout_seconds=900)
    assert done["state"] == "succeeded", done
    for name in ("weights_sha256", "final_loss", "trained_tokens", "steps"):
        assert done["result"][name] == undisturbed[name], name
    assert done["result"]["resumed"] is True


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_space(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Run directories on a small file system of their own, filled by a file that is taken away again."""
    server = make_server(**QUICK)
    runs, room = server.data_dir / "runs", tmp_path / "room"
    runs.mkdir(parents=True)
    program = Path(sys.executable).with_name("tunesmith")
    script = (
        f"mount -t tmpfs -o size=100m tmpfs {runs} && head -c 97m /dev/zero > {runs}/ballast && "
        f"{{ while [ ! -e {room} ]; do sleep 0.2; done; rm {runs}/ballast; }} & exec {program} serve"
    )
    with server.log_path.open("ab") as log:
        server.process = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", script],
            env=server._environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    wait_until("the server", server._answers, 120)
    run_id = begin(server, max_steps=40, save_steps=2, keep_last_n=40)
    failed = server.wait_for_job(run_id, timeout_seconds=300)
    assert failed["state"] == "failed", failed
    assert (failed["error"]["error_type"], failed["error"]["reason"]) == ("DISK_ERROR", "disk-full")
    assert "resume" in failed["error"]["hint"]
    kept = server.http.get(f"{ADMIN}/finetuning/jobs/{run_id}/checkpoints").json()["items"]
    room.touch()
    wait_until("space", lambda: os.path.exists(room))
    resumed = server.http.post(f"{ADMIN}/finetuning/jobs/{run_id}/resume", json={})
    assert resumed.status_code == 200, resumed.text
    done = server.wait_for_job(run_id, timeout_seconds=300)
    assert done["state"] == "succeeded", done
    assert done["result"]["steps"] == 40
    assert done["result"]["resumed"] is bool(kept)
