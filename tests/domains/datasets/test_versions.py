"""Versions: undo, archive, restore, purge, lineage: over HTTP, with a worker, on the files of the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.datasets.conftest import PATH, Answered, Upload, Work

ROWS = [{"prompt": f"{n}번 배는 언제 떠나요?", "completion": f"오후 {n}시에 떠납니다."} for n in range(1, 9)]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def set_answer(row: int, text: str) -> dict[str, Any]:
    return {"set": [{"row": row, "pointer": "/completion", "value": text}]}


@pytest.fixture
async def made(upload: Upload, work: Work) -> dict[str, Any]:
    answer: dict[str, Any] = (await upload("배.jsonl", lines(ROWS), description="Ferries", tags="sea")).json()
    await work()
    return answer


async def test_an_undo_brings_back_the_very_content(
    made: dict[str, Any], client: httpx.AsyncClient, answered: Answered, work: Work
) -> None:
    first = (await answered("PATCH", f"/{made['id']}/rows", json=set_answer(1, "아침")))["dataset"]
    second = (await answered("PATCH", f"/{first['id']}/rows", json={"delete": [1, 2]}))["dataset"]
    assert (first["version"], second["version"]) == ("1.1", "1.2")
    undone = (await client.post(f"{PATH}/{second['id']}/undo")).json()
    assert (undone["dataset"]["id"], undone["dataset"]["sha256"]) == (first["id"], first["sha256"])
    assert (undone["archived"]["id"], undone["archived"]["status"]) == (second["id"], "archived")
    again = (await client.post(f"{PATH}/{first['id']}/undo")).json()
    assert (again["dataset"]["sha256"], again["dataset"]["description"]) == (made["sha256"], "Ferries")
    nothing = await client.post(f"{PATH}/{made['id']}/undo")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "no-undo")
    listed = (await client.get(PATH)).json()
    assert [row["id"] for row in listed["items"]] == [made["id"]]
    versions = (await client.get(f"{PATH}/{made['id']}/versions")).json()
    shown = [(v["version"], v["operation"], v["status"], v["diff"]) for v in versions["items"]]
    assert shown == [
        ("1.2", "edit", "archived", {"added": 0, "removed": 2, "changed": 0}),
        ("1.1", "edit", "archived", {"added": 0, "removed": 0, "changed": 1}),
        ("1.0", "upload", "ready", None),
    ]
    next_one = (await answered("PATCH", f"/{made['id']}/rows", json=set_answer(2, "저녁")))["dataset"]
    assert next_one["version"] == "1.3"


async def test_an_undo_does_not_wait_for_the_validation(
    made: dict[str, Any], app: FastAPI, client: httpx.AsyncClient, work: Work, upload: Upload
) -> None:
    job = (await client.patch(f"{PATH}/{made['id']}/rows", params={"wait": 0}, json=set_answer(1, "x"))).json()
    await work()
    version = (await client.get(job["links"]["result"])).json()["result"]["dataset"]["id"]
    validation = (await client.post(f"{PATH}/{version}/validate", params={"wait": 0})).json()
    refused = await client.delete(f"{PATH}/{version}")
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset-in-use")
    assert refused.json()["jobs"] == [validation["job_id"]]
    assert (await client.post(f"{PATH}/{version}/undo")).status_code == 200
    assert (await client.get(validation["links"]["self"])).json()["state"] == "cancelled"
    assert (await client.get(f"{PATH}/{version}")).json()["status"] == "archived"
    restored = (await client.post(f"{PATH}/{version}/restore")).json()
    assert (restored["status"], restored["total_samples"]) == ("ready", 8)


async def test_an_archived_version_is_out_of_the_way_until_it_is_restored(
    made: dict[str, Any], client: httpx.AsyncClient
) -> None:
    path = f"{PATH}/{made['id']}"
    for _ in range(2):
        gone = await client.delete(path)
        assert (gone.status_code, gone.json()["status"]) == (200, "archived")
    for call in ("validate", "split"):
        assert (await client.post(f"{path}/{call}", json={})).status_code == 409
    refused = await client.patch(f"{path}/rows", json=set_answer(1, "x"))
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset-not-ready")
    assert (await client.get(PATH)).json()["total"] == 0
    assert (await client.get(PATH, params={"status": "archived"})).json()["total"] == 1
    for _ in range(2):
        assert (await client.post(f"{path}/restore")).json()["status"] == "ready"
    assert (await client.get(PATH)).json()["total"] == 1


def kept_files(app: FastAPI) -> set[Path]:
    root = app.state.services.settings.store_dir
    return {path.relative_to(root) for path in root.rglob("*") if path.is_file()}


async def test_a_purge_reclaims_what_nobody_else_has(
    made: dict[str, Any], app: FastAPI, client: httpx.AsyncClient, answered: Answered, upload: Upload, work: Work
) -> None:
    edited = (await answered("PATCH", f"/{made['id']}/rows", json=set_answer(1, "아침")))["dataset"]
    await answered("GET", f"/{made['id']}/diff/{edited['id']}")
    same = (await upload("b.jsonl", lines(ROWS), name="Same")).json()
    await work()
    early = await client.post(f"{PATH}/{made['id']}/purge")
    assert (early.status_code, early.json()["code"]) == (409, "dataset-in-use")
    await client.delete(f"{PATH}/{made['id']}")
    shared = (await client.post(f"{PATH}/{made['id']}/purge")).json()
    assert shared["shared_with"] == [same["id"]]
    assert Path(made["file_path"]) in kept_files(app)
    assert (await client.get(f"{PATH}/{same['id']}/preview")).json()["total"] == 8
    for call, method in (("restore", "POST"), ("preview", "GET"), (f"diff/{edited['id']}", "GET")):
        refused = await client.request(method, f"{PATH}/{made['id']}/{call}")
        assert (refused.status_code, refused.json()["code"]) == (409, "dataset-purged"), call
    no_way_back = await client.post(f"{PATH}/{edited['id']}/undo")
    assert (no_way_back.status_code, no_way_back.json()["code"]) == (409, "dataset-purged")
    before = sum((app.state.services.settings.store_dir / path).stat().st_size for path in kept_files(app))
    await client.delete(f"{PATH}/{same['id']}")
    last = (await client.post(f"{PATH}/{same['id']}/purge")).json()
    after = sum((app.state.services.settings.store_dir / path).stat().st_size for path in kept_files(app))
    assert last["shared_with"] == []
    assert 0 < made["size_bytes"] <= last["freed_bytes"] <= before - after
    left = kept_files(app)
    assert Path(made["file_path"]) not in left
    assert not [path for path in left if made["sha256"] in str(path) or f"datasets/{same['id']}/" in str(path)]
    assert (await client.post(f"{PATH}/{same['id']}/purge")).json()["freed_bytes"] == 0
    lineage = (await client.get(f"{PATH}/{edited['id']}/lineage")).json()
    assert [(node["id"], node["purged"]) for node in lineage["nodes"]] == [(made["id"], True), (edited["id"], False)]


async def test_the_lineage_shows_where_a_version_comes_from_and_what_came_of_it(
    made: dict[str, Any], app: FastAPI, client: httpx.AsyncClient, answered: Answered, work: Work
) -> None:
    edited = (await answered("PATCH", f"/{made['id']}/rows", json=set_answer(1, "아침")))["dataset"]
    other = (await answered("PATCH", f"/{made['id']}/rows", json=set_answer(2, "저녁")))["dataset"]
    parts = (await answered("POST", f"/{edited['id']}/split", json={"train": 0.5, "validation": 0.5, "test": 0}))[
        "parts"
    ]
    services = app.state.services
    async with services.database.write(await services.owner()) as unit:
        spec = {"model": "tunesmith/tiny", "dataset_id": parts[0]["dataset_id"]}
        job = await services.jobs.submit(unit, "evaluate", spec, name="시험")
    for asked in (made["id"], parts[1]["dataset_id"]):
        lineage = (await client.get(f"{PATH}/{asked}/lineage")).json()
        keys = {node["key"] for node in lineage["nodes"]}
        family = {made["id"], edited["id"], *(part["dataset_id"] for part in parts)}
        family.add(other["id"])
        assert keys == {f"dataset:{number}" for number in family} | {f"job:{job.id}"}
        arrows = {(edge["source"], edge["target"]): edge["operation"] for edge in lineage["edges"]}
        assert arrows[f"dataset:{made['id']}", f"dataset:{edited['id']}"] == "edit"
        assert arrows[f"dataset:{edited['id']}", f"dataset:{parts[0]['dataset_id']}"] == "split"
        assert arrows[f"dataset:{parts[0]['dataset_id']}", f"job:{job.id}"] == "evaluate"


async def test_what_is_said_about_a_dataset_can_be_changed(
    made: dict[str, Any], client: httpx.AsyncClient, answered: Answered, upload: Upload
) -> None:
    edited = (await answered("PATCH", f"/{made['id']}/rows", json=set_answer(1, "아침")))["dataset"]
    path = f"{PATH}/{edited['id']}"
    changed = (await client.patch(path, json={"description": "새 설명", "tags": ["a", "b"]})).json()
    assert (changed["description"], changed["tags"], changed["name"]) == ("새 설명", ["a", "b"], "Ferry")
    renamed = (await client.patch(path, json={"name": " 여객선 "})).json()
    assert renamed["name"] == "여객선"
    assert (await client.get(f"{PATH}/{made['id']}")).json()["name"] == "여객선"
    await upload("b.jsonl", lines(ROWS[:2]), name="Other")
    taken = await client.patch(path, json={"name": "Other"})
    assert (taken.status_code, taken.json()["code"]) == (409, "dataset-exists")
    for body in ({}, {"name": None}, {"tags": ["no spaces"]}, {"name": "\x00"}, {"description": "\x00"}, {"x": 1}):
        assert (await client.patch(path, json=body)).status_code == 422, body
