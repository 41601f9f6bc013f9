"""Statistics, prepared files, downloads: over HTTP, with a worker, on real files."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pyarrow.parquet as pq
from fastapi import FastAPI

from tests.domains.datasets.conftest import PATH, Answered, Upload, Work
from tunesmith.domains.datasets.formats import DataFormat, to_example
from tunesmith.domains.datasets.readers import open_file
from tunesmith.kit.principal import Principal


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


ROWS = [
    {"instruction": "인사하세요", "input": "아침", "output": "좋은 아침입니다"},
    {"instruction": "더하세요", "input": "", "output": "2", "note": [1, {"x": None}]},
    {"instruction": "메일은 a.person@example.com", "output": "네", "note": "글"},
]
TALK = {
    "messages": [
        {"role": "system", "content": "친절히"},
        {"role": "user", "content": "하나?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "둘?"},
        {"role": "assistant", "content": "2"},
    ]
}


async def download(client: httpx.AsyncClient, work: Work, dataset_id: int, fmt: str) -> httpx.Response:
    """The file; where a job has to make it, the same call a second time."""
    path, params = f"{PATH}/{dataset_id}/download", {"format": fmt, "wait": "0"}
    answer = await client.get(path, params=params)
    if answer.status_code == 202:
        await work()
        job = (await client.get(answer.json()["links"]["self"])).json()
        assert job["state"] == "succeeded", job["error"]
        answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    return answer


async def test_a_dataset_is_downloaded_as_it_was_and_in_other_forms(
    upload: Upload, work: Work, client: httpx.AsyncClient
) -> None:
    content = "\ufeff" + json.dumps(ROWS, ensure_ascii=False, indent=1)
    made = (await upload("여객선 질문.json", content, name="여객선 질문", tags="sea", description="배")).json()
    original = await download(client, work, made["id"], "original")
    assert original.content == content.encode()
    disposition = original.headers["content-disposition"]
    assert unquote(disposition.split("filename*=UTF-8''")[1]) == "여객선 질문.json"
    assert 'filename="dataset.json"' in disposition
    plain = await download(client, work, made["id"], "jsonl")
    assert [json.loads(line) for line in plain.text.splitlines()] == ROWS
    assert unquote(plain.headers["content-disposition"].split("''")[1]) == "여객선 질문-1.0.jsonl"
    table = list(csv.DictReader(io.StringIO((await download(client, work, made["id"], "csv")).text)))
    assert [row["instruction"] for row in table] == [row["instruction"] for row in ROWS]
    assert [row["note"] for row in table] == ["", '[1, {"x": null}]', "글"]
    parquet = pq.read_table(io.BytesIO((await download(client, work, made["id"], "parquet")).content)).to_pylist()
    assert [row["output"] for row in parquet] == [row["output"] for row in ROWS]
    assert [row["note"] for row in parquet] == [None, '[1, {"x": null}]', "글"]
    folder = zipfile.ZipFile(io.BytesIO((await download(client, work, made["id"], "hf")).content))
    assert folder.namelist() == ["README.md", "data/train-00000-of-00001.parquet"]
    card = folder.read("README.md").decode()
    assert "path: data/train-*.parquet" in card
    assert made["sha256"] in card
    assert pq.read_table(io.BytesIO(folder.read(folder.namelist()[1]))).to_pylist() == parquet


async def test_conversations_keep_their_shape_in_parquet(upload: Upload, work: Work, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines([TALK, TALK | {"id": 7}]))).json()
    rows = pq.read_table(io.BytesIO((await download(client, work, made["id"], "parquet")).content)).to_pylist()
    assert rows == [TALK | {"id": None}, TALK | {"id": 7}]


def called(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    tool = {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {name: {}}}}}
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
    turns = [
        {"role": "user", "content": "날씨"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "맑음", "tool_call_id": "1"},
        {"role": "assistant", "content": "맑습니다."},
    ]
    return {"messages": turns, "tools": [tool]}


async def test_no_call_of_a_tool_gets_the_arguments_of_another_in_parquet(
    upload: Upload, work: Work, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    rows = [called("weather", {"city": "서울"}), called("ferry", {"from": 1, "to": [2]}), TALK]
    made = (await upload("a.jsonl", lines(rows))).json()
    (tmp_path / "rows.parquet").write_bytes((await download(client, work, made["id"], "parquet")).content)
    with open_file(tmp_path / "rows.parquet", "rows.parquet") as (data, _):
        read = [to_example(record.value, DataFormat.MESSAGES) for record in data.records()]
    assert read == [to_example(row, DataFormat.MESSAGES) for row in rows]


async def test_a_carriage_return_in_a_field_is_read_back_from_csv(
    upload: Upload, work: Work, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    rows = [{"prompt": "a\rb", "completion": "c\r\nd"}, {"prompt": "e", "completion": "\r"}]
    made = (await upload("a.jsonl", lines(rows))).json()
    (tmp_path / "rows.csv").write_bytes((await download(client, work, made["id"], "csv")).content)
    with open_file(tmp_path / "rows.csv", "rows.csv") as (data, _):
        assert [record.value for record in data.records()] == rows


async def test_rows_that_cannot_be_read_are_never_dropped_from_a_download(
    upload: Upload, work: Work, client: httpx.AsyncClient, app: FastAPI
) -> None:
    made = (await upload("a.jsonl", lines(ROWS) + '{"instruction": \n[1]\n')).json()
    assert (await download(client, work, made["id"], "jsonl")).text.splitlines()[3] == '{"instruction":'
    for fmt in ("csv", "parquet", "hf"):
        started = await client.get(f"{PATH}/{made['id']}/download", params={"format": fmt, "wait": 0})
        await work()
        job = (await client.get(started.json()["links"]["self"])).json()
        assert (job["state"], job["error"]["code"]) == ("failed", "dataset-red")
        assert "rows 4, 5" in job["error"]["message"]
    unprepared = await client.get(f"{PATH}/{made['id']}/download", params={"format": "preprocessed"})
    assert (unprepared.status_code, unprepared.json()["code"]) == (409, "dataset-not-ready")
    assert (await client.get(f"{PATH}/{made['id']}/download", params={"format": "xls"})).status_code == 422


async def test_stats_are_known_and_statistics_are_computed_once_for_a_content(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    made = (await upload("a.jsonl", lines(ROWS) + "{broken\n")).json()
    await work()
    stats = (await client.get(f"{PATH}/{made['id']}/stats")).json()
    assert (stats["dataset_id"], stats["total_samples"], stats["avg_output_length"]) == (made["id"], 4, 3.33)
    answer = await answered("GET", f"/{made['id']}/statistics")
    figures = answer["statistics"]
    assert (answer["dataset_id"], answer["file_path"]) == (made["id"], made["file_path"])
    assert (figures["total_samples"], figures["avg_output_length"]) == (4, stats["avg_output_length"])
    assert figures["avg_instruction_length"] == stats["avg_instruction_length"]
    assert (figures["token_distribution"], len(figures["sample_examples"])) == (None, 3)
    assert "a.person@" not in json.dumps(figures)
    twin = (await upload("b.jsonl", lines(ROWS) + "{broken\n", name="Twin")).json()
    at_once = await client.get(f"{PATH}/{twin['id']}/statistics")
    assert (at_once.status_code, at_once.json()["statistics"]) == (200, figures)
    counted = await answered("GET", f"/{made['id']}/statistics", params={"count_tokens": True})
    tokens = counted["statistics"]["token_distribution"]
    assert tokens["model"] == "tunesmith/tiny"
    assert tokens["minimum"] <= tokens["percentiles"]["p50"] <= tokens["maximum"] <= tokens["total"]
    assert sum(bar["rows"] for bar in tokens["histogram"]) == 3
    missing = await client.get(f"{PATH}/{made['id']}/statistics", params={"count_tokens": True, "model": "no/such"})
    assert missing.status_code == 404


async def prepared(client: httpx.AsyncClient, work: Work, dataset_id: int) -> list[Any]:
    return [json.loads(line) for line in (await download(client, work, dataset_id, "preprocessed")).text.splitlines()]


async def test_a_file_is_prepared_in_each_format(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    made = (await upload("a.jsonl", lines([TALK]))).json()
    await work()
    answer = await answered("POST", f"/{made['id']}/preprocess")
    assert (answer["dataset_id"], answer["validation_errors"], answer["skipped_rows"]) == (made["id"], [], 0)
    assert answer["statistics"]["total_samples"] == 1
    assert await prepared(client, work, made["id"]) == [
        {"instruction": "둘?", "input": "", "output": "2", "system": "친절히", "history": [["하나?", "1"]]}
    ]
    kept = (await client.get(f"{PATH}/{made['id']}")).json()
    assert kept["preprocessed_path"] == answer["output_path"]
    await answered("POST", f"/{made['id']}/preprocess", params={"output_format": "sharegpt"})
    said = [("system", "친절히"), ("human", "하나?"), ("gpt", "1"), ("human", "둘?"), ("gpt", "2")]
    assert await prepared(client, work, made["id"]) == [{"conversations": [{"from": f, "value": v} for f, v in said]}]
    again = await answered("POST", f"/{made['id']}/preprocess", params={"output_format": "messages"})
    assert await prepared(client, work, made["id"]) == [TALK]
    assert (await answered("POST", f"/{made['id']}/preprocess", params={"output_format": "messages"})) == again
    pairs = (await upload("b.csv", "prompt,completion\n질문,대답\n", name="Pairs")).json()
    await answered("POST", f"/{pairs['id']}/preprocess", params={"output_format": "alpaca"})
    assert await prepared(client, work, pairs["id"]) == [{"instruction": "질문", "input": "", "output": "대답"}]


async def test_columns_are_mapped_in_either_direction(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    rows = [{"text": "글", "물음": "언제?", "응답": "정오"}]
    made = (await upload("a.jsonl", lines(rows))).json()
    refused = await client.post(f"{PATH}/{made['id']}/preprocess")
    assert (refused.status_code, refused.json()["code"]) == (422, "missing-columns")
    assert refused.json()["missing"] == ["instruction", "output"]
    assert "column_mapping" in refused.json()["hint"]
    expected = [{"instruction": "언제?", "input": "", "output": "정오"}]
    for mapping in ({"물음": "instruction", "응답": "output"}, {"instruction": "물음", "output": "응답"}):
        await answered("POST", f"/{made['id']}/preprocess", json={"column_mapping": mapping})
        assert await prepared(client, work, made["id"]) == expected
    table = (
        await upload("c.csv", "질문,답변\n언제?,정오\n", name="Table")
    ).json()  # read as question and answer from the start
    for mapping in ({"질문": "instruction", "답변": "output"}, {"instruction": "질문", "output": "답변"}):
        await answered("POST", f"/{table['id']}/preprocess", json={"column_mapping": mapping})
        assert await prepared(client, work, table["id"]) == expected
    wrong = await client.post(f"{PATH}/{made['id']}/preprocess", json={"column_mapping": {"없음": "instruction"}})
    assert (wrong.status_code, wrong.json()["missing"]) == (422, ["없음"])


async def test_rows_that_cannot_be_prepared_are_listed(
    upload: Upload, work: Work, client: httpx.AsyncClient, answered: Answered
) -> None:
    bad = [{"prompt": "a", "completion": ""}, {"prompt": "b"}, {"prompt": "c", "completion": "d"}]
    made = (await upload("a.jsonl", "\n" + lines(bad) + "{broken\n")).json()
    refused = await answered("POST", f"/{made['id']}/preprocess")
    assert (refused["code"], "rows 1, 2, 4" in refused["message"]) == ("preprocessing", True)
    assert (await client.get(f"{PATH}/{made['id']}")).json()["preprocessed_path"] is None
    skipping = await answered("POST", f"/{made['id']}/preprocess", json={"skip_invalid": True})
    assert [(e["row"], e["line"], e["field"]) for e in skipping["validation_errors"]] == [
        (1, 2, "/completion"),
        (2, 3, "/completion"),
        (4, 5, ""),
    ]
    assert (skipping["skipped_rows"], "3 were left out" in skipping["message"]) == (3, True)
    loose = await answered("POST", f"/{made['id']}/preprocess", params={"validate": False}, json={"skip_invalid": True})
    assert [e["row"] for e in loose["validation_errors"]] == [2, 4]
    nothing = (await upload("b.jsonl", lines([bad[0]]), name="Nothing")).json()
    empty = await answered("POST", f"/{nothing['id']}/preprocess", json={"skip_invalid": True})
    assert empty["code"] == "empty-dataset"


async def test_preparations_are_limited_by_size(app: FastAPI, upload: Upload, client: httpx.AsyncClient) -> None:
    made = (await upload("a.jsonl", lines([TALK]))).json()
    path = f"{PATH}/{made['id']}/preprocess"
    large = await client.post(path, json={"max_file_size": 10})
    assert (large.status_code, large.json()["code"]) == (413, "file-too-large")
    unknown = await client.post(path, params={"output_format": "xml"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unsupported-format")
    services = app.state.services
    owner = await services.owner()
    developer = Principal(owner.user_id, "dev", "developer", owner.project_id, frozenset({owner.project_id}))
    from tests.api.test_authorization import act_as

    act_as(app, developer)
    forbidden = await client.post(path, json={"max_file_size": 10**9})
    assert forbidden.status_code == 403
