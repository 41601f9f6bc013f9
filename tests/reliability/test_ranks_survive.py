"""A run that two processes share, through the server: a rank is killed, then the agent; the job ends by itself as undisturbed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil
import pytest

from tests.fixtures.server import Server, wait_until
from tests.reliability.test_training_survives import ADMIN, QUICK, SAVE_EVERY, events, recipe, rows, saved_steps

pytestmark = [pytest.mark.early, pytest.mark.long, pytest.mark.matrix]
STEPS = 100


def upload(server: Server) -> dict[str, Any]:
    """The rows as a dataset."""
    file = {"file": ("rows.jsonl", rows())}
    dataset: dict[str, Any] = server.http.post(f"{ADMIN}/training/datasets", files=file, data={"name": "rows"}).json()
    server.wait_for_job(dataset["job_id"])
    return dataset


def start(server: Server, dataset: dict[str, Any]) -> int:
    """A run of two ranks."""
    plan = recipe(dataset) | {"resources": {"device": "cpu", "processes": 2}}
    plan["training"] |= {"max_steps": STEPS}
    started = server.http.post(f"{ADMIN}/finetuning/jobs", json=plan)
    assert started.status_code == 201, started.text
    return int(started.json()["id"])


def rank_of(process: psutil.Process) -> str | None:
    """The rank that a process of a run is; None for the agent, and empty for one that has just ended."""
    try:
        return process.environ().get("RANK")
    except psutil.NoSuchProcess:
        return ""


def of_rank(server: Server, rank: int) -> list[psutil.Process]:
    """The processes that are this rank of a run."""
    return [process for process in server.processes("tunesmith.ml.sft") if rank_of(process) == str(rank)]


def agents(server: Server) -> list[psutil.Process]:
    return [process for process in server.processes("tunesmith.ml.sft") if rank_of(process) is None]


def test_a_killed_rank_and_a_killed_agent(make_server: Callable[..., Server]) -> None:
    server = make_server(**QUICK).start()
    dataset = upload(server)
    whole = server.wait_for_job(start(server, dataset), timeout_seconds=240)
    assert whole["state"] == "succeeded", whole

    run_id = start(server, dataset)
    for victims in (lambda: of_rank(server, 1), lambda: agents(server)):
        before = saved_steps(server, run_id)
        wait_until(
            "two more checkpoints", lambda before=before: saved_steps(server, run_id) >= before + 2 * SAVE_EVERY, 180
        )
        victims()[0].kill()
    job: dict[str, Any] = server.wait_for_job(run_id, timeout_seconds=240)

    assert job["state"] == "succeeded", job
    for name in ("weights_sha256", "final_loss", "trained_tokens"):
        assert job["result"][name] == whole["result"][name], name
    assert job["result"]["resumed"] is True
    told = [e for e in events(server, run_id) if e["type"] == "metric" and "loss" in e["values"]]
    first_steps: dict[int, int] = {}
    for event in told:
        first_steps.setdefault(event["attempt"], event["step"])
    assert len(first_steps) == 3
    assert all(step > SAVE_EVERY for attempt, step in first_steps.items() if attempt > 1), first_steps
    points = server.http.get(f"{ADMIN}/finetuning/jobs/{run_id}/metrics").json()["points"]
    assert points[-1]["figures"]["rank_1_tokens_per_second"] > 0
