"""Saved recipes: kept, changed, compared, run; always valid."""

from __future__ import annotations

from typing import Any

import httpx

RECIPES = "/api/v1/admin/recipes"


async def save(client: httpx.AsyncClient, status: int = 201, **body: Any) -> Any:
    answer = await client.post(RECIPES, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_recipe_is_kept_changed_compared_run_and_forgotten(
    client: httpx.AsyncClient, plan: dict[str, Any]
) -> None:
    first = await save(client, recipe=plan, description="배 안내")
    assert (first["name"], first["description"]) == ("first run", "배 안내")
    assert first["recipe"]["training"]["gradient_accumulation_steps"] == 1, "defaults are filled in"
    again = await save(client, name="by text", yaml=first["yaml"])
    assert again["recipe"] == first["recipe"]
    changed = await client.patch(
        f"{RECIPES}/{again['id']}", json={"yaml": first["yaml"].replace("max_steps: 6", "max_steps: 9")}
    )
    assert changed.json()["recipe"]["training"]["max_steps"] == 9
    diff = (await client.get(f"{RECIPES}/{first['id']}/diff/{again['id']}")).json()
    assert diff["changes"] == [{"key": "training.max_steps", "before": 6, "after": 9}]
    assert diff["same"] > 20
    listed = (await client.get(RECIPES, params={"search": "TEXT"})).json()
    assert [recipe["id"] for recipe in listed["items"]] == [again["id"]]
    run = await client.post(f"{RECIPES}/{first['id']}/run", json={"overrides": ["training.max_steps=3", "seed=9"]})
    assert run.status_code == 201, run.text
    assert (run.json()["recipe"]["training"]["max_steps"], run.json()["recipe"]["seed"]) == (3, 9)
    assert (await client.get(f"{RECIPES}/{first['id']}")).json()["recipe"]["training"]["max_steps"] == 6
    assert (await client.delete(f"{RECIPES}/{first['id']}")).status_code == 204
    assert (await client.get(f"{RECIPES}/{first['id']}")).json()["code"] == "recipe-not-found"


async def test_what_cannot_be_kept_is_refused(client: httpx.AsyncClient, plan: dict[str, Any]) -> None:
    faulty = await save(client, 422, recipe={**plan, "training": {"epoch": 3}})
    assert (faulty["code"], faulty["errors"][0]["location"]) == ("configuration", "training.epoch")
    assert (await save(client, 422))["code"] == "validation"
    assert (await save(client, 422, recipe=plan, yaml="name: x"))["code"] == "validation"
    kept = await save(client, recipe=plan)
    assert (await save(client, 409, recipe=plan))["code"] == "recipe-name-taken"
    other = await save(client, recipe=plan, name="other")
    taken = await client.patch(f"{RECIPES}/{other['id']}", json={"name": kept["name"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "recipe-name-taken")
    wrong = await client.post(f"{RECIPES}/{kept['id']}/run", json={"overrides": ["training.epochz=3"]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "configuration")
