"""From a file to findings, a preview, a split and what training reads: over HTTP, with a worker, on a real database."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.datasets.conftest import PATH, Upload, Work
from tunesmith.api.app import create_app
from tunesmith.domains.datasets import DatasetRedError
from tunesmith.domains.datasets.errors import DatasetExistsError
from tunesmith.settings import load_settings
from tunesmith.worker import run_worker

LOCAL = "http://127.0.0.1:8000"


def pairs(count: int) -> list[dict[str, str]]:
    return [{"prompt": f"Question {n}?", "completion": f"Answer {n}."} for n in range(count)]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FAULTY = lines(
    [*pairs(3), {"prompt": "Question 1?"}, {"prompt": "p", "completion": "write to a.b@example.com"}, pairs(1)[0]]
)


async def test_findings_name_the_file_and_the_lines(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    made = (await upload("질문.jsonl", "\n" + FAULTY)).json()
    path = f"{PATH}/{made['id']}"
    early = await client.get(f"{path}/findings")
    assert (early.status_code, early.json()["code"]) == (409, "dataset-not-ready")
    await work()
    assert (await client.get(path)).json()["status"] == "invalid"
    found = (await client.get(f"{path}/findings")).json()
    assert [(f["code"], f["row"], f["line"]) for f in found["items"]] == [
        ("blank-line", 1, 1),
        ("missing-field", 4, 5),
        ("pii-email", 5, 6),
        ("exact-duplicate", 6, 7),
    ]
    assert (found["file"], found["total"], found["counts"]["amber"]) == ("질문.jsonl", 4, 2)
    assert "a.b@" not in json.dumps(found)
    amber = (await client.get(f"{path}/findings", params={"severity": "amber", "page_size": 1, "page": 2})).json()
    assert ([f["code"] for f in amber["items"]], amber["total"]) == (["exact-duplicate"], 2)
    coded = (await client.get(f"{path}/findings", params={"code": "pii-email"})).json()
    assert (len(coded["items"]), coded["total"]) == (1, 1)
    assert (await client.get(f"{path}/findings", params={"code": "no-such"})).status_code == 422


async def test_weights_of_the_score_are_settings(data_dir: Path) -> None:
    app = create_app(load_settings(data_dir=data_dir, datasets={"score_weights": {"red": 0.5, "amber": 0}}))
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=LOCAL) as client:
        made = (await client.post(PATH, files={"file": ("a.jsonl", FAULTY.encode())}, data={"name": "Ferry"})).json()
        await run_worker(app.state.services, until_idle=True)
        result = (await client.post(f"{PATH}/{made['id']}/validate", params={"wait": 0}, json={})).json()
        await run_worker(app.state.services, until_idle=True)
        result = (await client.get(result["links"]["result"])).json()["result"]
    assert result["weights"] == {"red": 0.5, "amber": 0.0, "green": 0.02}
    assert result["score"] == 91  # one red row of six


async def test_validate_answers_what_was_found(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", FAULTY)).json()
    path = f"{PATH}/{made['id']}/validate"
    accepted = await client.post(path, params={"wait": 0}, json={"check_pii": False})
    assert accepted.status_code == 202
    assert (await client.get(accepted.json()["links"]["self"])).json()["kind"] == "validate"
    await work()
    result = (await client.get(accepted.json()["links"]["result"])).json()["result"]
    assert (result["dataset_id"], result["passed"], result["rows"], result["score"]) == (made["id"], False, 6, 79)
    assert result["quality_score"] == 0.79
    assert result["pii"] == {"checked": False, "total": 0, "by_code": {}}
    assert result["duplicates"] == {"checked": True, "total": 1, "by_code": {"exact-duplicate": 1}}
    assert result["format_errors"]["by_code"] == {"missing-field": 1}
    assert [f["code"] for f in result["findings"]] == ["missing-field", "exact-duplicate"]
    assert (await client.post(path, json={"similarity_threshold": 0.4})).status_code == 422
    assert (await client.post(f"{PATH}/99/validate")).status_code == 404


async def test_a_validation_that_fails_can_be_retried(
    app: FastAPI, upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    made = (await upload("a.jsonl", FAULTY)).json()
    kept = app.state.services.settings.store_dir / made["file_path"]
    kept.rename(kept.with_suffix(".away"))
    await work()
    job = (await client.get(f"/api/v1/admin/jobs/{made['job_id']}")).json()
    assert (job["state"], job["error"]["code"]) == ("failed", "object-not-found")
    assert (await client.get(f"{PATH}/{made['id']}")).json()["status"] == "uploaded"
    kept.with_suffix(".away").rename(kept)
    assert (await client.post(f"/api/v1/admin/jobs/{job['id']}/retry")).status_code == 200
    await work()
    assert (await client.get(f"{PATH}/{made['id']}")).json()["status"] == "invalid"


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
async def test_a_preview_shows_the_rows_of_any_place(
    upload: Upload, work: Work, client: httpx.AsyncClient, name: str
) -> None:
    rows = pairs(1000)
    table = "prompt,completion\n" + "".join(f'"{r["prompt"]}","{r["completion"]}\nand more"\n' for r in rows)
    content = {"a.jsonl": "\n" + lines(rows), "a.json": json.dumps(rows, indent=1), "a.csv": table}[name]
    path = f"{PATH}/{(await upload(name, content)).json()['id']}/preview"
    before = (await client.get(path, params={"offset": 700, "limit": 3})).json()
    await work()
    after = (await client.get(path, params={"offset": 700, "limit": 3})).json()
    assert [row | {"score": None} for row in after["rows"]] == before["rows"]
    assert [row["score"] for row in after["rows"]] == [1.0] * 3
    assert (before["total"], after["total"]) == (None, 1000)
    assert [row["row"] for row in after["rows"]] == [701, 702, 703]
    assert after["rows"][0]["data"]["prompt"] == "Question 700?"
    first_lines = {"a.jsonl": 702, "a.json": 2 + 700 * 4, "a.csv": 2 + 700 * 2}
    assert after["rows"][0]["line"] == first_lines[name]
    assert after["columns"] == ["prompt", "completion"]
    last = (await client.get(path, params={"offset": 999, "limit": 9})).json()
    assert [row["row"] for row in last["rows"]] == [1000]
    assert (await client.get(path, params={"offset": 1000})).json()["rows"] == []


async def test_a_preview_says_what_each_row_is_worth(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    path = f"{PATH}/{(await upload('a.jsonl', FAULTY)).json()['id']}/preview"
    await work()
    rows = (await client.get(path, params={"offset": 2})).json()["rows"]
    assert [(row["worst"], row["score"]) for row in rows] == [
        (None, 1.0),
        ("red", 0.0),
        ("amber", 0.75),
        ("amber", 0.75),
    ]


async def test_the_checks_of_a_dataset_with_what_changed(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    path = f"{PATH}/{(await upload('a.jsonl', FAULTY)).json()['id']}"
    await work()
    await client.post(f"{path}/validate", params={"wait": 0}, json={"check_pii": False})
    await work()
    history = (await client.get(f"{path}/quality")).json()
    newer, older = history["items"]
    assert (history["total"], history["weights"]["red"]) == (2, 1.0)
    assert (older["quality_score"], newer["quality_score"], newer["score_change"]) == (0.75, 0.79, 0.04)
    assert (newer["changes"], older["changes"], older["score_change"]) == ({"pii-email": -1}, {}, None)
    assert (older["rows"], older["passed"], older["model"], older["max_length"]) == (6, False, "tunesmith/tiny", 2048)
    assert (older["pii"]["total"], newer["pii"]["checked"], older["learning"]["checked"]) == (1, False, True)
    second = (await client.get(f"{path}/quality", params={"page": 1, "page_size": 1})).json()
    assert second["items"] == [newer]
    assert (await client.get(f"{PATH}/99/quality")).status_code == 404


async def test_a_preview_shows_why_a_row_cannot_be_read(upload: Upload, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines(pairs(1)) + '{"prompt": \n')).json()
    rows = (await client.get(f"{PATH}/{made['id']}/preview")).json()["rows"]
    assert rows[1]["data"] is None
    assert "not valid JSON" in rows[1]["error"]


async def split(client: httpx.AsyncClient, work: Work, dataset_id: int, **body: Any) -> dict[str, Any]:
    accepted = await client.post(f"{PATH}/{dataset_id}/split", params={"wait": 0}, json=body)
    assert accepted.status_code == 202, accepted.text
    await work()
    answer = await client.get(accepted.json()["links"]["result"])
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


async def rows_of(client: httpx.AsyncClient, dataset_id: int) -> list[dict[str, Any]]:
    shown = (await client.get(f"{PATH}/{dataset_id}/preview", params={"limit": 200})).json()
    return [row["data"] for row in shown["rows"]]


async def test_a_split_knows_a_column_by_the_name_that_the_file_has(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    lines_of = [f"{n // 2}번 배는 언제 떠나나요?,{n}시 {n}분에 부두 {n}에서 떠납니다." for n in range(12)]
    made = (await upload("표.csv", "질문,답변\n" + "\n".join(lines_of) + "\n")).json()
    assert made["column_mapping"] == {"질문": "question", "답변": "answer"}
    for name in ("질문", "question"):
        done = await split(
            client, work, made["id"], train=0.5, validation=0.5, test=0, near_duplicates=False, group_by=name
        )
        parts = [{row["question"] for row in await rows_of(client, part["dataset_id"])} for part in done["parts"]]
        assert parts[0].isdisjoint(parts[1])


async def test_a_split_leaks_nothing_and_depends_on_content_and_seed_alone(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    rows = pairs(120)
    rows += [{"prompt": f"  question {n} ", "completion": "Another answer."} for n in range(60)]
    made = (await upload("a.jsonl", lines(rows), name="질문")).json()
    turned = (await upload("a.jsonl", lines(rows[::-1]), name="질문", version="2.0")).json()
    first = await split(client, work, made["id"], train=0.7, validation=0.2, test=0.1, seed=1)
    second = await split(client, work, turned["id"], train=0.7, validation=0.2, test=0.1, seed=1)
    other = await split(client, work, made["id"], train=0.7, validation=0.2, test=0.1, seed=2)
    assert first["groups"] == 120
    assert [(p["part"], p["name"], p["version"]) for p in first["parts"]] == [
        ("train", "질문-train", "1.0"),
        ("validation", "질문-validation", "1.0"),
        ("test", "질문-test", "1.0"),
    ]
    assert [p["version"] for p in other["parts"]] == ["1.1"] * 3
    parts = [[json.dumps(r) for r in await rows_of(client, p["dataset_id"])] for p in first["parts"]]
    assert sorted(row for part in parts for row in part) == sorted(json.dumps(r) for r in rows)
    numbers = [{row.split()[2].strip('",?') if "Question" in row else row.split()[3] for row in part} for part in parts]
    assert not (numbers[0] & numbers[1])
    assert not (numbers[0] & numbers[2])
    assert not (numbers[1] & numbers[2])
    assert [abs(len(part) - share) <= 3 for part, share in zip(parts, (126, 36, 18), strict=True)] == [True] * 3
    again = [sorted(json.dumps(r) for r in await rows_of(client, p["dataset_id"])) for p in second["parts"]]
    assert again == [sorted(part) for part in parts]
    assert [sorted(json.dumps(r) for r in await rows_of(client, p["dataset_id"])) for p in other["parts"]] != again
    child = (await client.get(f"{PATH}/{first['parts'][1]['dataset_id']}")).json()
    assert (child["parent_id"], child["status"], child["source"]["part"]) == (made["id"], "ready", "validation")
    assert child["sha256"] == first["parts"][1]["sha256"]


async def test_a_split_that_cannot_be_is_refused(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    red = (await upload("a.jsonl", FAULTY)).json()["id"]
    one = (await upload("b.jsonl", lines([pairs(1)[0]] * 5), name="one")).json()["id"]
    accepted = await client.post(f"{PATH}/{one}/split", params={"wait": 0}, json={})
    await work()
    failed = (await client.get(accepted.json()["links"]["self"])).json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "preprocessing")
    refused = await client.post(f"{PATH}/{red}/split", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset-not-ready")
    for body in ({"train": 0.5}, {"train": 1, "validation": 0, "test": 0}, {"train": 1.5}, {"seed": -1}, {"x": 1}):
        assert (await client.post(f"{PATH}/{one}/split", json=body)).status_code == 422


async def test_training_gets_conversations(app: FastAPI, tmp_path: Path, upload: Upload) -> None:
    services = app.state.services
    owner = await services.owner()
    rows = [
        {"instruction": "Add", "input": "1 + 1", "output": "2"},
        {"instruction": "Greet", "input": "", "output": "안녕"},
        {"instruction": "Nothing", "output": ""},
    ]
    made = (await upload("a.json", json.dumps(rows))).json()
    target = tmp_path / "train.jsonl"
    async with services.database.read(owner) as unit:
        with pytest.raises(DatasetRedError, match="rows 3") as refused:
            await services.datasets.export_rows(unit, made["id"], target)
        assert refused.value.extra["rows"] == [3]
        assert not target.exists()
        written = await services.datasets.export_rows(unit, made["id"], target, skip_invalid=True)
    assert (written.rows, written.skipped) == (2, [3])
    assert written.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert [json.loads(line) for line in target.read_text().splitlines()] == [
        {"messages": [{"role": "user", "content": "Add\n\n1 + 1"}, {"role": "assistant", "content": "2"}]},
        {"messages": [{"role": "user", "content": "Greet"}, {"role": "assistant", "content": "안녕"}]},
    ]


async def test_a_local_file_is_imported_once(app: FastAPI, tmp_path: Path) -> None:
    services = app.state.services
    owner = await services.owner()
    path = tmp_path / "페리.jsonl"
    path.write_text(lines(pairs(3)))
    async with services.database.write(owner) as unit:
        first = await services.datasets.import_file(unit, path, name="ferry")
        same = await services.datasets.import_file(unit, path, name="ferry")
    path.write_text(lines(pairs(4)))
    async with services.database.write(owner) as unit:
        newer = await services.datasets.import_file(unit, path, name="ferry")
        with pytest.raises(DatasetExistsError):
            await services.datasets.import_file(unit, path, name="ferry", version="1.0")
    assert (first.id, first.version, newer.version) == (same.id, "1.0", "1.1")
    async with services.database.read(owner) as unit:
        found = [
            await services.datasets.find_by_reference(unit, f"dataset:{n}") for n in ("ferry", "ferry@1.0", "ferry@9")
        ]
    assert [dataset and dataset.id for dataset in found] == [newer.id, first.id, None]
