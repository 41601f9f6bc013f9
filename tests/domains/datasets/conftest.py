"""Uploading, and a worker that does what waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tunesmith.worker import run_worker

PATH = "/api/v1/admin/training/datasets"
Upload = Callable[..., Awaitable[httpx.Response]]
Work = Callable[[], Awaitable[None]]
Answered = Callable[..., Awaitable[dict[str, Any]]]
RowsOf = Callable[[int], Awaitable[list[Any]]]


@pytest.fixture
def upload(client: httpx.AsyncClient) -> Upload:
    """Upload content under a file name; other fields of the form by name."""

    async def send(file_name: str, content: bytes | str, **fields: Any) -> httpx.Response:
        raw = content.encode() if isinstance(content, str) else content
        data = {"name": "Ferry", **fields}
        return await client.post(
            PATH, files={"file": (file_name, raw)}, data={k: v for k, v in data.items() if v is not None}
        )

    return send


@pytest.fixture
def work(app: FastAPI) -> Work:
    """Run a worker until nothing waits."""

    async def until_idle() -> None:
        await run_worker(app.state.services, until_idle=True)

    return until_idle


@pytest.fixture
def answered(client: httpx.AsyncClient, work: Work) -> Answered:
    """Make a call that answers X or 202, let a worker do the job, and answer X; a job that failed answers its error."""

    async def call(method: str, path: str, **arguments: Any) -> dict[str, Any]:
        params = {"wait": 0, **arguments.pop("params", {})}
        response = await client.request(method, PATH + path, params=params, **arguments)
        if response.status_code != 202:
            assert response.status_code == 200, response.text
            return dict(response.json())
        await work()
        job = (await client.get(response.json()["links"]["self"])).json()
        return dict(job["result"] if job["state"] == "succeeded" else job["error"])

    return call


@pytest.fixture
def rows_of(client: httpx.AsyncClient) -> RowsOf:
    """The rows of a small dataset, as they can be read."""

    async def rows(dataset_id: int) -> list[Any]:
        shown = (await client.get(f"{PATH}/{dataset_id}/preview", params={"limit": 200})).json()
        return [row["data"] for row in shown["rows"]]

    return rows
