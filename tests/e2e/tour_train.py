"""Every training call there is, in one scripted run: the 12 of the workbench and those of jobs, recipes and the system.

It knows the program through its client alone. `test_tour_train.py` runs it on the bundled model; by hand:

    python -m tests.e2e.tour_train

starts a server, drives it (with a merged model at the end), and prints how long each call took.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harbour import rows, write
from tests.fixtures.server import Server
from tunesmith.client import ApiError, TunesmithClient

JOBS = "/finetuning/jobs"
ADMIN = "/api/v1/admin"
LATER = ("POST /train/prepare", "POST /train/recommend-parameters", f"POST {JOBS}/preflight")
"""Calls of another part: taken along when they are there, passed over when this version answers that it has no such path."""


@dataclass
class TrainTour:
    """One person's way through all calls; ``seconds`` has each call with the time it took."""

    client: TunesmithClient
    steps: int = 12
    seconds: dict[str, float] = field(default_factory=dict)

    async def call(self, name: str, answer: Awaitable[Any]) -> Any:
        """Await an answer and note how long that took."""
        begin = time.perf_counter()
        try:
            found = await answer
        except ApiError as error:
            if name in LATER and error.status in (404, 405, 501):
                return None
            raise
        self.seconds[name] = round(time.perf_counter() - begin, 3)
        return found

    async def refused(self, status: int, answer: Awaitable[Any]) -> str:
        """The code of an answer that has to be a refusal."""
        with pytest.raises(ApiError) as refusal:
            await answer
        assert refusal.value.status == status, refusal.value
        return refusal.value.code

    async def workbench(self, data: Path, *, merged: bool) -> int:
        """The 12 calls of the workbench; answers the run."""
        bench, call = self.client.train, self.call
        assert await self.refused(404, bench.start()) == "no-current-dataset"
        uploaded = await self.client.dataset.upload(data, name="tour", wait=0)
        await self.client.wait_for_job(uploaded["job_id"])
        await self.client.call(
            "POST", "/model/upload", query={"model_path": "tunesmith/tiny", "wait": 60}, timeout_seconds=120
        )
        while "model_id" not in (current := await self.client.call("GET", "/model/current")) or "status" in current:
            await asyncio.sleep(0.2)
        assert (await call("GET /train/health", bench.health()))["status"] == "ready"
        lora = await call("POST /train/config-lora", bench.config_lora(r=8, alpha=16))
        assert (lora["method"], lora["lora"]["r"]) == ("lora", 8)
        await self._qlora()
        arguments = {"max_steps": self.steps, "batch_size": 2, "learning_rate": 0.005, "max_length": 128}
        configured = await call(
            "POST /train/config-training-args", bench.config_training_args(**arguments, save_steps=4, method="lora")
        )
        assert (configured["ready"], configured["training"]["max_steps"]) == (True, self.steps)
        prepared = await call("POST /train/prepare-dataset", bench.prepare_dataset(limit=3))
        assert {token["trained"] for row in prepared["rows"] for token in row["tokens"]} == {True, False}
        await call("POST /train/prepare", bench.prepare())
        await call("POST /train/recommend-parameters", bench.recommend_parameters())
        started = await call("POST /train/start", bench.start(name="tour", evaluate=False, validation_share=0.2))
        run = int(started["job_id"])
        assert await self.refused(409, bench.start()) == "training-active"
        await self._watched(run)
        status = await call("GET /train/status", bench.status())
        assert (status["status"], status["job_id"], status["step"]) == ("completed", run, self.steps), status
        assert status["loss"] is not None
        assert status["log"]
        history = await call("GET /train/history", bench.history(max_points=5))
        assert history["items"][0]["job_id"] == run
        assert 2 <= len(history["items"][0]["curves"]) <= 5
        measured = await call("POST /train/evaluate", bench.evaluate(metrics=["loss", "perplexity"]))
        assert measured["base"]["loss"] is not None
        assert measured["tuned"]["loss"] < measured["base"]["loss"], "it has learned"
        saved = await call("POST /train/save", bench.save(path="tour-adapter"))
        assert (Path(saved["path"]) / "adapter_model.safetensors").is_file()
        if merged:
            whole = await bench.save(format="merged", path="tour-merged")
            assert whole["certificate"]["passed"], whole
            assert (Path(whole["path"]) / "config.json").is_file()
        return run

    async def _qlora(self) -> None:
        """Chosen where the recipe has it; refused by name where it has not."""
        begin = time.perf_counter()
        asked = self.client.train.config_qlora(r=8)
        if "qlora" in (await self.client.train.health())["methods"]:
            assert (await asked)["method"] == "qlora"
        else:
            assert await self.refused(422, asked) == "configuration"
        self.seconds["POST /train/config-qlora"] = round(time.perf_counter() - begin, 3)

    async def _watched(self, run: int) -> None:
        """The run's events over a socket that breaks, and over the event stream: the same, each once."""
        begin = time.perf_counter()
        over_socket = []
        async for event in self.client.watch_job(run):
            over_socket.append(event)
            if len(over_socket) == 5:
                break
        async for event in self.client.watch_job(run, after=over_socket[-1]["offset"]):
            over_socket.append(event)
        self.seconds["WS /ws/jobs/{id}"] = round(time.perf_counter() - begin, 3)
        stream = [payload async for _offset, _kind, payload in self.client.job_events(run)]
        assert [event["offset"] for event in over_socket] == [event["offset"] for event in stream]
        assert {"state", "progress", "metric", "log", "checkpoint"} <= {event["type"] for event in stream}

    async def jobs(self, run: int) -> None:
        """The calls of fine-tuning jobs and of jobs, on a run that has ended and on one that is stopped and resumed."""
        client, call, place = self.client, self.call, f"{JOBS}/{run}"
        listed = await call(f"GET {JOBS}", client.get(JOBS, status="completed", search="tour", sort="-created_at"))
        assert [job["id"] for job in listed["items"]] == [run]
        job = await call(f"GET {JOBS}/{{id}}", client.get(place))
        assert job["progress"] == 1.0
        tail = await call(f"GET {JOBS}/{{id}}/logs", client.get(f"{place}/logs", tail=2))
        older = await client.get(f"{place}/logs", before=tail["lines"][0]["offset"], tail=1)
        assert older["next_offset"] < tail["lines"][0]["offset"]
        followed = [line["offset"] async for line in client.follow_logs(run)]
        assert followed[-2:] == [line["offset"] for line in tail["lines"]]
        curves = await call(f"GET {JOBS}/{{id}}/metrics", client.get(f"{place}/metrics", names="loss,eval_loss"))
        assert len(curves["points"]) == self.steps
        assert (await call(f"GET {JOBS}/{{id}}/samples", client.get(f"{place}/samples")))["job_id"] == run
        checkpoints = (await call(f"GET {JOBS}/{{id}}/checkpoints", client.get(f"{place}/checkpoints")))["items"]
        one = f"{place}/checkpoints/{checkpoints[0]['id']}"
        assert (await call("POST …/checkpoints/{id}/verify", client.post(f"{one}/verify")))["verified"]
        assert (await call("POST …/checkpoints/{id}/keep", client.post(f"{one}/keep")))["is_kept"]
        measured = await call(f"POST {JOBS}/{{id}}/evaluate", client.answer(f"{place}/evaluate", {"metrics": ["loss"]}))
        assert measured["tuned"]["loss"] is not None
        await call(f"POST {JOBS}/preflight", client.answer(f"{JOBS}/preflight", job["recipe"]))
        await call("DELETE …/checkpoints/{id}", client.call("DELETE", ADMIN + one))
        await self._stopped_and_resumed(job["recipe"])
        assert await self.refused(409, client.post(f"{place}/resume", {})) == "job-state"
        await call(f"DELETE {JOBS}/{{id}}", client.call("DELETE", ADMIN + place))
        assert await self.refused(404, client.get(place)) == "finetuning-job-not-found"

    async def _stopped_and_resumed(self, recipe: dict[str, Any]) -> None:
        client, call = self.client, self.call
        plan = {name: value for name, value in recipe.items() if value is not None}
        plan |= {"name": "longer", "training": {**plan["training"], "max_steps": 4 * self.steps, "save_steps": 500}}
        blocker = await call(f"POST {JOBS}", client.post(JOBS, plan))
        behind = await client.post(JOBS, {**plan, "name": "behind"}, priority=-1)
        waiting = await call("GET /jobs", client.get("/jobs", state="queued"))
        steps = {step["job_id"] for step in behind["graph"]}
        assert steps & {job["id"] for job in waiting["items"] if job["position"]}
        moved = await client.get(f"{JOBS}/{behind['id']}")
        assert moved["priority"] == -1
        assert (await call("PATCH /jobs/{id}", self._priority(behind["id"], 3)))["priority"] == 3
        cancelled = await call("POST /jobs/{id}/cancel", client.post(f"/jobs/{behind['id']}/cancel"))
        assert cancelled["state"] == "cancelled"
        run = blocker["id"]
        async for _offset, kind, _payload in client.job_events(run):
            if kind == "metric":
                break
        assert await self.refused(409, client.call("DELETE", f"{ADMIN}{JOBS}/{run}")) == "run-active"
        await call(f"POST {JOBS}/{{id}}/stop", client.post(f"{JOBS}/{run}/stop"))
        stopped = await client.wait_for_job(run)
        assert stopped["state"] == "stopped"
        await call(f"POST {JOBS}/{{id}}/resume", client.post(f"{JOBS}/{run}/resume", {}))
        ended = await client.wait_for_job(run)
        assert (ended["state"], ended["resumed"]) == ("succeeded", True), ended
        assert (await call("GET /jobs/{id}", client.get(f"/jobs/{run}")))["id"] == run
        assert (await call("GET /jobs/{id}/logs", client.get(f"/jobs/{run}/logs")))["lines"]
        assert (await call("GET /jobs/{id}/result", client.get(f"/jobs/{run}/result")))["result"]["resumed"]
        await call("POST /jobs/{id}/retry", client.post(f"/jobs/{behind['id']}/retry"))
        await client.post(f"/jobs/{behind['id']}/cancel")
        self.seconds["GET /jobs/{id}/events"] = self.seconds["WS /ws/jobs/{id}"]

    async def _priority(self, job_id: int, value: int) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call("PATCH", f"{ADMIN}/jobs/{job_id}", body={"priority": value})
        return answer

    async def recipes(self) -> None:
        """Recipes and the system."""
        client, call = self.client, self.call
        schema = await call("GET /recipes/schema", client.get("/recipes/schema"))
        assert "training" in schema["properties"]
        presets = await call("GET /recipes/presets", client.get("/recipes/presets"))
        yaml = presets["items"][0]["yaml"]
        assert (await call("POST /recipes/validate", client.post("/recipes/validate", {"yaml": yaml})))["valid"]
        first = await call("POST /recipes", client.post("/recipes", {"yaml": yaml, "name": "one"}))
        other = await client.post(
            "/recipes", {"recipe": {**first["recipe"], "seed": first["recipe"]["seed"] + 1}, "name": "two"}
        )
        diff = await call("GET /recipes/{id}/diff/{other}", client.get(f"/recipes/{first['id']}/diff/{other['id']}"))
        assert [change["key"] for change in diff["changes"]] == ["seed"]
        assert (await call("GET /recipes", client.get("/recipes")))["total"] == 2
        assert (await call("GET /recipes/{id}", client.get(f"/recipes/{first['id']}")))["yaml"]
        place = f"{ADMIN}/recipes/{other['id']}"
        changed = await call("PATCH /recipes/{id}", client.call("PATCH", place, body={"description": "배"}))
        assert changed["description"] == "배"
        overrides = ["data.train=dataset:tour@1.0", "data.split=null", "evaluate.enabled=false", "register=null"]
        overrides += ["export=[]", "evaluate.questions=null", "evaluate.general=null", "data.validation=null"]
        started = await call(
            "POST /recipes/{id}/run", client.post(f"/recipes/{other['id']}/run", {"overrides": overrides})
        )
        await client.post(f"/jobs/{started['id']}/cancel")
        await call("DELETE /recipes/{id}", client.call("DELETE", place))
        for name in ("info", "workers", "queues", "devices", "disk", "versions", "resources"):
            await call(f"GET /system/{name}", client.get(f"/system/{name}"))


async def drive(address: str, folder: Path, *, merged: bool = False) -> dict[str, float]:
    """The whole tour; the seconds of each call."""
    client = TunesmithClient.connect(address)
    try:
        tour = TrainTour(client)
        data = write(folder / "tour.jsonl", [*rows(), *rows()])
        run = await tour.workbench(data, merged=merged)
        await tour.jobs(run)
        await tour.recipes()
        return tour.seconds
    finally:
        await client.close()


def main() -> None:
    """By hand: a server of its own, times on stdout."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder / "data").start()
        try:
            taken = asyncio.run(drive(server.url, folder, merged=True))
        finally:
            server.close()
    for call, seconds in taken.items():
        print(f"{seconds:10.3f} s  {call}")


if __name__ == "__main__":
    sys.exit(main())
