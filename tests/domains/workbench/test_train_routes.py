"""The current run of one person: configured, started, watched, kept; what cannot be is refused at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.training.conftest import Work, work  # noqa: F401
from tests.fixtures.serving import app_with_backends
from tests.fixtures.tiny_models import write_tiny_model
from tunesmith.adapters.serving.fake import FakeBackend
from tunesmith.settings import Settings, load_settings
from tunesmith.wire.recipe import Adapter
from tunesmith.wire.run_dir import RunDirectory


@pytest.fixture
def settings(data_dir: Path, tmp_path: Path) -> Settings:
    """Training and serving only pretend: what is tried here is the bench."""
    return load_settings(
        data_dir=data_dir,
        device="cpu",
        models={"allowed_roots": [tmp_path]},
        training={"engine": "fake"},
        jobs={"poll_seconds": 0.05},
    )


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = app_with_backends(settings, {"transformers": FakeBackend()})
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def dataset(client: httpx.AsyncClient, tmp_path: Path) -> dict[str, Any]:
    """Forty conversations are the current dataset."""
    turns = [
        [
            {"role": "user", "content": f"When does ferry {number} leave?"},
            {"role": "assistant", "content": f"It leaves from pier {number}, at {number % 12}."},
        ]
        for number in range(40)
    ]
    rows = "\n".join(json.dumps({"messages": turn}) for turn in turns).encode()
    answer = await client.post("/dataset/upload?wait=0", files={"file": ("ferry.jsonl", rows)}, data={"name": "Ferry"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
async def model(client: httpx.AsyncClient, tmp_path: Path) -> dict[str, Any]:
    """A small model is the current one."""
    folder = write_tiny_model(tmp_path / "tiny")
    answer = await client.post("/model/upload", params={"model_path": str(folder), "wait": 60})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def ask(client: httpx.AsyncClient, method: str, path: str, status: int = 200, **sent: Any) -> Any:
    answer = await client.request(method, f"/train/{path}", timeout=90, **sent)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_from_configuration_to_a_model_that_is_kept(
    client: httpx.AsyncClient,
    dataset: dict[str, Any],
    model: dict[str, Any],
    work: Work,  # noqa: F811
    app: FastAPI,
) -> None:
    await work()
    lora = await ask(client, "POST", "config-lora", json={"lora_rank": 4, "alpha": 8})
    assert (lora["method"], lora["lora"]["r"], lora["lora"]["alpha"]) == ("lora", 4, 8)
    arguments = {"max_steps": 6, "micro_batch_size": 2, "learning_rate": 0.005, "max_length": 64, "save_steps": 3}
    configured = await ask(client, "POST", "config-training-args", json={**arguments, "seed": 7})
    assert configured["lora"]["r"] == 4, "another call keeps what this one says nothing about"
    assert (configured["training"]["batch_size"], configured["training"]["max_steps"]) == (2, 6)
    assert (configured["ready"], configured["missing"], configured["recipe"]["seed"]) == (True, [], 7)

    shown = await ask(client, "POST", "prepare-dataset?wait=0", json={"limit": 2})
    assert (shown["max_length"], shown["dataset_id"], len(shown["rows"])) == (64, dataset["dataset_id"], 2)
    tokens = shown["rows"][0]["tokens"]
    assert {token["trained"] for token in tokens} == {True, False}
    assert "".join(token["text"] for token in tokens) == shown["rows"][0]["text"]

    await work()
    counted = await ask(client, "POST", "prepare-dataset", json={"limit": 1})
    assert 0 < counted["trained_share"] < 1

    started = await ask(client, "POST", "start", 202, json={"name": "first", "evaluate": False})
    assert (started["status"], started["queue_position"], started["name"]) == ("pending", 1, "first")
    assert started["recipe"]["data"]["split"] == {"train": 0.9, "validation": 0.1, "test": 0.0}
    refused = await ask(client, "POST", "start", 409, json={})
    assert (refused["code"], refused["job_id"]) == ("training-active", started["job_id"])
    second = await ask(client, "POST", "start", 202, json={"queue": True, "evaluate": False, "priority": 5})
    assert second["queue_position"] == 1, "the more urgent one goes first"
    assert (await ask(client, "GET", "health"))["status"] == "queued"
    too_early = await ask(client, "POST", "save", 409, json={})
    assert too_early["code"] == "job-state"

    await work()
    status = await ask(client, "GET", "status")
    assert (status["status"], status["job_id"], status["step"]) == ("completed", second["job_id"], 6)
    assert all(status[name] is not None for name in ("loss", "eval_loss", "learning_rate", "tokens_per_second"))
    assert status["figures"]["steps"] == 6
    history = await ask(client, "GET", "history?max_points=3")
    assert [run["job_id"] for run in history["items"]] == [second["job_id"], started["job_id"]]
    assert [point["step"] for point in history["items"][0]["curves"]] == [1, 4, 6]

    saving = await client.post("/train/save?wait=0", json={"job_id": started["job_id"], "path": "kept"})
    assert saving.status_code == 202, saving.text
    await work()
    result = (await client.get(saving.json()["links"]["result"])).json()["result"]
    assert (result["format"], result["job_id"]) == ("adapter", started["job_id"])
    kept = Path(result["path"])
    assert json.loads((kept / "adapter_config.json").read_text())["r"] == 4
    assert sorted(file.name for file in kept.iterdir()) == result["files"]
    made = RunDirectory(app.state.services.settings.runs_dir / str(started["job_id"]) / "attempts" / "1").artifacts
    original = made / "adapter" / "adapter_model.safetensors"
    assert (kept / "adapter_model.safetensors").read_bytes() == original.read_bytes()
    again = await client.post("/train/save", json={"job_id": started["job_id"], "path": "kept"})
    assert (again.status_code, again.json()["code"]) == (409, "save-target-exists")


async def test_a_split_dataset_is_trained_on_by_its_parts(
    client: httpx.AsyncClient,
    dataset: dict[str, Any],
    model: dict[str, Any],
    work: Work,  # noqa: F811
) -> None:
    split = await client.post("/dataset/split?wait=0", json={"train": 0.8, "validation": 0.1, "test": 0.1, "seed": 1})
    assert split.status_code == 202
    await work()
    parts = (await client.get(split.json()["links"]["result"])).json()["result"]["parts"]
    started = await ask(client, "POST", "start", 202)
    data = started["recipe"]["data"]
    assert {name: data[name] for name in ("train", "validation", "test")} == {
        part["part"]: f"dataset:{part['name']}@{part['version']}" for part in parts
    }
    assert data["split"] is None


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "words"),
    [
        ("config-lora", {"r": 0}, 422, "validation", "r"),
        ("config-lora", {"rnk": 8}, 422, "validation", "rnk"),
        ("config-lora", {"r": 8, "lora_r": 8}, 422, "validation", "same setting"),
        ("config-qlora", {"quantization_type": "int3"}, 422, "validation", "quantization_type"),
        ("config-training-args", {"epochs": 2, "max_steps": 5}, 422, "validation", "not both"),
        ("config-training-args", {"learning_rate": 5}, 422, "validation", "learning_rate"),
        ("config-training-args", {"method": "magic"}, 422, "validation", "method"),
        ("prepare-dataset", {}, 404, "no-current-dataset", "dataset"),
        ("start", {}, 404, "no-current-dataset", "dataset"),
        ("save", {}, 404, "no-current-run", "run"),
        ("save", {"job_id": 99}, 404, "finetuning-job-not-found", "99"),
        ("save", {"format": "hub"}, 422, "validation", "repo_id"),
        ("evaluate", {}, 404, "no-current-run", "run"),
        ("evaluate", {"job_id": 99}, 404, "finetuning-job-not-found", "99"),
    ],
)
async def test_what_cannot_be_is_refused_at_once(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, code: str, words: str
) -> None:
    problem = await ask(client, "POST", path, status, json=body)
    assert problem["code"] == code
    assert words in json.dumps(problem)
    assert problem["hint"]


async def test_before_anything_was_done(client: httpx.AsyncClient, dataset: dict[str, Any]) -> None:
    assert (await ask(client, "GET", "status"))["status"] == "idle"
    assert (await ask(client, "GET", "history"))["items"] == []
    health = await ask(client, "GET", "health")
    assert (health["status"], health["job_id"], health["configuration"]["missing"]) == ("ready", None, ["model"])
    assert health["current_dataset"] == "Ferry@1.0"
    assert (await ask(client, "POST", "start", 404))["code"] == "no-current-model"


@pytest.mark.parametrize(("path", "body"), [("config-qlora", {"r": 8}), ("config-training-args", {"method": "full"})])
async def test_the_methods_of_the_recipe_are_those_of_the_workbench(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    """A method that the recipe has can be chosen; one that it has not is refused with those that there are."""
    wanted = body.get("method", "qlora")
    answer = await client.post(f"/train/{path}", json=body)
    if wanted in [adapter.value for adapter in Adapter]:
        assert answer.json()["method"] == wanted
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, "configuration")
        assert "lora" in answer.text
