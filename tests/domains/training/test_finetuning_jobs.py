"""Fine-tuning jobs through the API: started, followed, stopped, resumed, refused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.training.conftest import JOBS, Start, Work
from tests.ml.training_runs import write_rows
from tunesmith.adapters.training import FakeEngine, TrlEngine
from tunesmith.settings import Settings, load_settings

Working = Callable[[], asyncio.Task[None]]


async def until(what: str, ask: Callable[[], Any], deadline_seconds: float = 60) -> Any:
    """Poll until ``ask`` answers something."""
    end = time.monotonic() + deadline_seconds
    while not (answer := await ask()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        await asyncio.sleep(0.02)
    return answer


async def get(client: httpx.AsyncClient, job_id: int, what: str = "") -> Any:
    answer = await client.get(f"{JOBS}/{job_id}{what}")
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestWholeRun:
    """With the real engine: one run from the API to an adapter."""

    @pytest.fixture
    def settings(self, data_dir: Path, saved_model: Path) -> Settings:
        roots = {"allowed_roots": [str(saved_model)]}
        return load_settings(data_dir=data_dir, models=roots, jobs={"poll_seconds": 0.05})

    async def test_from_recipe_to_adapter(
        self, client: httpx.AsyncClient, start: Start, work: Work, settings: Settings
    ) -> None:
        job = await start(
            data={"train": "dataset:Ferry@1.0", "split": {"train": 0.8, "validation": 0.2}}, register={"name": "ferry"}
        )
        assert (job["status"], job["dataset_id"], job["current_step"]) == ("pending", None, 0)
        assert [step["kind"] for step in job["graph"]] == ["split", "train", "register"]
        await work()
        done = await get(client, job["id"])
        assert done["status"] == "completed", done
        assert (done["progress"], done["current_step"], done["total_steps"]) == (1.0, 6, 6)
        assert [step["state"] for step in done["graph"]] == ["succeeded"] * 3
        assert done["started_at"] < done["completed_at"]
        figures = done["figures"]
        assert figures["steps"] == 6
        assert figures["trained_tokens"] > 0
        assert len(figures["weights_sha256"]) == 64

        result = (await client.get(f"/api/v1/admin/jobs/{job['id']}/result")).json()["result"]
        assert result["run_id"] == job["id"]
        publication = result["publication"]
        assert (Path(publication["adapter_dir"]) / "adapter_model.safetensors").is_file()
        assert publication["dataset"]["rows"] == 32
        assert publication["dataset"]["id"] == done["dataset_id"]
        assert publication["recipe"]["training"]["precision"] in ("fp32", "bf16")
        assert publication["recipe"]["resources"]["device"] == "cpu"

        points = (await get(client, job["id"], "/metrics"))["points"]
        assert [point["step"] for point in points] == [1, 2, 3, 4, 5, 6]
        assert points[-1]["loss"] < points[0]["loss"]
        assert points[-1]["eval_loss"] == figures["eval_loss"]
        checkpoints = (await get(client, job["id"], "/checkpoints"))["items"]
        assert [(c["step"], c["verified"]) for c in checkpoints] == [(3, True), (6, True)]
        assert [c["id"] for c in checkpoints if c["is_best"]] == [done["best_checkpoint"]]
        for checkpoint in checkpoints:
            assert (settings.runs_dir / str(job["id"]) / checkpoint["path"] / "manifest.json").is_file()
        log = " ".join(line["message"] for line in (await get(client, job["id"], "/logs"))["lines"])
        assert "32 rows" in log

        again = await client.post(f"{JOBS}/{job['id']}/resume", json={})
        assert again.status_code == 409


async def test_short_form_becomes_a_recipe(
    client: httpx.AsyncClient, work: Work, dataset: dict[str, Any], saved_model: Path
) -> None:
    body = {
        "job_name": "short",
        "base_model": str(saved_model),
        "dataset_id": dataset["id"],
        "method": "lora",
        "hyperparameters": {"lora_r": 8, "micro_batch_size": 2, "num_epochs": 1, "learning_rate": 1e-4},
    }
    answer = await client.post(JOBS, json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert job["dataset_id"] == dataset["id"]
    settings = job["hyperparameters"]
    assert {"lora_rank": 8, "batch_size": 2, "num_epochs": 1, "learning_rate": 1e-4}.items() <= settings.items()
    assert "lora_r" not in settings
    assert "evaluate" in job["warnings"][0]
    await work()
    assert (await get(client, job["id"]))["status"] == "completed"


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ({"model": {"base": "nobody/nothing"}}, 404, "model-not-found", "nobody/nothing"),
        ({"model": {"base": "tunesmith/tiny", "revision": "v2"}}, 422, "configuration", "has no revision"),
        ({"data": {"train": "dataset:Nothing@9"}}, 404, "dataset-not-found", "Nothing@9"),
        ({"data": {"train": "/etc/passwd"}}, 403, "path-not-allowed", "/etc/passwd"),
        ({"data": {"train": "rows.jsonl"}}, 422, "configuration", "relative"),
        ({"data": {"train": "dataset:Ferry@1.0", "sha256": "0" * 64}}, 422, "data-mismatch", "SHA-256"),
        ({"method": {"adapter": "prefix"}}, 422, "configuration", "method.adapter"),
        ({"method": {"objective": "dpo"}}, 422, "dataset-format", "objective dpo takes the formats preference"),
        ({"method": {"objective": "sft", "dpo": {}}}, 422, "configuration", "settings of another objective"),
        (
            {"method": {"adapter": "lora", "quantization": {}}},
            422,
            "configuration",
            "quantization is for adapter qlora",
        ),
        ({"training": {"learning_rat": 1}}, 422, "configuration", "did you mean learning_rate"),
        ({"export": [{"format": "gguf"}]}, 422, "configuration", "register"),
        ({"resources": {"processes": 2, "distributed": {"nodes": 2}}}, 422, "configuration", "rendezvous"),
    ],
)
async def test_what_cannot_run_is_refused_at_once(
    client: httpx.AsyncClient, plan: dict[str, Any], change: dict[str, Any], status: int, code: str, words: str
) -> None:
    answer = await client.post(JOBS, json={**plan, **change})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert words in problem["detail"]
    assert problem["hint"]
    assert (await client.get(JOBS)).json()["total"] == 0


async def test_settings_that_need_held_out_rows_are_told(client: httpx.AsyncClient, plan: dict[str, Any]) -> None:
    training = {**plan["training"], "eval_steps": 1, "early_stopping": {"patience": 2}}
    said = (await client.post(JOBS, json={**plan, "training": training})).json()["warnings"]
    assert any("training.eval_steps and training.early_stopping" in warning for warning in said), said
    data = {**plan["data"], "split": {"train": 0.8, "validation": 0.2}}
    said = (await client.post(JOBS, json={**plan, "data": data, "training": training})).json()["warnings"]
    assert not any("early_stopping" in warning for warning in said)


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ({"method": "prefix"}, 422, "unsupported-method", "qlora"),
        ({"method": "dpo"}, 422, "dataset-format", "preference"),
        ({"method": "lora", "hyperparameters": {"adapter": "full"}}, 422, "configuration", "adapter of its own"),
        ({"method": "dpo", "hyperparameters": {"beta": -1}}, 422, "configuration", "beta"),
        ({"gpu_ids": [9]}, 422, "configuration", "gpu_ids"),
        ({"resume_from_checkpoint": 1}, 404, "checkpoint-not-found", "no checkpoint 1"),
        ({"resume_from_checkpoint": "newest"}, 422, "configuration", "resume_from_checkpoint"),
        ({"hyperparameters": {"lora_rnk": 8}}, 422, "configuration", "did you mean lora_rank"),
        ({"hyperparameters": {"lora_rank": 0}}, 422, "configuration", "hyperparameters.lora_rank"),
        ({"hyperparameters": {"lora_rank": 8, "lora_r": 8}}, 422, "configuration", "two names"),
        ({"job_nam": "x"}, 422, "configuration", "job_nam"),
        ({"dataset_id": 999}, 404, "dataset-not-found", "999"),
        ({"dataset_id": None}, 422, "configuration", "dataset_id"),
    ],
)
async def test_short_form_names_each_fault(
    client: httpx.AsyncClient,
    saved_model: Path,
    dataset: dict[str, Any],
    change: dict[str, Any],
    status: int,
    code: str,
    words: str,
) -> None:
    body = {"job_name": "x", "base_model": str(saved_model), "dataset_id": dataset["id"], **change}
    answer = await client.post(JOBS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["detail"]


async def test_dataset_with_red_rows_is_refused(client: httpx.AsyncClient, plan: dict[str, Any], work: Work) -> None:
    rows = '{"messages": [{"role": "wizard", "content": "x"}]}\n' * 3
    sent = await client.post(
        "/api/v1/admin/training/datasets", files={"file": ("bad.jsonl", rows.encode())}, data={"name": "Bad"}
    )
    assert sent.status_code == 201, sent.text
    await work()
    answer = await client.post(JOBS, json={**plan, "data": {"train": "dataset:Bad"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset-red")


async def test_stop_keeps_a_checkpoint_and_resume_goes_on(
    app: FastAPI, client: httpx.AsyncClient, start: Start, working: Working, work: Work
) -> None:
    app.state.services.training.engine = FakeEngine(run_seconds=60)
    job = await start(training={"max_steps": 200, "save_steps": 4})
    worker = working()

    async def has_begun() -> bool:
        return bool((await get(client, job["id"]))["current_step"] >= 6)

    await until("step 6", has_begun)
    stopping = await client.post(f"{JOBS}/{job['id']}/stop")
    assert (stopping.status_code, stopping.json()["status"]) == (200, "stopped")
    await worker
    stopped = await get(client, job["id"])
    assert (stopped["status"], stopped["error_type"]) == ("stopped", None)
    assert 6 <= stopped["current_step"] < 200
    assert stopped["figures"]["steps"] == stopped["current_step"]
    kept = (await get(client, job["id"], "/checkpoints"))["items"]
    assert kept[0]["step"] == 4
    assert kept[-1]["step"] == stopped["current_step"]

    app.state.services.training.engine = FakeEngine(run_seconds=0.5)
    resumed = await client.post(f"{JOBS}/{job['id']}/resume", json={"checkpoint_id": kept[0]["id"]})
    assert (resumed.status_code, resumed.json()["status"]) == (200, "pending")
    await work()
    done = await get(client, job["id"])
    assert (done["status"], done["resumed"], done["current_step"]) == ("completed", True, 200)
    metrics = await get(client, job["id"], "/metrics?max_points=1000")
    assert [point["step"] for point in metrics["points"]] == list(range(1, 201)), "each step once"


async def test_a_new_run_goes_on_from_the_checkpoint_of_another(
    app: FastAPI, client: httpx.AsyncClient, start: Start, work: Work, plan: dict[str, Any]
) -> None:
    """What is left out is as in that run, which may be deleted before the new one begins."""
    first = await start(training={"max_steps": 8, "save_steps": 4, "learning_rate": 3e-4})
    await work()
    kept = (await get(client, first["id"], "/checkpoints"))["items"][0]
    form = {"job_name": "on", "base_model": first["base_model"], "dataset_id": first["dataset_id"]}
    form |= {"resume_from_checkpoint": kept["id"], "hyperparameters": {"max_steps": 12}}
    other_rank = {"hyperparameters": {"lora_rank": 3, "max_steps": 12}}
    no_longer = {"hyperparameters": {"max_steps": kept["step"]}}
    refusals = (
        (other_rank, "method.lora.r"),
        ({"method": "full"}, "method.adapter"),
        (no_longer, "training.max_steps"),
    )
    for change, location in refusals:
        refused = await client.post(JOBS, json=form | change)
        assert (refused.status_code, refused.json()["code"]) == (422, "configuration")
        assert location in [fault["location"] for fault in refused.json()["errors"]]
    second = (await client.post(JOBS, json=form)).json()
    assert second["hyperparameters"]["learning_rate"] == 3e-4
    assert second["hyperparameters"]["max_steps"] == 12
    await work()
    done = await get(client, second["id"])
    assert (done["status"], done["current_step"]) == ("completed", 12)
    points = (await get(client, second["id"], "/metrics?max_points=100"))["points"]
    assert [point["step"] for point in points] == list(range(kept["step"] + 1, 13))
    third = (await client.post(JOBS, json=form)).json()
    assert (await client.delete(f"{JOBS}/{first['id']}")).status_code == 204
    assert (await client.delete(f"{JOBS}/{second['id']}")).status_code == 204
    await work()
    lost = await get(client, third["id"])
    assert (lost["status"], lost["error_code"]) == ("failed", "checkpoint")
    assert (await client.post(JOBS, json=form)).status_code == 404


async def test_a_run_that_began_from_another_is_resumed_from_its_own_checkpoints(
    app: FastAPI, client: httpx.AsyncClient, start: Start, working: Working, work: Work
) -> None:
    first = await start(training={"max_steps": 4, "save_steps": 4})
    await work()
    [kept] = (await get(client, first["id"], "/checkpoints"))["items"]
    form = {"job_name": "on", "base_model": first["base_model"], "dataset_id": first["dataset_id"]}
    form |= {"resume_from_checkpoint": kept["id"], "hyperparameters": {"max_steps": 200, "save_steps": 200}}
    app.state.services.training.engine = FakeEngine(run_seconds=60)
    second = (await client.post(JOBS, json=form)).json()
    worker = working()

    async def has_begun() -> bool:
        return bool((await get(client, second["id"]))["current_step"] >= 6)

    await until("step 6", has_begun)
    await client.post(f"{JOBS}/{second['id']}/stop")
    await worker
    stopped = (await get(client, second["id"]))["current_step"]
    app.state.services.training.engine = FakeEngine(run_seconds=0.5)
    await client.post(f"{JOBS}/{second['id']}/resume")
    await work()
    logs = (await get(client, second["id"], "/logs?tail=1000"))["lines"]
    assert any(f"going on from update {stopped} of 200" in json.dumps(line) for line in logs), logs
    assert (await get(client, second["id"]))["status"] == "completed"


async def test_resume_refuses_a_damaged_checkpoint(
    app: FastAPI, client: httpx.AsyncClient, start: Start, working: Working, settings: Settings
) -> None:
    app.state.services.training.engine = FakeEngine(run_seconds=60)
    job = await start(training={"max_steps": 200, "save_steps": 2})
    worker = working()

    async def checkpoints() -> list[dict[str, Any]]:
        return list((await get(client, job["id"], "/checkpoints"))["items"])

    found = await until("a checkpoint", checkpoints)
    await client.post(f"{JOBS}/{job['id']}/stop")
    await worker
    (settings.runs_dir / str(job["id"]) / found[0]["path"] / "run_state.json").write_text("{}")
    answer = await client.post(f"{JOBS}/{job['id']}/resume", json={"checkpoint_id": found[0]["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "checkpoint")
    assert "run_state.json" in answer.json()["detail"]
    missing = await client.post(f"{JOBS}/{job['id']}/resume", json={"checkpoint_id": 999_999})
    assert (missing.status_code, missing.json()["code"]) == (404, "checkpoint-not-found")


async def test_a_run_ends_at_the_limit_of_its_recipe(
    app: FastAPI, client: httpx.AsyncClient, start: Start, work: Work
) -> None:
    app.state.services.training.engine = FakeEngine(run_seconds=60)
    job = await start(training={"max_steps": 400, "save_steps": 1}, resources={"max_runtime_hours": 2 / 3600})
    await work()
    ended = await get(client, job["id"])
    assert (ended["status"], ended["error_code"]) == ("failed", "max-runtime")
    assert "resources.max_runtime_hours" in ended["hint"]
    assert 0 < ended["current_step"] < 400
    assert (await get(client, job["id"], "/checkpoints"))["items"]


async def test_what_is_known_not_to_work_names_what_does(
    app: FastAPI, client: httpx.AsyncClient, plan: dict[str, Any]
) -> None:
    app.state.services.training.engine = TrlEngine()
    asked = {**plan, "method": {"adapter": "qlora"}, "resources": {"device": "mps"}}
    problem = (await client.post(JOBS, json=asked)).json()
    assert problem["code"] == "configuration"
    assert "sft with qlora does not work on mps" in problem["detail"]
    assert "method.adapter: lora" in problem["hint"]


@pytest.mark.parametrize(
    ("resources", "code", "words"),
    [
        ({"device": "cpu", "processes": 64}, "configuration", "64 processes need 64 processor cores"),
        ({"gpu_ids": [6, 7]}, "gpu-ids", "no GPU 6, 7"),
        (
            {"processes": 2, "distributed": {"strategy": "deepspeed"}},
            "configuration",
            "DeepSpeed, which is not installed",
        ),
    ],
)
async def test_devices_that_are_not_there_are_refused(
    app: FastAPI, client: httpx.AsyncClient, plan: dict[str, Any], resources: dict[str, Any], code: str, words: str
) -> None:
    app.state.services.training.engine = TrlEngine()
    answer = await client.post(JOBS, json={**plan, "resources": resources})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert words in answer.json()["detail"]
    assert answer.json()["hint"]


async def test_failure_in_the_child_reaches_the_api(
    app: FastAPI, client: httpx.AsyncClient, start: Start, work: Work, settings: Settings
) -> None:
    app.state.services.training.engine = TrlEngine()
    lora = {"lora": {"r": 4, "target_modules": ["q_proj", "query"]}}
    job = await start(method=lora)
    await work()
    failed = await get(client, job["id"])
    assert (failed["status"], failed["error_type"]) == ("failed", "CONFIGURATION_ERROR")
    assert "query" in failed["error_message"]
    assert "down_proj" in failed["hint"]
    assert "Traceback" not in failed["error_message"]


async def test_lists_by_status_and_thins_curves(client: httpx.AsyncClient, start: Start, work: Work) -> None:
    first = await start(training={"max_steps": 100})
    await work()
    second = await start()
    listed = (await client.get(JOBS)).json()
    assert [job["id"] for job in listed["items"]] == [second["id"], first["id"]]
    completed = (await client.get(JOBS, params={"status": "completed"})).json()
    assert [job["id"] for job in completed["items"]] == [first["id"]]
    assert (await client.get(JOBS, params={"status": "succeeded"})).status_code == 422

    thin = await get(client, first["id"], "/metrics?names=loss&max_points=7&from_step=10")
    steps = [point["step"] for point in thin["points"]]
    assert (len(steps), steps[0], steps[-1], thin["total"]) == (7, 10, 100, 91)
    assert all(point["learning_rate"] is None and point["loss"] for point in thin["points"])
    assert (await client.get(f"{JOBS}/{first['id']}/metrics?names=lost")).status_code == 422


async def test_a_file_by_its_path_becomes_a_dataset(
    client: httpx.AsyncClient, plan: dict[str, Any], settings: Settings, data_dir: Path
) -> None:
    write_rows(data_dir / "harbour.jsonl", 12)
    bodies = [{**plan, "data": {"train": "harbour.jsonl"}}] * 2
    ids = [
        (await client.post(JOBS, json=body, params={"base_dir": str(data_dir)})).json()["dataset_id"] for body in bodies
    ]
    assert ids[0] == ids[1], "the same content is kept once"
    dataset = (await client.get(f"/api/v1/admin/training/datasets/{ids[0]}")).json()
    assert dataset["name"] == "harbour"


async def test_unknown_jobs_are_404(client: httpx.AsyncClient) -> None:
    for path in ("", "/logs", "/metrics", "/checkpoints"):
        answer = await client.get(f"{JOBS}/41{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "finetuning-job-not-found")
    assert (await client.post(f"{JOBS}/41/stop")).status_code == 404


async def test_recipes_for_forms(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/api/v1/admin/recipes/schema")).json()
    assert "register" in schema["properties"]
    assert schema["$defs"]["TrainingSection"]["properties"]["learning_rate"]["title"] == "Learning rate"
    presets = (await client.get("/api/v1/admin/recipes/presets")).json()["items"]
    assert {"sft-lora", "sft-lora-small"} <= {preset["name"] for preset in presets}
    for preset in presets:
        assert preset["yaml"].startswith("# ")
        assert preset["description"]
        checked = await client.post("/api/v1/admin/recipes/validate", json={"yaml": preset["yaml"]})
        assert checked.json()["valid"], checked.text
        assert checked.json()["recipe"] == preset["recipe"]
    broken = await client.post("/api/v1/admin/recipes/validate", json={"yaml": "name: x\nmodle: {base: y}"})
    assert broken.status_code == 200
    assert not broken.json()["valid"]
    assert broken.json()["errors"][0] == {
        "location": "modle",
        "message": "there is no such key; did you mean model?",
        "reason": "unknown-key",
        "allowed": None,
        "value": None,
        "line": 2,
        "column": 1,
    }


async def test_each_fault_of_a_recipe_says_its_reason(client: httpx.AsyncClient) -> None:
    text = (
        "version: 1\nname:\nmodel: {base: x}\ndata: {train: y}\n"
        "training: {epochs: 0, max_length: abc, scheduler: foo, learing_rate: 3}\n"
    )
    checked = await client.post("/api/v1/admin/recipes/validate", json={"yaml": text})
    found = {fault["location"]: (fault["reason"], fault["allowed"]) for fault in checked.json()["errors"]}
    assert found == {
        "name": ("missing", None),
        "training.epochs": ("out-of-range", "> 0"),
        "training.max_length": ("wrong-type", None),
        "training.scheduler": ("not-a-choice", "cosine, linear, constant"),
        "training.learing_rate": ("unknown-key", None),
    }


def test_the_bundle_carries_the_same_presets_as_the_checkout() -> None:
    root = Path(__file__).resolve().parents[3]
    for file in [*(root / "recipes").glob("sft-*.yaml"), *(root / "recipes").glob("tiny-*.yaml")]:
        assert (root / "src/tunesmith/bundle/recipes" / file.name).read_bytes() == file.read_bytes()


async def test_the_list_filters_searches_and_sorts(
    client: httpx.AsyncClient, start: Start, dataset: dict[str, Any]
) -> None:
    first, second = await start(name="b 50%"), await start(name="a")

    async def ids(**query: Any) -> list[int]:
        answer = await client.get(JOBS, params=query)
        assert answer.status_code == 200, answer.text
        return [job["id"] for job in answer.json()["items"]]

    assert await ids() == [second["id"], first["id"]]
    assert await ids(sort="job_name") == [second["id"], first["id"]]
    assert await ids(sort="-job_name") == [first["id"], second["id"]]
    assert await ids(search="50%") == [first["id"]]
    assert await ids(status="pending", dataset_id=dataset["id"], method="lora") == [second["id"], first["id"]]
    assert await ids(base_model="another") == await ids(status="failed") == await ids(dataset_id=99) == []
    wrong = await client.get(JOBS, params={"sort": "recipe"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "validation")
    assert "job_name" in wrong.json()["detail"]


async def test_priority_is_given_at_the_start(client: httpx.AsyncClient, plan: dict[str, Any], work: Work) -> None:
    await work()
    first = (await client.post(JOBS, json=plan)).json()
    urgent = (await client.post(JOBS, json=plan, params={"priority": 5})).json()
    assert (urgent["priority"], urgent["queue_position"]) == (5, 1)
    assert (await get(client, first["id"]))["queue_position"] == 2
    assert (await client.post(JOBS, json=plan, params={"priority": 101})).status_code == 422


async def test_a_checkpoint_is_verified_kept_and_deleted_and_then_the_run(
    client: httpx.AsyncClient, start: Start, work: Work, settings: Settings
) -> None:
    job = await start()
    refused = await client.delete(f"{JOBS}/{job['id']}/checkpoints/1")
    assert (refused.status_code, refused.json()["code"]) == (404, "checkpoint-not-found")
    await work()
    early, late = (await get(client, job["id"], "/checkpoints"))["items"]
    place = f"{JOBS}/{job['id']}/checkpoints/{early['id']}"
    kept = (await client.post(f"{place}/keep")).json()
    assert (kept["is_kept"], kept["path"].startswith("kept/")) == (True, True)
    folder = settings.runs_dir / str(job["id"])
    assert (folder / kept["path"] / "manifest.json").is_file()
    assert (await client.post(f"{place}/keep")).json() == kept
    assert (await client.post(f"{place}/verify")).json()["verified"] is True
    state = folder / kept["path"] / "run_state.json"
    state.unlink()
    state.write_text("{}")
    assert (await client.post(f"{place}/verify")).json()["verified"] is False
    assert (await get(client, job["id"], "/checkpoints"))["items"][0]["verified"] is False
    assert (await client.delete(f"{JOBS}/{job['id']}/checkpoints/{late['id']}")).status_code == 204
    assert not (folder / late["path"]).exists()
    assert [c["id"] for c in (await get(client, job["id"], "/checkpoints"))["items"]] == [early["id"]]

    assert (await client.delete(f"{JOBS}/{job['id']}")).status_code == 204
    assert not folder.exists()
    gone = await client.get(f"{JOBS}/{job['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "finetuning-job-not-found")
    assert (await client.get(JOBS)).json()["total"] == 0
    assert (await client.delete(f"{JOBS}/{job['id']}")).status_code == 404


async def test_a_run_that_goes_on_is_not_deleted_and_its_log_is_followed(
    client: httpx.AsyncClient, start: Start, working: Working
) -> None:
    job = await start(training={"max_steps": 1000, "save_steps": 10})
    task = working()

    async def is_running() -> bool:
        return (await get(client, job["id"]))["status"] == "running"

    await until("the run", is_running)
    refused = await client.delete(f"{JOBS}/{job['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "run-active")
    await client.post(f"{JOBS}/{job['id']}/stop")
    await task
    await client.post(f"{JOBS}/{job['id']}/resume")  # the first line is that it goes on
    task = working()
    followed = (await client.get(f"{JOBS}/{job['id']}/logs", params={"follow": True})).text  # until the job has ended
    await task
    lines = (await get(client, job["id"], "/logs"))["lines"]
    said = [line.removeprefix("id: ") for line in followed.splitlines() if line.startswith("id: ")]
    assert [int(offset) for offset in said] == [line["offset"] for line in lines]
    rest = await client.get(f"{JOBS}/{job['id']}/logs", params={"follow": True}, headers={"Last-Event-ID": said[-1]})
    assert "id: " not in rest.text
    older = await client.get(f"{JOBS}/{job['id']}/logs", params={"before": lines[-1]["offset"], "tail": 1})
    assert older.json()["lines"] == lines[-2:-1]
    assert (await client.delete(f"{JOBS}/{job['id']}")).status_code == 204


async def test_a_run_that_waits_is_taken_out_of_the_queue_and_deleted(client: httpx.AsyncClient, start: Start) -> None:
    job = await start()
    assert (await client.delete(f"{JOBS}/{job['id']}")).status_code == 204
    assert (await client.get(f"/api/v1/admin/jobs/{job['id']}")).json()["state"] == "cancelled"
