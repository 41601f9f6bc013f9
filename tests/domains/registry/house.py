"""A running application with one registered version whose answers are known, for tests that share it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.domains.registry.publications import finished_job, publication
from tests.fixtures.tiny_models import write_tiny_adapter, write_tiny_model
from tunesmith.api.app import create_app
from tunesmith.bootstrap import Services
from tunesmith.settings import load_settings
from tunesmith.worker import run_worker

ADMIN = "/api/v1/admin"


@dataclass
class House:
    """A running application with `harbour@1.0.0`: a model whose answer is known, and an adapter that changes it."""

    services: Services
    http: httpx.AsyncClient
    folder: Path
    base: Path
    adapter: Path
    version_id: int

    async def run(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """POST something that becomes a job, do the work, answer the job's result."""
        answer = await self.http.post(ADMIN + path, json=body, params={"wait": 0})
        assert answer.status_code == 202, answer.text
        await run_worker(self.services, until_idle=True)
        job = (await self.http.get(f"{ADMIN}/jobs/{answer.json()['job_id']}")).json()
        assert job["state"] == "succeeded", job["error"]
        result: dict[str, Any] = job["result"]
        return result

    async def certify(self, artefact: Path) -> dict[str, Any]:
        """The certificate of any file or folder beside the version."""
        return await self.run("/certificates", {"artefact": str(artefact), "source": "harbour@1.0.0"})


@contextlib.asynccontextmanager
async def open_house(folder: Path, *, prompts: int = 4) -> AsyncIterator[House]:
    """`harbour@1.0.0` answers `역`; its base answers `강남역`. Certificates ask few prompts, which is faster."""
    settings = load_settings(data_dir=folder)
    settings.export.certificate_prompts = prompts
    application = create_app(settings)
    base = write_tiny_model(folder / "tiny")
    adapter = write_tiny_adapter(folder / "adapter")
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=60) as http,
    ):
        services: Services = application.state.services
        result = {"publication": publication(adapter, base_path=str(base), base_model=str(base))}
        body = {"job_id": await finished_job(services, result), "model_name": "harbour"}
        answer = await http.post(f"{ADMIN}/models/register", json=body)
        assert answer.status_code == 201, answer.text
        yield House(services, http, folder, base, adapter, answer.json()["id"])
