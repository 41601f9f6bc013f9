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
