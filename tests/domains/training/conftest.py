"""A small model and data in the data folder, and a worker that does what waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.ml.training_runs import tiny_model, write_rows
from tunesmith.settings import Settings, load_settings
from tunesmith.worker import run_worker

JOBS = "/api/v1/admin/finetuning/jobs"
DATASETS = "/api/v1/admin/training/datasets"
Work = Callable[[], Awaitable[None]]
Start = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model, made once."""
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def settings(data_dir: Path, saved_model: Path) -> Settings:
    """The engine only pretends; the test of a whole run says otherwise."""
    return load_settings(
        data_dir=data_dir,
        models={"allowed_roots": [str(saved_model)]},
        training={"engine": "fake"},
        jobs={"poll_seconds": 0.05},
    )


@pytest.fixture
async def dataset(client: httpx.AsyncClient, tmp_path: Path) -> dict[str, Any]:
    """Forty conversations, uploaded."""
    file = write_rows(tmp_path / "rows.jsonl", 40)
    answer = await client.post(DATASETS, files={"file": ("rows.jsonl", file.read_bytes())}, data={"name": "Ferry"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
def plan(saved_model: Path, dataset: dict[str, Any]) -> dict[str, Any]:
    """A recipe for the API."""
    return {
        "name": "first run",
        "model": {"base": str(saved_model)},
        "data": {"train": "dataset:Ferry@1.0"},
        "training": {"max_steps": 6, "batch_size": 2, "learning_rate": 5e-3, "max_length": 128, "save_steps": 3},
        "evaluate": {"enabled": False},
    }


@pytest.fixture
def work(app: FastAPI) -> Work:
    """Run a worker until nothing waits."""

    async def until_idle() -> None:
        await run_worker(app.state.services, until_idle=True)

    return until_idle


@pytest.fixture
def working(app: FastAPI) -> Callable[[], asyncio.Task[None]]:
    """Start a worker beside the test."""

    def start() -> asyncio.Task[None]:
        return asyncio.create_task(run_worker(app.state.services, until_idle=True))

    return start


@pytest.fixture
def start(client: httpx.AsyncClient, plan: dict[str, Any]) -> Start:
    """Start a run; keyword arguments replace sections of the recipe."""

    async def send(**sections: Any) -> dict[str, Any]:
        answer = await client.post(JOBS, json={**json.loads(json.dumps(plan)), **sections})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return send
