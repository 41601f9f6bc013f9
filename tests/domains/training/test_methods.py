"""Objectives and adapters through the API: which rows each takes, what a run shows, and what its result is good for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.training.conftest import DATASETS, JOBS, Start, Work
from tests.ml import preferences
from tunesmith.adapters.training.trl import TrlEngine
from tunesmith.domains.training.capabilities import capability_matrix
from tunesmith.settings import Settings, load_settings

ROWS = {"preference": preferences.pairs(), "kto": preferences.labelled(), "text": preferences.texts()}


async def upload(client: httpx.AsyncClient, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    sent = await client.post(DATASETS, files={"file": (f"{name}.jsonl", lines.encode())}, data={"name": name})
    assert sent.status_code == 201, sent.text
    return dict(sent.json())


class TestRealRuns:
    """With the real engine."""

    @pytest.fixture
    def settings(self, data_dir: Path, saved_model: Path) -> Settings:
        roots = {"allowed_roots": [str(saved_model)]}
        return load_settings(data_dir=data_dir, models=roots, jobs={"poll_seconds": 0.05})

    async def test_all_weights_trained_can_be_used_as_any_model(
        self, client: httpx.AsyncClient, start: Start, work: Work, tmp_path: Path
    ) -> None:
        """A full run is evaluated beside its base, registered, exported and asked."""
        job = await start(
            method={"adapter": "full"},
            data={"train": "dataset:Ferry@1.0", "split": {"train": 0.8, "validation": 0.2}},
            evaluate={"max_questions": 4, "max_new_tokens": 4},
            register={"name": "whole"},
            export=[{"format": "merged"}],
        )
        await work()
        done = (await client.get(f"{JOBS}/{job['id']}")).json()
        assert done["status"] == "completed", done
        assert [step["state"] for step in done["graph"]] == ["succeeded"] * 5, done["graph"]
        result = (await client.get(f"/api/v1/admin/jobs/{job['id']}/result")).json()["result"]
        folder = Path(result["publication"]["model_dir"])
        assert (folder / "config.json").is_file()
        assert "adapter_dir" not in {k for k, v in result["publication"].items() if v}
        evaluated = next(step for step in done["graph"] if step["kind"] == "evaluate")
        report = (await client.get(f"/api/v1/admin/jobs/{evaluated['job_id']}/result")).json()["result"]
        assert report["tuned"]["loss"] < report["base"]["loss"]
        question = {"messages": [{"role": "user", "content": "Say ship"}], "max_tokens": 3}
        for model in (f"run:{job['id']}", "whole@1.0.0"):
            said = await client.post("/v1/chat/completions", json={"model": model, **question})
            assert said.status_code == 200, said.text

    async def test_a_run_on_pairs_ends_with_base_beside_tuned(
        self, client: httpx.AsyncClient, start: Start, work: Work
    ) -> None:
        await upload(client, "Pairs", ROWS["preference"])
        job = await start(
            method={"objective": "dpo", "dpo": {"loss": "sigmoid"}},
            data={"train": "dataset:Pairs@1.0", "split": {"train": 0.75, "validation": 0.25}},
            training={"max_steps": 12, "learning_rate": 5e-3, "warmup_ratio": 0},
            evaluate={},
        )
        assert job["warnings"] == []
        await work()
        done = (await client.get(f"{JOBS}/{job['id']}")).json()
        assert [step["state"] for step in done["graph"]] == ["succeeded"] * 3, done
        evaluated = next(step for step in done["graph"] if step["kind"] == "evaluate")
        report = (await client.get(f"/api/v1/admin/jobs/{evaluated['job_id']}/result")).json()["result"]
        assert report["tuned"]["preference_margin"] > report["base"]["preference_margin"]
        assert report["tuned"]["metrics"]["preference_accuracy"]["n"] == len(ROWS["preference"]) // 4
        assert report["tuned"]["answers_total"] is None

    async def test_a_reward_model_scores_and_does_not_write(
        self, client: httpx.AsyncClient, start: Start, work: Work
    ) -> None:
        await upload(client, "Pairs", ROWS["preference"])
        job = await start(
            method={"objective": "reward"},
            data={"train": "dataset:Pairs@1.0", "split": {"train": 0.75, "validation": 0.25}},
            evaluate={},
            register={"name": "judge"},
        )
        assert "pair accuracy" in job["warnings"][0]
        await work()
        done = (await client.get(f"{JOBS}/{job['id']}")).json()
        assert [step["state"] for step in done["graph"]] == ["succeeded"] * 3, done
        assert done["method"] == "reward"
        assert 0 <= done["figures"]["measures"]["accuracy"] <= 1
        points = (await client.get(f"{JOBS}/{job['id']}/metrics")).json()["points"]
        assert {"accuracy", "margin", "eval_accuracy"} <= set(points[-1]["figures"])
        only = (await client.get(f"{JOBS}/{job['id']}/metrics?names=eval_accuracy")).json()
        assert only["names"] == ["eval_accuracy"]
        assert (only["points"][-1]["loss"], set(only["points"][-1]["figures"])) == (None, {"eval_accuracy"})
        question = {"messages": [{"role": "user", "content": "Say ship"}]}
        said = await client.post("/v1/chat/completions", json={"model": f"run:{job['id']}", **question})
        assert said.status_code == 422
        assert "reward model" in said.text


@pytest.mark.parametrize(
    ("objective", "fmt"), [("cpt", "text"), ("dpo", "preference"), ("kto", "kto"), ("kto", "preference")]
)
async def test_each_objective_takes_its_formats(
    client: httpx.AsyncClient, start: Start, work: Work, objective: str, fmt: str
) -> None:
    await upload(client, "Own", ROWS[fmt])
    job = await start(method={"objective": objective}, data={"train": "dataset:Own@1.0"})
    await work()
    assert (await client.get(f"{JOBS}/{job['id']}")).json()["status"] == "completed"


async def test_another_format_is_refused_with_the_objective_that_fits(
    client: httpx.AsyncClient, plan: dict[str, Any]
) -> None:
    await upload(client, "Marked", ROWS["kto"])
    answer = await client.post(JOBS, json={**plan, "data": {"train": "dataset:Marked@1.0"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "dataset-format")
    assert "method.objective kto" in answer.json()["hint"]
    assert (await client.get(JOBS)).json()["total"] == 0


async def test_the_short_form_knows_every_method(client: httpx.AsyncClient, saved_model: Path, work: Work) -> None:
    pairs = await upload(client, "Pairs", ROWS["preference"])
    body = {"job_name": "short", "base_model": str(saved_model), "dataset_id": pairs["id"], "method": "dpo"}
    body["hyperparameters"] = {"beta": 0.2, "adapter": "qlora", "quantization_type": "fp4", "max_steps": 2}
    answer = await client.post(JOBS, json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert job["method"] == "dpo"
    assert (job["hyperparameters"]["dpo.beta"], job["hyperparameters"]["quantization_type"]) == (0.2, "fp4")
    assert job["recipe"]["method"]["adapter"] == "qlora"
    rates = {"dpo": job["recipe"]["training"]["learning_rate"]}
    said = await upload(client, "Said", [{"prompt": f"Say {n}", "completion": f"It is {n}."} for n in range(6)])
    for adapter in ("lora", "qlora", "full"):
        named = {"job_name": adapter, "base_model": str(saved_model), "dataset_id": said["id"], "method": adapter}
        job = (await client.post(JOBS, json=named)).json()
        assert (job["method"], job["recipe"]["method"]["adapter"]) == (adapter, adapter)
        rates[adapter] = job["recipe"]["training"]["learning_rate"]
    assert rates["full"] < rates["dpo"] < rates["lora"] == rates["qlora"]


async def test_the_matrix_says_works_only_from_a_recorded_run(client: httpx.AsyncClient) -> None:
    cells = (await client.get("/api/v1/admin/recipes/capabilities")).json()["cells"]
    assert len({(c["objective"], c["adapter"], c["device"], c["engine"]) for c in cells}) == len(cells) >= 7 * 3 * 3
    for cell in cells:
        if cell["state"] == "works":
            assert cell["recorded_at"]
            assert cell["versions"]["torch"]
            assert len(cell["weights_sha256"]) == 64
        else:
            assert cell["reason"]
            assert cell["alternative"]
    assert [c.model_dump(mode="json") for c in capability_matrix().cells] == cells


async def test_validation_refuses_what_is_known_not_to_work(
    app: FastAPI, client: httpx.AsyncClient, plan: dict[str, Any]
) -> None:
    app.state.services.training.engine = TrlEngine()
    recipe = {**plan, "method": {"adapter": "qlora"}, "resources": {"device": "mps"}}
    checked = (await client.post("/api/v1/admin/recipes/validate", json={"recipe": recipe})).json()
    assert not checked["valid"]
    assert "method.adapter: lora" in checked["errors"][0]["message"]
