"""/ready says what does not work, and 503; /health goes on saying that the process lives."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx


async def test_everything_works(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    assert answer.status_code == 200
    checks = answer.json()["checks"]
    assert set(checks) == {"database", "storage", "disk"}
    assert all(check["ok"] for check in checks.values())


async def test_a_store_that_cannot_be_written(client: httpx.AsyncClient, data_dir: Path) -> None:
    shutil.rmtree(data_dir / "store")
    (data_dir / "store").write_text("in the way")
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["checks"]["storage"]["ok"] is False
    assert answer.json()["checks"]["database"]["ok"] is True
    assert (await client.get("/health")).status_code == 200
