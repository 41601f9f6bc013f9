"""Versions through the front door: register, list, show, card, and the files behind them."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.registry.publications import adapter_folder, finished_job, publication
from tunesmith.bootstrap import Services
from tunesmith.domains.registry.errors import FilesDamaged
from tunesmith.worker import run_worker

MODELS = "/api/v1/admin/models"


@pytest.fixture
def services(app: FastAPI) -> Services:
    """The services behind `client`."""
    found: Services = app.state.services
    return found


@pytest.fixture
async def job_id(services: Services, tmp_path: Path) -> int:
    """A completed training job."""
    return await finished_job(services, {"publication": publication(adapter_folder(tmp_path / "adapter"))})


async def register(client: httpx.AsyncClient, job_id: int, **body: Any) -> httpx.Response:
    return await client.post(f"{MODELS}/register", json={"job_id": job_id, "model_name": "harbour", **body})


async def test_a_completed_job_becomes_a_version(
    client: httpx.AsyncClient, services: Services, job_id: int, tmp_path: Path
) -> None:
    answer = await register(client, job_id, tags=["demo", "ko"], description="항구 안내 모델", model_metadata={"팀": 1})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["reference"], made["status"], made["base_model"]) == ("harbour@1.0.0", "staging", "tunesmith/tiny")
    assert made["tags"] == ["demo", "ko"]
    assert made["model_size_gb"] > 0
    assert made["mlflow_model_uri"] is None

    detail = (await client.get(f"{MODELS}/{made['id']}")).json()
    assert detail["publication"]["dataset"]["rows"] == 400
    assert detail["model_metadata"] == {"팀": 1}
    expected = {f"adapter/{file.name}": file.read_bytes() for file in (tmp_path / "adapter").iterdir()}
    assert {file["path"]: file["sha256"] for file in detail["files"]} == {
        path: hashlib.sha256(content).hexdigest() for path, content in expected.items()
    }
    async with services.database.read(await services.owner()) as unit:
        files = await services.registry.files(unit, made["id"])
    assert files.adapter_path != tmp_path / "adapter"  # a copy of its own
    assert (files.adapter_path / "adapter_model.safetensors").read_bytes() == expected[
        "adapter/adapter_model.safetensors"
    ]


async def test_the_next_free_version_is_taken(client: httpx.AsyncClient, job_id: int) -> None:
    references = [(await register(client, job_id)).json()["reference"] for _ in range(2)]
    references.append((await register(client, job_id, version="2.9.0")).json()["reference"])
    references.append((await register(client, job_id)).json()["reference"])
    references.append((await register(client, job_id, version="2.10.0")).json()["reference"])
    references.append((await register(client, job_id)).json()["reference"])
    numbers = [reference.split("@")[1] for reference in references]
    assert numbers == ["1.0.0", "1.0.1", "2.9.0", "2.9.1", "2.10.0", "2.10.1"]


async def test_a_version_is_taken_once_and_nothing_is_left_of_the_second(
    client: httpx.AsyncClient, services: Services, job_id: int
) -> None:
    answers = await asyncio.gather(*(register(client, job_id, version="1.2.3") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "registration"
    assert "harbour@1.2.3" in refused.json()["detail"]
    assert len([key async for key in services.storage.list_keys("models")]) == 2


@pytest.mark.parametrize("state", ["queued", "running", "failed", "cancelled"])
async def test_a_job_that_is_not_completed_is_refused(
    client: httpx.AsyncClient, services: Services, state: str
) -> None:
    job_id = await finished_job(services, None, state=state)
    answer = await register(client, job_id)
    assert answer.status_code == 409
    assert answer.json()["code"] == "registration"
    assert state in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"model_name": "harbour guide"}, "model_name"),
        ({"model_name": "항구"}, "model_name"),
        ({"model_name": "x" * 256}, "model_name"),
        ({"version": "1.0"}, "version"),
        ({"version": "v1.0.0"}, "version"),
        ({"version": "1.0.0\n"}, "version"),
        ({"tags": ["two words"]}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"path": "/tmp/x"}, "path"),
    ],
)
async def test_bad_names_are_refused_by_field(
    client: httpx.AsyncClient, job_id: int, body: dict[str, Any], field: str
) -> None:
    answer = await register(client, job_id, **body)
    assert answer.status_code == 422
    assert field in answer.text
    assert (await client.get(MODELS)).json()["total"] == 0


async def test_what_cannot_be_registered_says_why(
    client: httpx.AsyncClient, services: Services, tmp_path: Path
) -> None:
    assert (await register(client, 99)).status_code == 404
    nothing = await register(client, await finished_job(services, {"steps": 3}))
    assert (nothing.status_code, nothing.json()["code"]) == (422, "registration-invalid")
    partial = {key: value for key, value in publication(tmp_path).items() if key != "adapter_dir"}
    answer = await register(client, await finished_job(services, {"publication": partial}))
    assert (answer.status_code, "adapter_dir" in answer.json()["detail"]) == (422, True)
    gone = await register(client, await finished_job(services, {"publication": publication(tmp_path / "gone")}))
    assert (gone.status_code, "adapter_config.json" in gone.json()["detail"]) == (422, True)
    pickled = adapter_folder(tmp_path / "pickled")
    (pickled / "adapter_model.bin").write_bytes(b"\x80\x04.")
    answer = await register(client, await finished_job(services, {"publication": publication(pickled)}))
    assert (answer.status_code, "pickle" in answer.json()["detail"]) == (422, True)


async def test_lists_are_filtered_and_paged(client: httpx.AsyncClient, job_id: int) -> None:
    await register(client, job_id, model_name="alpha", tags=["a"])
    await register(client, job_id, model_name="beta", tags=["a", "b_1"], description="100% 한국어_모델")
    await register(client, job_id, model_name="gamma", tags=["b_1", "A"])

    async def names(**query: Any) -> list[str]:
        answer = await client.get(MODELS, params=query)
        assert answer.status_code == 200, answer.text
        return [item["model_name"] for item in answer.json()["items"]]

    assert await names() == ["gamma", "beta", "alpha"]
    assert await names(tags="a") == ["beta", "alpha"]
    assert await names(tags="a,b_1") == ["gamma", "beta", "alpha"]
    assert await names(tags="a,b_1", match_all=True) == ["beta"]
    assert await names(tags="bx1") == []
    assert await names(search="ALP") == ["alpha"]
    assert await names(search="한국어_") == ["beta"]
    assert await names(search="%") == ["beta"]
    assert await names(search="'; DROP TABLE model_registry; --") == []
    assert await names(base_model="tunesmith/tiny", status="staging", page_size=1, page=2) == ["beta"]
    assert await names(status="production") == []
    assert (await client.get(MODELS, params={"status": "best"})).status_code == 422
    assert (await client.get(MODELS, params={"tags": "two words"})).status_code == 422
    assert (await client.get(f"{MODELS}/999")).json()["code"] == "model-version-not-found"


async def test_the_card_says_everything(client: httpx.AsyncClient, services: Services, job_id: int) -> None:
    made = (await register(client, job_id, description="항구 안내 모델")).json()
    metric = {"value": 0.9, "stderr": 0.03, "low": 0.84, "high": 0.94, "n": 100}
    side = {"metrics": {"exact_match": metric | {"value": 0.1, "low": 0.05, "high": 0.2}}}
    evaluation = {
        "base": side,
        "tuned": {"metrics": {"exact_match": metric}},
        "difference": {"exact_match": metric | {"value": 0.8}},
    }
    export = {
        "format": "gguf",
        "method": "Q8_0",
        "size_bytes": 6_000_000,
        "sha256": "ef" * 32,
        "certificate": {
            "passed": True,
            "checks": [{"name": "mean_kl", "passed": True, "value": 1e-5, "threshold": 0.01}],
        },
    }
    async with services.database.write(await services.owner()) as unit:
        await services.registry.add_evidence(unit, made["id"], "evaluation", evaluation, source="job:1")
        await services.registry.add_evidence(unit, made["id"], "evaluation", {"other": 1}, source="job:1")
        await services.registry.add_evidence(unit, made["id"], "export", export, source="export:1")
    card = (await client.get(f"{MODELS}/{made['id']}/card")).json()["markdown"]
    for words in (
        "# harbour 1.0.0",
        "항구 안내 모델",
        "tunesmith/tiny",
        "항구 \\| 안내@1.0",  # a bar in a name must not break the table
        "ab" * 32,
        "0.1 (0.05 to 0.2, n=100) | 0.9 (0.84 to 0.94, n=100) | 0.8",
        "gguf Q8_0 | 6.0 MB | passed",
        "tunesmith chat harbour@1.0.0",
        '"name": "항구 안내"',
    ):
        assert words in card, words


async def test_a_register_job_makes_one_version_however_often_it_runs(
    services: Services, job_id: int, tmp_path: Path
) -> None:
    """As part of a graph: the publication comes from the training job's result."""
    from tunesmith.domains.registry import Publication, RegisterSpec
    from tunesmith.domains.registry.files import store_weights

    owner = await services.owner()
    made = Publication.model_validate(publication(tmp_path / "adapter", job_id=job_id))
    spec = RegisterSpec(publication=made, evaluation={"job_id": job_id, "tuned": {}}, name="graph", tags=["x"])
    async with services.database.write(owner) as unit:
        job = await services.jobs.submit(unit, "register", spec, name="register")
    await run_worker(services, until_idle=True)
    async with services.database.read(owner) as unit:
        result = (await services.jobs.get(unit, job.id)).result_or_raise()
    assert result["version"] == "graph@1.0.0"
    async with services.database.write(owner) as unit:  # as after a kill between the commit and the end of the job
        files = await store_weights(services.storage, tmp_path / "adapter", f"models/job-{job.id}")
        again = await services.registry.record(unit, spec, files, register_job_id=job.id)
    assert again.id == result["model_id"]
    async with services.database.read(owner) as unit:
        detail = await services.registry.get(unit, again.id)
    assert (detail.job_id, len(detail.files), [e.kind for e in detail.evidence]) == (job_id, 2, ["evaluation"])


async def test_damaged_files_are_noticed(client: httpx.AsyncClient, services: Services, job_id: int) -> None:
    made = (await register(client, job_id)).json()
    keys = [key async for key in services.storage.list_keys("models")]
    weights = next(key for key in keys if key.endswith(".safetensors"))
    path = services.storage.local_path(weights)
    assert path is not None
    path.write_bytes(path.read_bytes()[:-1])
    async with services.database.read(await services.owner()) as unit:
        with pytest.raises(FilesDamaged, match="adapter_model"):
            await services.registry.files(unit, made["id"])
        await services.storage.delete(weights)
        with pytest.raises(FilesDamaged, match="not in the store"):
            await services.registry.files(unit, made["id"])
