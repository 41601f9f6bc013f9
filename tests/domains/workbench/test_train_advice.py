"""`/train/recommend-parameters` and `/train/prepare`: for the current model and dataset, or for those that are named."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tunesmith.wire.recipe import Recipe


async def upload(client: httpx.AsyncClient) -> dict[str, Any]:
    rows = [
        {"messages": [{"role": "user", "content": f"{n} + {n}?"}, {"role": "assistant", "content": f"{2 * n}입니다."}]}
        for n in range(40)
    ]
    body = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    answer = await client.post("/dataset/upload", files={"file": ("sums.jsonl", body)}, params={"wait": 0})
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def test_recommends_for_the_current_dataset_with_a_reason_for_each_value(client: httpx.AsyncClient) -> None:
    nothing = await client.post("/train/recommend-parameters", json={"model": "tunesmith/tiny"})
    assert (nothing.status_code, nothing.json()["code"]) == (404, "no-current-dataset")
    dataset = await upload(client)
    without_model = await client.post("/train/recommend-parameters")
    assert (without_model.status_code, without_model.json()["code"]) == (404, "no-current-model")
    answer = await client.post("/train/recommend-parameters", json={"model": "tunesmith/tiny"})
    assert answer.status_code == 200, answer.text
    advice = answer.json()
    assert (advice["dataset_id"], advice["rows"]) == (dataset["dataset_id"], 40)
    assert 40 * 10 < advice["total_tokens"] < 40 * 60
    recipe = Recipe.model_validate(advice["recipe"])
    assert recipe.data.train.startswith("dataset:")
    assert all(choice["reason"] for choice in advice["choices"])
    assert advice["parameters"]["lora_rank"] == recipe.method.lora.r
    assert advice["updates"] >= 100
    little = await client.post(
        "/train/recommend-parameters", json={"model": "tunesmith/tiny", "available_memory_gb": 0.5}
    )
    assert little.json()["recipe"]["training"]["gradient_checkpointing"] is True


async def test_prepare_queues_a_rehearsal_of_what_is_recommended(client: httpx.AsyncClient) -> None:
    await upload(client)
    body = {"model": "tunesmith/tiny", "hyperparameters": {"lora_rank": 8, "max_steps": 7}}
    answer = await client.post("/train/prepare", json=body, params={"wait": 0})
    assert answer.status_code == 202, answer.text
    job = (await client.get(f"/api/v1/admin/jobs/{answer.json()['job_id']}")).json()
    assert job["kind"] == "forecast"
    recipe = job["spec"]["recipe"]
    assert recipe["method"]["lora"]["r"] == 8
    assert recipe["training"]["max_steps"] == 7
    assert recipe["training"]["epochs"] is None
    assert recipe["training"]["learning_rate"] > 1e-3, "a small model gets a high rate"
    wrong = await client.post("/train/prepare", json=body | {"hyperparameters": {"lora_rnk": 8}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "configuration")
    assert "lora_rank" in wrong.json()["detail"]


async def test_prepare_takes_what_is_configured_for_the_next_run(client: httpx.AsyncClient) -> None:
    await upload(client)
    await client.post("/train/config-lora", json={"r": 4})
    configured = await client.post("/train/config-training-args", json={"max_steps": 5, "batch_size": 2})
    assert configured.status_code == 200, configured.text
    answer = await client.post("/train/prepare", json={"model": "tunesmith/tiny"}, params={"wait": 0})
    recipe = (await client.get(f"/api/v1/admin/jobs/{answer.json()['job_id']}")).json()["spec"]["recipe"]
    assert (recipe["method"]["lora"]["r"], recipe["training"]["max_steps"], recipe["training"]["batch_size"]) == (
        4,
        5,
        2,
    )
