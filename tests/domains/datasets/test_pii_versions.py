"""Personal data is taken out in a new version: over HTTP, with a worker."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.domains.datasets.conftest import PATH, Answered, RowsOf, Upload, Work


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


SECRETS = ("minji.kim@navermail.com", "010-2345-6789")
ROWS = [
    {"prompt": f"연락처는 {SECRETS[0]} 입니다", "completion": f"네, {SECRETS[1]} 로 전화하세요"},
    {"prompt": f"다시 {SECRETS[0]} 로", "completion": "알겠습니다"},
    {"prompt": "배는 언제?", "completion": "정오에"},
]


async def test_each_kind_is_dealt_with_as_asked(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered, rows_of: RowsOf
) -> None:
    made = (await upload("a.jsonl", lines(ROWS) + "{broken\n")).json()
    path = f"/{made['id']}/pii/apply"
    preview = await answered("POST", path, json={"default": "mask", "preview": True})
    assert [(s["step"], s["changed"], s["left"]) for s in preview["report"]["steps"]] == [
        ("email", 2, 0),
        ("phone", 1, 0),
        ("unreadable", 0, 1),
    ]
    assert not any(secret in json.dumps(preview, ensure_ascii=False) for secret in SECRETS)
    assert (await client.get(PATH)).json()["total"] == 1
    masked = await answered("POST", path, json={"actions": {"email": "redact"}})
    rows = await rows_of(masked["dataset"]["id"])
    assert (rows[0]["prompt"], rows[0]["completion"]) == ("연락처는 [EMAIL] 입니다", ROWS[0]["completion"])
    dropped = await answered("POST", path, json={"actions": {"phone": "drop"}, "default": "redact"})
    assert (dropped["diff"], dropped["report"]["steps"][0]["removed_rows"]) == (
        {"added": 0, "removed": 1, "changed": 1},
        [1],
    )
    assert not any(secret in json.dumps(dropped, ensure_ascii=False) for secret in SECRETS)


async def test_pseudonyms_are_the_same_in_all_versions_of_a_dataset(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered, rows_of: RowsOf
) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    edited = await answered("PATCH", f"/{made['id']}/rows", json={"delete": [1]})
    other = (await upload("b.jsonl", lines(ROWS), name="Other")).json()
    body = {"actions": {"email": "pseudonymise"}}
    found = []
    for number in (made["id"], edited["dataset"]["id"], other["id"]):
        version = (await answered("POST", f"/{number}/pii/apply", json=body))["dataset"]["id"]
        found.append([row["prompt"].split(" ")[1] for row in await rows_of(version) if "배" not in row["prompt"]])
    assert found[0][0] == found[0][1] == found[1][0] != SECRETS[0]
    assert "@" in found[0][0]
    assert found[2][0] != found[0][0], "another dataset has other pseudonyms"


async def test_what_cannot_be_done_is_refused(upload: Upload, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    for body in ({}, {"actions": {"person": "mask"}}, {"actions": {"email": "hide"}}, {"actions": {"x": "mask"}}):
        assert (await client.post(f"{PATH}/{made['id']}/pii/apply", json=body)).status_code == 422, body


async def test_names_that_nothing_finds_are_refused_with_the_setting(upload: Upload, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()
    answer = await client.post(f"{PATH}/{made['id']}/pii/apply", json={"actions": {"person": "mask"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "pii-model-missing")
    assert "TUNESMITH_DATASETS__NAMES_MODEL" in answer.json()["hint"]
