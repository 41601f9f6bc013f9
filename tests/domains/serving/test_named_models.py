"""Every form of a model's name leads to the model: a folder, a run, a registered version."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.registry.publications import finished_job, publication
from tests.fixtures.serving import app_with_backends, client_of
from tunesmith.adapters.serving.fake import FakeBackend
from tunesmith.settings import load_settings


@pytest.fixture
def app(data_dir: Path, tmp_path: Path, tiny_model: Path) -> FastAPI:
    roots = [tmp_path, tiny_model.parent]
    settings = load_settings(data_dir=data_dir, device="cpu", models={"allowed_roots": roots})
    return app_with_backends(settings, {"transformers": FakeBackend()})


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


@pytest.fixture
def adapter(tmp_path: Path, tiny_adapter: Path) -> Path:
    return Path(shutil.copytree(tiny_adapter, tmp_path / "adapter"))


async def ask(http: httpx.AsyncClient, model: str) -> tuple[int, str]:
    body = {"model": model, "messages": [{"role": "user", "content": "안녕"}]}
    answer = await http.post("/v1/chat/completions", json=body)
    document = answer.json()
    if answer.status_code != 200:
        return answer.status_code, document["error"]["code"]
    return 200, document["choices"][0]["message"]["content"]


async def test_a_run_and_its_version_answer_tuned_and_the_folder_answers_as_it_is(
    app: FastAPI, http: httpx.AsyncClient, tiny_model: Path, adapter: Path
) -> None:
    made = publication(adapter, base_path=str(tiny_model))
    job_id = await finished_job(app.state.services, {"publication": made})
    registered = await http.post("/api/v1/admin/models/register", json={"job_id": job_id, "model_name": "guide"})
    assert registered.status_code < 300
    assert await ask(http, f"run:{job_id}") == (200, "[tuned] 안녕")
    assert await ask(http, "guide@1.0.0") == (200, "[tuned] 안녕")
    assert await ask(http, str(tiny_model)) == (200, "안녕")
    names = [entry["id"] for entry in (await http.get("/v1/models")).json()["data"]]
    assert {"tunesmith/tiny", f"run:{job_id}", "guide@1.0.0"} <= set(names)
    for name in ("guide@2.0.0", "guide@production", "stranger@1.0.0"):
        assert await ask(http, name) == (404, "model-not-found")


async def test_a_run_without_a_model_says_so(
    app: FastAPI, http: httpx.AsyncClient, tiny_model: Path, adapter: Path
) -> None:
    services = app.state.services
    running = await finished_job(services, None, state="running")
    assert await ask(http, f"run:{running}") == (409, "run-not-servable")
    gone = await finished_job(services, {"publication": publication(adapter, base_path=str(tiny_model))})
    shutil.rmtree(adapter)
    assert await ask(http, f"run:{gone}") == (404, "model-not-found")
    for name in ("run:0", "run:-1", "run:x", "run:99999999999999"):
        status, _ = await ask(http, name)
        assert status in (404, 422)
