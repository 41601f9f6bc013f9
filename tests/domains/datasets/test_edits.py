"""Edits of rows make a new version: over HTTP, with a worker."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from tests.domains.datasets.conftest import PATH, Answered, RowsOf, Upload, Work

KOREAN = [{"prompt": f"{n}번 배는 언제 떠나요?", "completion": f"오후 {n}시에 떠납니다."} for n in range(1, 7)]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


async def test_edits_make_a_version_and_leave_the_old_one(
    app: FastAPI, upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered, rows_of: RowsOf
) -> None:
    made = (await upload("배.jsonl", lines(KOREAN))).json()
    await work()
    new = {"prompt": "새 질문?", "completion": "새 대답."}
    edit = {
        "set": [
            {"row": 2, "pointer": "/completion", "value": "저녁 8시입니다."},
            {"row": 4, "value": {"prompt": "?", "completion": "!"}},
            {"row": 4, "pointer": "/note", "value": 7},
        ],
        "delete": [1, 6],
        "insert": [{"after_row": 0, "value": new}, {"after_row": 6, "value": KOREAN[0]}],
        "sha256": made["sha256"],
    }
    answer = await answered("PATCH", f"/{made['id']}/rows", json=edit)
    assert answer["changed"]
    assert answer["diff"] == {"added": 2, "removed": 2, "changed": 2}
    assert [(s["step"], s["changed"], s["removed"], s["added"]) for s in answer["report"]["steps"]] == [
        ("set", 2, 0, 0),
        ("delete", 0, 2, 0),
        ("insert", 0, 0, 2),
    ]
    assert answer["report"]["steps"][0]["examples"][0]["before"] == KOREAN[1]["completion"]
    version = answer["dataset"]
    assert (version["name"], version["version"], version["rows"], version["parent_id"]) == (
        "Ferry",
        "1.1",
        6,
        made["id"],
    )
    expected = [
        new,
        KOREAN[1] | {"completion": "저녁 8시입니다."},
        KOREAN[2],
        {"prompt": "?", "completion": "!", "note": 7},
        KOREAN[4],
        KOREAN[0],
    ]
    assert await rows_of(version["id"]) == expected
    assert await rows_of(made["id"]) == KOREAN
    kept = (await client.get(f"{PATH}/{version['id']}")).json()
    assert (kept["status"], kept["source"]["operation"], kept["source"]["parameters"]["delete"]) == (
        "ready",
        "edit",
        [1, 6],
    )
    async with app.state.services.database.read(await app.state.services.owner()) as unit:
        row = await app.state.services.datasets.get_row(unit, version["id"])
    row_map = np.fromfile(app.state.services.settings.store_dir / row.row_map, dtype="<u8")
    assert row_map.tolist() == [0, 2, 3, 4, 5, 0]


async def test_an_edit_that_changes_nothing_makes_no_version(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    made = (await upload("a.jsonl", lines(KOREAN))).json()
    edit = {"set": [{"row": 1, "pointer": "/prompt", "value": KOREAN[0]["prompt"]}]}
    answer = await answered("PATCH", f"/{made['id']}/rows", json=edit)
    assert (answer["changed"], answer["dataset"]["id"], answer["diff"]["changed"]) == (False, made["id"], 0)
    assert "no version" in answer["message"]
    assert (await client.get(PATH)).json()["total"] == 1


async def test_rows_that_cannot_be_read_are_kept_byte_for_byte(
    app: FastAPI, upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    odd = [
        b'{"prompt": "a", "prompt": "b", "completion": 1e400}',
        b'{"prompt": broken',
        b'{"prompt": "\xff", "completion": "x"}',
        b'{"prompt" :  "spaced",  "completion": 1.50}',
        *(json.dumps({"prompt": f"p{n}", "completion": "c"}).encode() for n in range(4)),
    ]
    made = (await upload("a.jsonl", b"\n".join(odd) + b"\r\n\r\n")).json()
    answer = await answered(
        "PATCH", f"/{made['id']}/rows", json={"delete": [1], "insert": [{"after_row": 8, "value": {}}]}
    )
    stored = (await client.get(f"{PATH}/{answer['dataset']['id']}")).json()["file_path"]
    content = (app.state.services.settings.store_dir / stored).read_bytes()
    assert content == b"\n".join([*odd[1:], b"{}"]) + b"\n"
    assert answer["report"]["blank_lines"] == 1


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
async def test_other_kinds_become_json_lines_with_the_same_fields(
    app: FastAPI, upload: Upload, answered: Answered, client: httpx.AsyncClient, name: str
) -> None:
    content = {
        "a.csv": 'prompt,completion\n"언제?","정오,\n예"\na,b,c\n"x","y"\n',
        "a.json": '[{"prompt": "언제?", "completion": "정오,\\n예"},\n {"prompt": },\n'
        ' {"prompt": "x",\n  "prompt": "x2", "completion": 1e400}]',
    }[name]
    made = (await upload(name, content)).json()
    edit = {"set": [{"row": 1, "pointer": "/completion", "value": "저녁"}]}
    answer = await answered("PATCH", f"/{made['id']}/rows", json=edit)
    assert answer["diff"] == {"added": 0, "removed": 0, "changed": 1}
    assert answer["report"]["kept_as_text"] == 1
    kept = (await client.get(f"{PATH}/{answer['dataset']['id']}")).json()
    assert kept["file_name"] == "a.jsonl"
    written = (app.state.services.settings.store_dir / kept["file_path"]).read_text().splitlines()
    assert json.loads(written[0]) == {"prompt": "언제?", "completion": "저녁"}
    text = {"a.csv": "a,b,c", "a.json": '{"prompt": },'}[name]
    assert text in json.loads(written[1])
    last = {
        "a.csv": '{"prompt": "x", "completion": "y"}',
        "a.json": '{"prompt": "x",   "prompt": "x2", "completion": 1e400}',
    }
    assert written[2] == last[name]


async def test_edits_that_cannot_be_are_refused(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    made = (await upload("a.jsonl", lines(KOREAN) + "{broken\n")).json()
    path = f"/{made['id']}/rows"
    early = await answered("PATCH", path, json={"delete": [9]})
    assert early["code"] == "row-not-found"
    later = await client.patch(PATH + path, json={"delete": [9, 3], "insert": [{"after_row": 8, "value": {}}]})
    assert (later.status_code, later.json()["code"], later.json()["rows"]) == (422, "row-not-found", [8, 9])
    other = await client.patch(PATH + path, json={"delete": [1], "sha256": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "dataset-changed")
    for pointer, row in (("/prompt/0", 1), ("/none/x", 1), ("/prompt", 7)):
        answer = await answered("PATCH", path, json={"set": [{"row": row, "pointer": pointer, "value": 1}]})
        assert (answer["code"], f"ow {row} " in answer["message"]) == ("row-not-found", True), answer
    bad: list[Any] = [
        {},
        {"set": [{"row": 0, "value": {}}]},
        {"set": [{"row": 1, "value": "text"}]},
        {"set": [{"row": 1, "pointer": "prompt", "value": 1}]},
        {"set": [{"row": 1, "value": {}}], "delete": [1]},
        {"insert": [{"after_row": 1, "value": [1]}]},
        {"delete": [2**60]},
    ]
    for body in bad:
        assert (await client.patch(PATH + path, json=body)).status_code == 422, body
    infinite = '{"set": [{"row": 1, "pointer": "/x", "value": Infinity}]}'
    deep = '{"set": [{"row": 1, "pointer": "/x", "value": ' + "[" * 5000 + "]" * 5000 + "}]}"
    for raw in (infinite, deep):
        answer = await client.patch(PATH + path, content=raw, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422), answer.text
    assert (await client.get(PATH)).json()["total"] == 1
    everything = await answered("PATCH", path, json={"delete": list(range(1, 8))})
    assert everything["code"] == "preprocessing"


async def test_characters_that_a_database_cannot_keep_can_be_written(
    upload: Upload, answered: Answered, rows_of: RowsOf, work: Work
) -> None:
    made = (await upload("a.jsonl", lines(KOREAN))).json()
    value = {"prompt": "NUL \x00 here", "completion": "half \ud800 pair"}
    answer = await answered("PATCH", f"/{made['id']}/rows", content=json.dumps({"set": [{"row": 1, "value": value}]}))
    assert (await rows_of(answer["dataset"]["id"]))[0]["prompt"] == value["prompt"]


async def test_a_job_that_runs_again_makes_nothing_twice(
    app: FastAPI, upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    made = (await upload("a.jsonl", lines(KOREAN))).json()
    answer = await answered("PATCH", f"/{made['id']}/rows", json={"delete": [2]})
    services = app.state.services
    async with services.database.write(
        await services.owner()
    ) as unit:  # as if the worker had died before its last word
        row = await services.datasets.get_row(unit, answer["dataset"]["id"])
        job = await services.jobs._get_row(unit, row.source_job_id)
        job.state, job.lease_expires_at = "queued", None
    await work()
    again = (await client.get(f"/api/v1/admin/jobs/{row.source_job_id}")).json()
    assert (again["state"], again["result"]) == (
        "succeeded",
        answer | {"dataset": answer["dataset"] | {"status": "ready"}},
    )
    assert (await client.get(PATH)).json()["total"] == 2
