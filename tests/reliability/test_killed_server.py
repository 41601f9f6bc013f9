"""`kill -9` of the server: its worker finishes what it has and goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.reliability.conftest import Yard
from tests.reliability.kinds import ROOT


async def test_the_worker_of_a_killed_server_finishes_its_job_and_claims_no_other(yard: Yard, tmp_path: Path) -> None:
    running = await yard.submit(steps=60, save_every=10, step_seconds=0.05)
    waiting = await yard.submit("add", a=1)
    log = tmp_path / "worker.log"
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, subprocess, sys, time\n"
            "command = [sys.executable, '-m', 'tests.reliability.kinds', sys.argv[1], f'--parent={os.getpid()}']\n"
            "subprocess.Popen(command, stderr=open(sys.argv[2], 'wb'), start_new_session=True)\n"
            "time.sleep(600)\n",
            str(yard.data_dir),
            str(log),
        ],
        cwd=ROOT,
    )
    await yard.until_step(running, 3)
    server.kill()
    server.wait()
    await yard.until("the worker to end", lambda: "the server that started it is gone" in log.read_text())
    assert (await yard.job(running)).state == "succeeded"
    assert (await yard.job(waiting)).state == "queued"


async def test_a_worker_whose_server_was_killed_before_it_was_ready_claims_nothing(yard: Yard) -> None:
    waiting = await yard.submit("add", a=1)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    command = [sys.executable, "-m", "tests.reliability.kinds", str(yard.data_dir), f"--parent={gone.pid}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "the server that started it is gone" in done.stderr
    assert (await yard.job(waiting)).state == "queued"
