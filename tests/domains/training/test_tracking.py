"""Runs are mirrored to trackers; a tracker that is away, slow or full stops nothing."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.training.conftest import JOBS, Start, Work
from tests.fixtures.mlflow_server import MlflowServer
from tests.fixtures.network import free_port
from tunesmith.ports.tracking import Delivery, Receipt, TrackerRefused
from tunesmith.settings import Settings, load_settings


async def get(client: httpx.AsyncClient, job_id: int) -> dict[str, Any]:
    answer = await client.get(f"{JOBS}/{job_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@contextlib.asynccontextmanager
async def passing_on(port: int, target: int) -> Any:
    """Whatever comes in at one port goes on to another: how a server that was away is there again."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


class TestMlflowAway:
    """One run while MLflow is away, told to it when it is back."""

    @pytest.fixture
    def port(self) -> int:
        """Nobody listens there yet."""
        return free_port()

    @pytest.fixture
    def settings(self, data_dir: Path, saved_model: Path, port: int) -> Settings:
        return load_settings(
            data_dir=data_dir,
            models={"allowed_roots": [str(saved_model)]},
            training={"engine": "fake"},
            jobs={"poll_seconds": 0.05},
            tracking={"mlflow_uri": f"http://127.0.0.1:{port}"},
        )

    async def test_training_goes_on_and_the_run_is_told_later(
        self,
        client: httpx.AsyncClient,
        app: FastAPI,
        start: Start,
        work: Work,
        mlflow_server: MlflowServer,
        port: int,
    ) -> None:
        job = await start(register={"name": "ferry-mirrored"})
        assert [w for w in job["warnings"] if w.startswith("MLflow (http://127.0.0.1")]
        await work()
        done = await get(client, job["id"])
        assert (done["status"], done["mlflow_run_id"]) == ("completed", None)
        (tracking,) = done["tracking"]
        assert (tracking["tracker"], tracking["state"], tracking["points"]) == ("mlflow", "away", 0)
        assert "cannot be reached" in tracking["message"]
        (state,) = (await client.get("/api/v1/admin/system")).json()["trackers"]
        assert (state["name"], state["reachable"], state["waiting_runs"]) == ("mlflow", False, 1)

        async with passing_on(port, mlflow_server.port):
            await app.state.services.training.mirrors.retry_now()
            done = await get(client, job["id"])
            (state,) = (await client.get("/api/v1/admin/system")).json()["trackers"]
        (tracking,) = done["tracking"]
        assert (tracking["state"], tracking["message"], tracking["skipped_points"]) == ("mirrored", None, 0)
        assert done["mlflow_run_id"] == tracking["run_id"]
        assert tracking["url"].endswith(f"/runs/{tracking['run_id']}")
        assert (state["reachable"], state["waiting_runs"]) == (True, 0)

        run = await asyncio.to_thread(mlflow_server.run, done["mlflow_run_id"])
        assert (run["name"], run["status"], run["tags"]["job_name"]) == ("first run", "FINISHED", "first run")
        assert run["tags"]["dataset_name"] == "Ferry@1.0"
        assert run["params"]["training.learning_rate"] == "0.005"
        points = (await client.get(f"{JOBS}/{job['id']}/metrics")).json()["points"]
        ours = [(p["step"], pytest.approx(p["loss"])) for p in points if p["loss"] is not None]
        assert await asyncio.to_thread(mlflow_server.history, done["mlflow_run_id"], "loss") == ours
        assert tracking["points"] == len(ours) + 1  # the evaluation loss is told by itself
        kept = await asyncio.to_thread(mlflow_server.artifacts, done["mlflow_run_id"])
        assert kept == ["adapter", "card", "recipe.yaml", "report.json", "report.md"]
        model = (await client.get("/api/v1/admin/models", params={"search": "ferry-mirrored"})).json()["items"][0]
        assert model["mlflow_model_uri"] == "models:/ferry-mirrored/1"


class Recorder:
    """A tracker that keeps what it is given, and refuses when it is told to."""

    name, title, target = "wandb", "Recorder", "here"

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        self.refuses = False

    def is_installed(self) -> bool:
        return True

    async def find_obstacle(self) -> str | None:
        return None

    async def deliver(self, delivery: Delivery) -> Receipt:
        if self.refuses:
            raise TrackerRefused("not like this")
        self.taken.append(delivery)
        return Receipt(run_id="r1")

    async def close(self) -> None:
        return None


class TestBounds:
    @pytest.fixture
    def settings(self, data_dir: Path, saved_model: Path) -> Settings:
        return load_settings(
            data_dir=data_dir,
            models={"allowed_roots": [str(saved_model)]},
            training={"engine": "fake"},
            jobs={"poll_seconds": 0.05},
            tracking={"outbox_points": 4, "interval_seconds": 60},
        )

    async def test_what_does_not_fit_is_said_and_the_end_is_kept(
        self, client: httpx.AsyncClient, app: FastAPI, start: Start, work: Work
    ) -> None:
        recorder = Recorder()
        recorder.refuses = True
        mirrors = app.state.services.training.mirrors
        mirrors.trackers.append(recorder)
        job = await start()
        assert job["warnings"] == []
        await work()
        assert (await get(client, job["id"]))["tracking"][0]["message"].endswith("not like this")
        recorder.refuses = False
        await mirrors.retry_now()
        done = await get(client, job["id"])
        assert sum(len(delivery.points) for delivery in recorder.taken) == 4
        assert recorder.taken[-1].end is not None
        assert recorder.taken[-1].end.status == "finished"
        (tracking,) = done["tracking"]
        assert (tracking["state"], tracking["points"], tracking["skipped_points"]) == ("mirrored", 4, 3)
        assert "3 points were not mirrored" in done["warnings"][-1]
        assert len((await client.get(f"{JOBS}/{job['id']}/metrics")).json()["points"]) == 6
