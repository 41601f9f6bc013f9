"""The mask X-ray over HTTP: tokens that carry loss, every row in reach, sums from a job; and what the doctor says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.datasets.conftest import PATH, Upload, Work
from tests.text.families import FAMILIES
from tunesmith.domains.models import bundled_folder
from tunesmith.text import IGNORED, ChatTemplate, TextTokenizer, tokenize_row

TOKENIZER, TEMPLATE = TextTokenizer.from_folder(bundled_folder()), ChatTemplate.from_folder(bundled_folder())


def chat(*texts: str) -> dict[str, Any]:
    return {"messages": [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]}


LONG = " ".join(f"word{number}" for number in range(60))
ROWS = [
    chat("몇 시에 떠나요?", "오전 9시예요 🚢"),
    chat(LONG, "never read"),
    chat("short", LONG),
    chat("", "no question"),
    chat("a", "b", "c", "d"),
    chat("a", "b", LONG),
]


def lines(rows: list[Any]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"


async def look(client: httpx.AsyncClient, dataset_id: int, work: Work | None = None, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{PATH}/{dataset_id}/xray", params={"wait": 0}, json=body)
    if answer.status_code == 202 or (work and answer.json()["job_id"]):
        assert work
        await work()
        if answer.status_code == 202:
            result: dict[str, Any] = (await client.get(answer.json()["links"]["result"])).json()["result"]
            return result
        answer = await client.post(f"{PATH}/{dataset_id}/xray", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_the_x_ray_shows_the_tokens_of_the_trainer(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    made = (await upload("페리.jsonl", "\n" + lines(ROWS))).json()["id"]
    seen = await look(client, made, work, max_length=40)
    assert [row["row"] for row in seen["rows"]] == [1, 2, 3, 4, 5, 6]
    assert [row["line"] for row in seen["rows"]] == [2, 3, 4, 5, 6, 7]
    for number, row in enumerate(seen["rows"]):
        if number == 3:
            assert (row["tokens"], row["error"]) == ([], "The user's turn is empty.")
            continue
        trained = tokenize_row(ROWS[number], TOKENIZER, TEMPLATE, 40)
        assert [token["id"] for token in row["tokens"]] == trained.input_ids
        assert [token["trained"] for token in row["tokens"]] == [label != IGNORED for label in trained.labels]
        assert "".join(token["text"] for token in row["tokens"]) == row["text"]
        assert trained.text.startswith(row["text"])
        assert (row["trained_tokens"], row["total_tokens"]) == (trained.trained_tokens, trained.total_tokens)
    assert seen["counts"] | {"trained_tokens": 0, "total_tokens": 0} == {
        "rows": 6, "no_loss": 1, "end_untrained": 2, "truncated_answers": 2, "too_long": 3, "refused": 0,
        "stops_in_padding": 0, "unreadable": 1, "trained_tokens": 0, "total_tokens": 0,
    }  # fmt: skip
    whole = [tokenize_row(row, TOKENIZER, TEMPLATE, 40) for at, row in enumerate(ROWS) if at != 3]
    assert seen["counts"]["trained_tokens"] == sum(row.trained_tokens for row in whole)
    assert seen["counts"]["total_tokens"] == sum(row.total_tokens for row in whole)


@pytest.mark.parametrize(("only", "rows"), [("untrained", [2, 4]), ("truncated", [2, 3]), ("no-end", [2, 3])])
async def test_rows_that_deserve_a_look(
    upload: Upload, work: Work, client: httpx.AsyncClient, only: str, rows: list[int]
) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()["id"]
    seen = await look(client, made, work, max_length=40, only=only)
    assert ([row["row"] for row in seen["rows"]], seen["total"]) == (rows, 2)
    last = await look(client, made, max_length=40, only=only, offset=1, limit=1)
    assert [row["row"] for row in last["rows"]] == rows[1:]


async def test_any_row_of_many_and_any_token_of_a_long_one(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    rows = [{"prompt": f"Question {n}?", "completion": f"Answer {n}."} for n in range(1500)]
    rows[1400]["completion"] = "long " * 500
    made = (await upload("a.jsonl", lines(rows))).json()["id"]
    before = await look(client, made, offset=1490, limit=50)
    assert before["counts"] is None
    assert before["job_id"]
    assert (await look(client, made, offset=1))["job_id"] == before["job_id"]  # joined, not started twice
    await work()
    after = await look(client, made, offset=1490, limit=50)
    assert [row["row"] for row in after["rows"]] == list(range(1491, 1501))
    assert after["rows"] == before["rows"]
    assert (after["total"], after["counts"]["rows"], after["job_id"]) == (1500, 1500, None)
    part = await look(client, made, offset=1400, limit=1, token_offset=400, token_limit=5)
    whole = tokenize_row(
        [{"role": "user", "content": "Question 1400?"}, {"role": "assistant", "content": "long " * 500}],
        TOKENIZER,
        TEMPLATE,
    )
    assert [token["id"] for token in part["rows"][0]["tokens"]] == whole.input_ids[400:405]
    assert (await look(client, made, offset=5000))["rows"] == []


async def test_the_validation_has_counted_already(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()["id"]
    again = (await upload("a.jsonl", lines(ROWS), name="Twin")).json()["id"]
    await work()
    for dataset_id in (made, again):
        seen = await look(client, dataset_id)
        assert (seen["job_id"], seen["counts"]["rows"], seen["counts"]["too_long"]) == (None, 6, 0)
    kinds = [job["kind"] for job in (await client.get("/api/v1/admin/jobs")).json()["items"]]
    assert "xray" not in kinds


async def validated(client: httpx.AsyncClient, work: Work, dataset_id: int, **body: Any) -> dict[str, Any]:
    accepted = await client.post(f"{PATH}/{dataset_id}/validate", params={"wait": 0}, json=body)
    assert accepted.status_code == 202, accepted.text
    await work()
    result: dict[str, Any] = (await client.get(accepted.json()["links"]["result"])).json()["result"]
    return result


async def test_the_doctor_reads_rows_with_the_eyes_of_a_model(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()["id"]
    result = await validated(client, work, made, max_length=40, check_duplicates=False)
    found = [(f["code"], f["row"]) for f in result["findings"]]
    assert found == [
        ("prompt-too-long", 2),
        ("truncated-answer", 3),
        ("empty-turn", 4),
        ("last-turn-not-assistant", 6),
        ("too-long", 6),
    ]
    assert result["learning"]["by_code"] == {"prompt-too-long": 1, "truncated-answer": 1, "too-long": 1}
    assert (result["model"], result["max_length"]) == ("tunesmith/tiny", 40)
    assert "tunesmith/tiny" in result["findings"][0]["message"]
    total = tokenize_row(ROWS[2], TOKENIZER, TEMPLATE).total_tokens
    assert f"the last {total - 40} are cut off" in result["findings"][1]["message"]
    assert (await client.get(f"{PATH}/{made}")).json()["status"] == "invalid"
    without = await validated(client, work, made, max_length=40, check_learning=False)
    assert without["learning"] == {"checked": False, "total": 0, "by_code": {}}


async def test_other_models_find_other_faults(
    tmp_path: Path, app: FastAPI, upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    models = app.state.services.settings.data_dir / "models"
    folders = {}
    for name, pad in (("gemma", None), ("mistral", "</s>")):
        folders[name] = FAMILIES[name].save(models / name, pad=pad)
        for file in ("config.json", "model.safetensors"):
            (folders[name] / file).write_bytes((bundled_folder() / file).read_bytes())
    rows = [chat("q", "a"), {"messages": [{"role": "system", "content": "s"}, *chat("q", "b")["messages"]]}]
    made = (await upload("a.jsonl", lines(rows))).json()["id"]
    gemma = await validated(client, work, made, model=str(folders["gemma"]))
    assert [(f["code"], f["row"]) for f in gemma["findings"]] == [("template-refuses", 2)]
    assert "System role not supported" in gemma["findings"][0]["message"]
    mistral = await validated(client, work, made, model=str(folders["mistral"]))
    assert [(f["code"], f["row"]) for f in mistral["findings"]] == [("padding-ends-turn", 1), ("template-refuses", 2)]
    assert not mistral["passed"]


async def test_what_cannot_be_looked_at_is_refused(upload: Upload, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines(ROWS))).json()["id"]
    texts = (await upload("t.jsonl", lines([{"text": "plain"}]), name="Texts")).json()["id"]
    for dataset_id, body, status in (
        (made, {"model": "no/such-model"}, 404),
        (made, {"model": "/etc"}, 403),
        (made, {"limit": 51}, 422),
        (made, {"max_length": 1}, 422),
        (made, {"only": "nothing"}, 422),
        (texts, {}, 422),
        (99, {}, 404),
    ):
        answer = await client.post(f"{PATH}/{dataset_id}/xray", json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["hint"]
    answer = await client.post(f"{PATH}/{made}/validate", json={"model": "no/such-model"})
    assert answer.status_code == 404
