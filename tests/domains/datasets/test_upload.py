"""Uploads: what comes in is kept whole and once; what is refused is refused by name and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.domains.datasets.conftest import PATH, Upload, Work
from tunesmith.api.app import create_app
from tunesmith.ports.storage import StorageFull
from tunesmith.settings import Settings, load_settings

ROWS = '{"prompt": "When?", "completion": "At noon."}\n{"prompt": "언제?", "completion": "정오에."}\n'


def stored_files(settings: Settings) -> list[Path]:
    return [path for path in settings.store_dir.rglob("*") if path.is_file()]


async def test_an_upload_is_kept_whole_and_validated(
    upload: Upload, work: Work, client: httpx.AsyncClient, settings: Settings
) -> None:
    answer = await upload(
        "페리 질문.jsonl", ROWS, name="해담 페리", tags="ko,ferry", description="d", dataset_metadata='{"by": "me"}'
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["status"] == "validating"
    assert (made["name"], made["version"], made["format"]) == ("해담 페리", "1.0", "prompt_completion")
    assert (made["file_name"], made["tags"], made["dataset_metadata"]) == (
        "페리 질문.jsonl",
        ["ko", "ferry"],
        {"by": "me"},
    )
    assert made["sha256"] == hashlib.sha256(ROWS.encode()).hexdigest()
    assert (settings.store_dir / made["file_path"]).read_bytes() == ROWS.encode()
    assert answer.headers["location"] == f"{PATH}/{made['id']}"
    await work()
    ready = (await client.get(answer.headers["location"])).json()
    assert (ready["status"], ready["total_samples"], ready["rows"], ready["quality_score"]) == ("ready", 2, 2, 1.0)
    assert (ready["avg_instruction_length"], ready["avg_output_length"]) == (4.0, 6.0)
    assert ready["findings_counts"] == {"red": 0, "amber": 0, "green": 0, "by_code": {}}


async def test_a_taken_version_is_refused_with_the_next_free_one(upload: Upload) -> None:
    assert (await upload("a.jsonl", ROWS)).status_code == 201
    again = await upload("a.jsonl", ROWS)
    assert (again.status_code, again.json()["code"], again.json()["next_version"]) == (409, "dataset-exists", "1.1")
    assert "version=1.1" in again.json()["hint"]
    assert (await upload("a.jsonl", ROWS, version="1.1")).status_code == 201


REFUSED: list[tuple[str, bytes | str, dict[str, str | None], int, str]] = [
    ("a.jsonl", "", {}, 422, "empty-dataset"),
    ("a.csv", "prompt,completion\n", {}, 422, "empty-dataset"),
    ("a.json", "[]", {}, 422, "empty-dataset"),
    ("a.jsonl", b"\x00\x01\x02\xff" * 100, {}, 422, "file-validation"),
    ("a.jsonl", "안녕하세요\n".encode("utf-32"), {}, 422, "unsupported-encoding"),
    ("a.parquet", b"PAR1", {}, 422, "file-validation"),
    ("a.tsv", "a\tb\n1\t2\n", {}, 422, "missing-columns"),
    ("a.csv", "question,answer\na,b\n", {"format": "alpaca"}, 422, "missing-columns"),
    (
        "a.csv",
        "안녕하세요. 배는 언제 떠나요?,정오에 떠납니다.\n표는 어디서 사요?,매표소에서 사세요.\n",
        {},
        422,
        "file-validation",
    ),
    ("a.jsonl", '{"conversatoins": []}', {}, 422, "missing-columns"),
    ("a.jsonl", ROWS, {"format": "chatml"}, 422, "unsupported-format"),
    ("a.jsonl", ROWS, {"column_mapping": "[]"}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"column_mapping": '{"prompt": 1}'}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"column_mapping": '{"question": "prompt"}'}, 422, "column-mapping"),
    ("a.jsonl", ROWS, {"column_mapping": '{"prompt": "frage"}'}, 422, "column-mapping"),
    ("a.jsonl", ROWS, {"upload_id": "1"}, 422, "dataset-creation"),
    ("a.exe.gz", b"\x1f\x8b", {}, 422, "unsupported-format"),
    ("a.jsonl.gz", gzip.compress(ROWS.encode() * 50)[:-9], {}, 422, "packed-file"),
    ("a.jsonl.gz", b"{}", {}, 422, "packed-file"),
    ("a.csv", "prompt,completion\na,b\n", {"format": "alpaca"}, 422, "missing-columns"),
    ("a.jsonl", ROWS, {"name": None}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"name": "  "}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"version": "../1"}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"tags": "a b"}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"dataset_metadata": "[1]"}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"dataset_metadata": '{"a": NaN}'}, 422, "dataset-creation"),
    ("a.jsonl", ROWS, {"colour": "red"}, 422, "dataset-creation"),
    ("../a.jsonl", ROWS, {}, 400, "file-security"),
    ("a/b.jsonl", ROWS, {}, 400, "file-security"),
    ("a\\b.jsonl", ROWS, {}, 400, "file-security"),
    ("a\x00.jsonl", ROWS, {}, 400, "file-security"),
    ("a\n.jsonl", ROWS, {}, 400, "file-security"),
    ("x" * 300 + ".jsonl", ROWS, {}, 400, "file-security"),
]


async def test_what_is_refused_is_refused_by_name_and_leaves_nothing(
    upload: Upload, client: httpx.AsyncClient, settings: Settings
) -> None:
    for file_name, content, fields, status, code in REFUSED:
        answer = await upload(file_name, content, **fields)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), (file_name, fields, problem)
        assert problem["hint"]
        assert stored_files(settings) == [], (file_name, fields)
    assert (await client.get(PATH)).json()["total"] == 0


async def test_the_refusal_of_other_columns_names_the_mapping(upload: Upload) -> None:
    problem = (await upload("a.csv", "question,answer\na,b\n", format="alpaca")).json()
    assert problem["missing"] == ["instruction", "output"]
    assert "`question` → `instruction`, `answer` → `output`" in problem["hint"]
    assert problem["proposals"][0]["mapping"] == {"question": "instruction", "answer": "output"}
    problem = (await upload("a.csv", "col1,col2\nWhen does the ferry leave?,It leaves at noon.\n")).json()
    assert problem["proposals"][0] == {
        "format": "qa",
        "mapping": {"col1": "question", "col2": "answer"},
        "confidence": 0.45,
    }


async def test_a_refused_upload_keeps_the_file_of_another_dataset(upload: Upload, settings: Settings) -> None:
    assert (await upload("a.jsonl", ROWS)).status_code == 201
    assert (await upload("a.jsonl", ROWS, version="../1")).status_code == 422
    assert len(stored_files(settings)) == 1


@pytest.fixture
async def small(data_dir: Path) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """An application that takes files of at most 1000 bytes."""
    app = create_app(load_settings(data_dir=data_dir, datasets={"max_file_size_bytes": 1000}))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
    ):
        yield app, http


@pytest.mark.parametrize("size", [1001, 3_000_000])
async def test_a_file_over_the_limit_is_refused(
    small: tuple[FastAPI, httpx.AsyncClient], settings: Settings, size: int
) -> None:
    answer = await small[1].post(PATH, files={"file": ("a.jsonl", b"x" * size)}, data={"name": "big"})
    assert (answer.status_code, answer.json()["code"]) == (413, "file-too-large")
    assert answer.json()["max_file_size_bytes"] == 1000
    assert stored_files(settings) == []


async def test_a_full_disk_is_507_and_leaves_nothing(
    app: FastAPI, upload: Upload, settings: Settings, client: httpx.AsyncClient
) -> None:
    storage = app.state.services.datasets.storage

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(storage, name)

        async def put_stream(self, chunks: AsyncIterator[bytes], key: str | None = None) -> object:
            async def until_full() -> AsyncIterator[bytes]:
                async for chunk in chunks:
                    yield chunk
                    raise StorageFull("The disk of the store is full.")

            return await storage.put_stream(until_full(), key)

    app.state.services.datasets.storage = Full()
    answer = await upload("a.jsonl", ROWS)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage-full")
    assert stored_files(settings) == []
    assert (await client.get(PATH)).json()["total"] == 0


async def test_a_client_that_vanishes_leaves_nothing(
    app: FastAPI, settings: Settings, client: httpx.AsyncClient
) -> None:
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n' + b"x" * 200_000
    messages = iter([{"type": "http.request", "body": head, "more_body": True}, {"type": "http.disconnect"}])
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"multipart/form-data; boundary=b")]
    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "headers": headers,
        "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    assert stored_files(settings) == []
    assert (await client.get(PATH)).json()["total"] == 0


BROKEN_FORMS: list[tuple[str, bytes]] = [
    ("application/json", b"{}"),
    ("multipart/form-data", b""),
    ("multipart/form-data; boundary=b", b""),
    ("multipart/form-data; boundary=b", b"nonsense"),
    ("multipart/form-data; boundary=b", b"--b--\r\n"),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nx\r\n--b--\r\n',
    ),
    ("multipart/form-data; boundary=b", b"--b\r\ncontent-type: text/plain\r\n\r\nx\r\n--b--\r\n"),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{}',
    ),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\n\xff\r\n--b--\r\n',
    ),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\n' + b"x" * 300_000,
    ),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n' * 50 + b"--b--",
    ),
    ("multipart/form-data; boundary=b", b"--b\r\n" + b"a: b\r\n" * 10_000),
]


async def test_a_broken_form_is_422(client: httpx.AsyncClient, settings: Settings) -> None:
    for content_type, body in BROKEN_FORMS:
        answer = await client.post(PATH, content=body, headers={"content-type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (422, "dataset-creation"), (body[:100], answer.text)
    assert stored_files(settings) == []


async def test_two_uploads_of_one_name_at_once_make_one_version(upload: Upload) -> None:
    answers = await asyncio.gather(*(upload("a.jsonl", ROWS) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_a_list_is_searched_sorted_and_paged(upload: Upload, client: httpx.AsyncClient) -> None:
    for number in range(3):
        rows = json.dumps({"prompt": "q" * (number + 1), "completion": "a"})
        assert (await upload(f"{number}.jsonl", rows, name=f"set {number}%")).status_code == 201
    listed = (await client.get(PATH, params={"page_size": 2})).json()
    assert ([item["name"] for item in listed["items"]], listed["total"]) == (["set 2%", "set 1%"], 3)
    assert next(i["name"] for i in (await client.get(PATH, params={"sort": "size_bytes"})).json()["items"]) == "set 0%"
    assert (await client.get(PATH, params={"search": "1%"})).json()["total"] == 1
    assert (await client.get(PATH, params={"search": "%"})).json()["total"] == 3
    assert (await client.get(PATH, params={"search": "_"})).json()["total"] == 0
    assert (await client.get(PATH, params={"status": "ready"})).json()["total"] == 0
    assert (await client.get(PATH, params={"sort": "colour"})).status_code == 422
    assert (await client.get(f"{PATH}/999")).json()["code"] == "dataset-not-found"
