"""`/model/…`: a folder becomes the current model, survives a restart, and goes when it is unloaded."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fixtures.serving import app_with_backends, client_of
from tests.fixtures.tiny_models import write_tiny_model
from tunesmith.adapters.serving.fake import FakeBackend
from tunesmith.settings import Settings, load_settings

METADATA = {
    "model_id",
    "architecture",
    "num_parameters",
    "trainable_parameters",
    "dtype",
    "context_length",
    "vocab_size",
    "chat_template",
    "device",
    "estimated_memory_gb",
    "size_bytes",
    "revision",
    "loaded_at",
}


class SlowBackend(FakeBackend):
    """Takes a second to load."""

    def command(self, folder: Path) -> Sequence[str]:
        code = "import runpy, sys, time; time.sleep(1); sys.argv[0] = 'x'; "
        code += "runpy.run_module('tunesmith.ml.serve_fake', run_name='__main__')"
        return [sys.executable, "-c", code, str(folder)]


class BrokenBackend(FakeBackend):
    """Ends at once."""

    def command(self, folder: Path) -> Sequence[str]:
        return [sys.executable, "-c", "print('no room'); raise SystemExit(3)"]


@pytest.fixture
def settings(data_dir: Path, tmp_path: Path) -> Settings:
    return load_settings(
        data_dir=data_dir, device="cpu", models={"allowed_roots": [tmp_path], "hf_home": tmp_path / "hub"}
    )


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app_with_backends(settings, {"transformers": FakeBackend()})) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny")


async def test_a_folder_becomes_the_current_model(http: httpx.AsyncClient, folder: Path) -> None:
    answer = await http.post("/model/upload", params={"model_path": str(folder)})
    assert answer.status_code == 200
    loaded = answer.json()
    assert set(loaded) == METADATA | {"cached"}
    assert (loaded["model_id"], loaded["architecture"], loaded["cached"]) == ("tiny", "Qwen3ForCausalLM", False)
    assert loaded["loaded_at"] is not None
    current = (await http.get("/model/current")).json()
    assert set(current) == METADATA
    assert current == {k: v for k, v in loaded.items() if k != "cached"}
    again = (await http.post("/model/upload", params={"model_path": str(folder)})).json()
    assert again == {**loaded, "cached": True}
    by_name = await http.post("/model/upload", params={"model_path": "tiny"})
    assert by_name.json()["cached"] is True


async def test_the_local_store_lists_what_was_used(http: httpx.AsyncClient, folder: Path) -> None:
    before = (await http.get("/model/local-models")).json()
    assert folder.name not in [item["model_id"] for item in before["items"]]
    await http.post("/model/upload", params={"model_path": str(folder)})
    after = (await http.get("/model/local-models")).json()
    assert after["total"] == before["total"] + 1
    item = next(item for item in after["items"] if item["model_id"] == "tiny")
    assert item["path"] == str(folder)
    assert item["size_bytes"] > 0
    assert item["last_used"]


async def test_unloading_ends_the_process_and_says_when_there_was_none(http: httpx.AsyncClient, folder: Path) -> None:
    before = {child.pid for child in psutil.Process().children()}
    none = (await http.post("/model/unload")).json()
    assert (none["unloaded"], none["message"]) == (False, "No model was loaded.")
    await http.post("/model/upload", params={"model_path": str(folder)})
    (pid,) = {child.pid for child in psutil.Process().children()} - before
    unloaded = (await http.post("/model/unload")).json()
    assert (unloaded["unloaded"], unloaded["model_id"]) == (True, "tiny")
    assert unloaded["freed_bytes"] > 0
    assert not psutil.pid_exists(pid)
    missing = await http.get("/model/current")
    assert missing.status_code == 404
    assert missing.json()["code"] == "no-current-model"


async def test_the_current_model_survives_a_restart(settings: Settings, folder: Path) -> None:
    async with client_of(app_with_backends(settings, {"transformers": FakeBackend()})) as first:
        await first.post("/model/upload", params={"model_path": str(folder)})
    async with client_of(app_with_backends(settings, {"transformers": FakeBackend()})) as second:
        current = (await second.get("/model/current")).json()
        assert (current["model_id"], current["loaded_at"]) == ("tiny", None)
        health = (await second.get("/model/health")).json()
        assert (health["status"], health["current_model"]) == ("idle", "tiny")


async def test_a_load_that_takes_longer_goes_on(settings: Settings, folder: Path) -> None:
    async with client_of(app_with_backends(settings, {"transformers": SlowBackend()})) as http:
        waiting = await http.post("/model/upload", params={"model_path": str(folder), "wait": 0})
        assert waiting.status_code == 202
        assert waiting.json() == {"status": "loading", "model_id": "tiny", "links": {"self": "/model/current"}}
        assert (await http.get("/model/current")).status_code == 202
        assert (await http.get("/model/health")).json()["status"] == "loading"
        loaded = await http.post("/model/upload", params={"model_path": str(folder), "wait": 60})
        assert loaded.status_code == 200
        assert (await http.get("/model/current")).json()["model_id"] == "tiny"
        assert (await http.get("/model/health")).json()["status"] == "ready"


async def test_a_load_that_fails_later_says_why(settings: Settings, folder: Path) -> None:
    async with client_of(app_with_backends(settings, {"transformers": BrokenBackend()})) as http:
        failed = await http.post("/model/upload", params={"model_path": str(folder)})
        assert (failed.status_code, failed.json()["code"]) == (503, "runtime-start")
        assert "no room" in failed.json()["detail"]
        assert (await http.get("/model/current")).status_code == 404
        await http.post("/model/upload", params={"model_path": str(folder), "wait": 0})
        deadline = time.monotonic() + 20
        while (current := await http.get("/model/current")).status_code == 202 and time.monotonic() < deadline:
            await asyncio.sleep(0)  # called in process nothing waits, and the load would never have its turn
        assert (current.status_code, current.json()["code"]) == (503, "runtime-start")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/etc", 403, "path-not-allowed"),
        ("../../../../../../etc", 403, "path-not-allowed"),
        ("{root}/absent", 404, "model-not-found"),
        ("{root}", 422, "model-invalid"),
        ("Owner/Absent", 404, "model-not-found"),
        ("a b c", 422, "validation"),
        ("a\x00b", 422, "validation"),
        ("", 422, "validation"),
        ("{pickle}", 422, "pickle-weights"),
    ],
)
async def test_what_cannot_be_loaded_is_refused_with_a_hint(
    http: httpx.AsyncClient, tmp_path: Path, folder: Path, path: str, status: int, code: str
) -> None:
    pickle = write_tiny_model(tmp_path / "pickle")
    (pickle / "model.safetensors").rename(pickle / "pytorch_model.bin")
    answer = await http.post("/model/upload", params={"model_path": path.format(root=tmp_path, pickle=pickle)})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert problem["detail"]
    assert problem["hint"]


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("../model.zip", b"PK", 400, "archive-unsafe"),
        ("model.rar", b"Rar!", 422, "archive-invalid"),
        ("weights.bin", b"x", 422, "archive-invalid"),
        ("model.zip", b"PK" + b"x" * 4096, 413, "archive-too-large"),
    ],
)
async def test_an_archive_that_is_refused_leaves_nothing(
    data_dir: Path, name: str, content: bytes, status: int, code: str
) -> None:
    settings = load_settings(data_dir=data_dir, device="cpu", models={"max_archive_bytes": 1000})
    async with client_of(app_with_backends(settings, {"transformers": FakeBackend()})) as http:
        answer = await http.post("/model/upload", files={"file": (name, content)})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert not [f for f in (data_dir / "models").rglob("*") if f.is_file()]


async def test_health_answers_at_once_with_memory_and_batch_size(http: httpx.AsyncClient, folder: Path) -> None:
    idle = (await http.get("/model/health")).json()
    assert (idle["status"], idle["optimal_batch_size"], idle["estimated_memory_gb"]) == ("idle", None, None)
    memory = idle["memory"]
    assert memory["total_gb"] == pytest.approx(memory["available_gb"] + memory["used_gb"], abs=0.01)
    assert memory["total_gb"] == pytest.approx(psutil.virtual_memory().total / 1e9, rel=0.01)
    small = (await http.get("/model/health", params={"num_parameters": 10**6})).json()
    large = (await http.get("/model/health", params={"num_parameters": 10**11})).json()
    assert small["estimated_memory_gb"] < large["estimated_memory_gb"]
    assert small["optimal_batch_size"] >= large["optimal_batch_size"] == 1
    await http.post("/model/upload", params={"model_path": str(folder)})
    ready = (await http.get("/model/health")).json()
    assert (ready["status"], ready["current_model"], ready["device"]) == ("ready", "tiny", "cpu")
    assert ready["loaded"][0]["memory_bytes"] > 0
    assert ready["estimated_memory_gb"] > 0
    took = []
    for _ in range(20):
        started = time.perf_counter()
        await http.get("/model/health")
        took.append(time.perf_counter() - started)
    assert min(took) < 0.05
