"""Uploads in parts: whatever breaks, what was acknowledged is kept, and what is refused leaves nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from tests.domains.datasets.conftest import PATH, Work
from tests.domains.datasets.test_upload import stored_files
from tunesmith.api.app import create_app
from tunesmith.client import TunesmithClient, api, parts
from tunesmith.domains.datasets.tables import UploadRow
from tunesmith.kit.principal import Principal
from tunesmith.settings import Settings, load_settings

UPLOADS = "/api/v1/admin/uploads"
ROWS = "".join(json.dumps({"question": f"{n}?", "answer": f"정답 {n}"}) + "\n" for n in range(50)).encode()
DIGEST = hashlib.sha256(ROWS).hexdigest()


async def begin(client: httpx.AsyncClient, content: bytes = ROWS, **more: Any) -> dict[str, Any]:
    body = {"file_name": "질문.jsonl", "size_bytes": len(content), **more}
    answer = await client.post(UPLOADS, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def send(client: httpx.AsyncClient, upload_id: int, offset: int, content: bytes) -> httpx.Response:
    return await client.put(f"{UPLOADS}/{upload_id}", params={"offset": offset}, content=content)


def part_files(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "uploads").rglob("*") if path.is_file()]


async def test_a_file_in_parts_becomes_a_dataset(client: httpx.AsyncClient, work: Work, settings: Settings) -> None:
    upload = await begin(client, sha256=DIGEST)
    assert (upload["received_bytes"], upload["state"]) == (0, "receiving")
    for offset in (0, 100, 200):
        part = ROWS[offset : offset + 100] if offset < 200 else ROWS[200:]
        answer = await send(client, upload["id"], offset, part)
        assert answer.json()["received_bytes"] == offset + len(part)
    assert (await client.get(f"{UPLOADS}/{upload['id']}")).json()["received_bytes"] == len(ROWS)
    for _ in range(2):
        done = (await client.post(f"{UPLOADS}/{upload['id']}/complete")).json()
        assert (done["state"], done["sha256"]) == ("complete", DIGEST)
    assert part_files(settings) == []
    assert [path.read_bytes() for path in stored_files(settings)] == [ROWS]
    proposal = (await client.post(f"{PATH}/mapping", json={"upload_id": upload["id"]})).json()
    assert (proposal["format"], proposal["mapping"], proposal["columns"]) == ("qa", {}, ["question", "answer"])
    made = await client.post(PATH, json={"name": "Parts", "upload_id": upload["id"], "tags": ["a"]})
    assert made.status_code == 201, made.text
    assert (made.json()["file_name"], made.json()["sha256"], made.json()["tags"]) == ("질문.jsonl", DIGEST, ["a"])
    await work()
    ready = (await client.get(f"{PATH}/{made.json()['id']}")).json()
    assert (ready["status"], ready["rows"]) == ("ready", 50)
    again = await client.post(PATH, json={"name": "Parts", "version": "2.0", "upload_id": upload["id"]})
    assert (again.status_code, again.json()["code"]) == (409, "upload-state")


async def test_the_paths_beside_the_datasets_do_the_same(client: httpx.AsyncClient) -> None:
    made = await client.post(f"{PATH}/uploads", json={"file_name": "a.jsonl", "size_bytes": len(ROWS)})
    upload = f"{PATH}/uploads/{made.json()['id']}"
    assert (await client.patch(upload, params={"offset": 0}, content=ROWS)).json()["received_bytes"] == len(ROWS)
    assert (await client.get(upload)).json()["received_bytes"] == len(ROWS)
    assert (await client.post(f"{upload}/complete")).json()["sha256"] == DIGEST
    form = {"name": (None, "Form"), "upload_id": (None, str(made.json()["id"]))}
    assert (await client.post(PATH, files=form)).status_code == 201


async def test_a_wrong_offset_is_answered_with_the_right_one(client: httpx.AsyncClient) -> None:
    upload = await begin(client)
    await send(client, upload["id"], 0, ROWS[:10])
    for offset in (0, 5, 11, len(ROWS)):
        answer = await send(client, upload["id"], offset, b"x")
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["received_bytes"]) == (409, "upload-offset", 10)
    early = await client.post(f"{UPLOADS}/{upload['id']}/complete")
    assert (early.status_code, early.json()["code"], early.json()["received_bytes"]) == (409, "upload-incomplete", 10)


async def test_more_than_was_promised_is_refused_and_the_part_forgotten(client: httpx.AsyncClient) -> None:
    upload = await begin(client)
    await send(client, upload["id"], 0, ROWS[:10])
    answer = await send(client, upload["id"], 10, ROWS[10:] + b"x")
    assert (answer.status_code, answer.json()["code"]) == (422, "upload-size")
    assert (await send(client, upload["id"], 10, ROWS[10:])).status_code == 200
    assert (await client.post(f"{UPLOADS}/{upload['id']}/complete")).json()["sha256"] == DIGEST


async def test_another_content_than_promised_begins_anew(client: httpx.AsyncClient, settings: Settings) -> None:
    upload = await begin(client, sha256="0" * 64)
    await send(client, upload["id"], 0, ROWS)
    answer = await client.post(f"{UPLOADS}/{upload['id']}/complete")
    assert (answer.status_code, answer.json()["code"]) == (422, "upload-checksum")
    assert (await client.get(f"{UPLOADS}/{upload['id']}")).json()["received_bytes"] == 0
    assert (part_files(settings), stored_files(settings)) == ([], [])


async def test_parts_at_the_same_time_are_taken_once(client: httpx.AsyncClient) -> None:
    upload = await begin(client)
    halves = [ROWS[:500], ROWS[500:]]
    answers = await asyncio.gather(
        *(send(client, upload["id"], 500 * at, half) for half_at in range(4) for at, half in enumerate(halves))
    )
    assert all(answer.status_code in (200, 409) for answer in answers)
    received = (await client.get(f"{UPLOADS}/{upload['id']}")).json()["received_bytes"]
    assert received >= 500
    if received < len(ROWS):
        await send(client, upload["id"], received, ROWS[received:])
    assert (await client.post(f"{UPLOADS}/{upload['id']}/complete")).json()["sha256"] == DIGEST


async def test_a_client_that_vanishes_goes_on_where_it_was(app: FastAPI, client: httpx.AsyncClient) -> None:
    upload = await begin(client)
    messages = iter([{"type": "http.request", "body": ROWS[:700], "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, object]:
        return next(messages)

    async def ignore(message: dict[str, object]) -> None:
        """Nobody reads the answer."""

    path = f"{UPLOADS}/{upload['id']}"
    scope = {
        "type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "query_string": b"offset=0",
        "headers": [(b"host", b"127.0.0.1")], "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, ignore)
    assert (await client.get(path)).json()["received_bytes"] == 700
    await send(client, upload["id"], 700, ROWS[700:])
    assert (await client.post(f"{path}/complete")).json()["sha256"] == DIGEST


class Restarted(NamedTuple):
    client: httpx.AsyncClient
    settings: Settings


async def restarted(settings: Settings) -> AsyncIterator[Restarted]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
    ):
        yield Restarted(http, settings)


async def test_a_new_server_goes_on_and_forgets_what_was_never_acknowledged(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    upload = await begin(client, sha256=DIGEST)
    await send(client, upload["id"], 0, ROWS[:600])
    [part] = part_files(settings)
    part.write_bytes(part.read_bytes() + b"written, then killed before it was acknowledged")
    async for new in restarted(settings):
        assert (await send(new.client, upload["id"], 600, ROWS[600:])).json()["received_bytes"] == len(ROWS)
        done = await new.client.post(f"{UPLOADS}/{upload['id']}/complete")
        assert done.json()["state"] == "complete"


async def test_a_kill_while_the_file_moves_into_the_store_is_made_good(
    app: FastAPI, client: httpx.AsyncClient, settings: Settings
) -> None:
    upload = await begin(client)
    await send(client, upload["id"], 0, ROWS)
    storage = app.state.services.storage

    class Killed(Exception):
        pass

    class Dies:
        def __getattr__(self, name: str) -> object:
            return getattr(storage, name)

        async def take_file(self, path: Path, sha256: str) -> object:
            await storage.take_file(path, sha256)
            raise Killed

    app.state.services.uploads._storage = Dies()
    assert (await client.post(f"{UPLOADS}/{upload['id']}/complete")).status_code == 500
    async for new in restarted(settings):
        done = await new.client.post(f"{UPLOADS}/{upload['id']}/complete")
        assert (done.json()["state"], done.json()["sha256"]) == ("complete", DIGEST)


async def test_a_file_that_the_disk_cannot_hold_is_refused_at_once(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    size = shutil.disk_usage(settings.data_dir).free + 1
    answer = await client.post(UPLOADS, json={"file_name": "a.jsonl", "size_bytes": size})
    assert (answer.status_code, answer.json()["code"]) == (413, "file-too-large")
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"file_name": "../a.jsonl", "size_bytes": 1}, 400, "file-security"),
        ({"file_name": "a.exe", "size_bytes": 1}, 422, "unsupported-format"),
        ({"file_name": "a.jsonl", "size_bytes": 0}, 422, "validation"),
        ({"file_name": "a.jsonl", "size_bytes": 1, "sha256": "x"}, 422, "validation"),
    ],
)
async def test_what_cannot_become_data_is_refused_before_it_is_sent(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post(UPLOADS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_upload_that_is_given_up_or_stands_still_is_removed(
    app: FastAPI, client: httpx.AsyncClient, settings: Settings
) -> None:
    given_up, still, complete = [await begin(client) for _ in range(3)]
    for upload in (given_up, still, complete):
        await send(client, upload["id"], 0, ROWS)
    await client.post(f"{UPLOADS}/{complete['id']}/complete")
    assert (await client.delete(f"{UPLOADS}/{given_up['id']}")).status_code == 204
    assert (await client.get(f"{UPLOADS}/{given_up['id']}")).json()["code"] == "upload-not-found"
    services = app.state.services
    async with services.database.write(Principal(0, "system", "admin", 0)) as unit:
        await unit.session.execute(update(UploadRow).values(expires_at=UploadRow.created_at))
    await begin(client)
    assert [path.name for path in part_files(settings)] == []
    assert stored_files(settings) == []
    for upload in (still, complete):
        assert (await client.get(f"{UPLOADS}/{upload['id']}")).status_code == 404


async def test_a_dataset_that_is_refused_leaves_the_upload_to_try_again(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    upload = await begin(client)
    await send(client, upload["id"], 0, ROWS)
    await client.post(f"{UPLOADS}/{upload['id']}/complete")
    for body, code in (
        ({"format": "alpaca"}, "missing-columns"),
        ({"version": "../1"}, "dataset-creation"),
        ({"column_mapping": {"x": "prompt"}}, "column-mapping"),
    ):
        answer = await client.post(PATH, json={"name": "Ferry", "upload_id": upload["id"], **body})
        assert answer.json()["code"] == code
    assert len(stored_files(settings)) == 1
    assert (await client.post(PATH, json={"name": "Ferry", "upload_id": upload["id"]})).status_code == 201
    unknown = await client.post(PATH, json={"name": "Ferry", "upload_id": 99})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "upload-not-found")


async def test_the_refusal_of_a_large_form_names_the_way_in_parts(data_dir: Path) -> None:
    async for small in restarted(load_settings(data_dir=data_dir, datasets={"max_file_size_bytes": 1000})):
        files = {"file": ("a.jsonl", ROWS + ROWS)}
        refused = await small.client.post(PATH, files=files, data={"name": "big"})
        assert refused.status_code == 413
        assert f"POST {PATH}/uploads" in refused.json()["hint"]
        params = {"max_file_size_bytes": 10_000}
        allowed = await small.client.post(PATH, files=files, data={"name": "big"}, params=params)
        assert allowed.status_code == 201
        upload = await begin(small.client, ROWS + ROWS)
        assert (await send(small.client, upload["id"], 0, ROWS + ROWS)).status_code == 200


class Breaks(httpx.AsyncBaseTransport):
    """A connection that breaks in the middle of every other part, after some of it has arrived."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner, self.parts = inner, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            self.parts += 1
            if self.parts % 2:
                await self.inner.handle_async_request(httpx.Request("PUT", request.url, content=await half_of(request)))
                raise httpx.ReadError("the line is dead", request=request)
        return await self.inner.handle_async_request(request)


async def half_of(request: httpx.Request) -> bytes:
    content = await request.aread()
    return content[: max(1, len(content) // 2)]


async def test_the_client_sends_a_large_file_in_parts_and_survives_breaks(
    app: FastAPI, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 300)
    monkeypatch.setattr(api, "FORM_LIMIT_BYTES", 100)
    path = tmp_path / "질문.csv"
    path.write_bytes("질문,답변\n".encode() + b"".join(b"%d?,%d!\n" % (n, n) for n in range(200)))
    transport = Breaks(httpx.ASGITransport(app=app))
    seen: list[int] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        client = TunesmithClient(http, "test")
        made = await client.upload_dataset(path, name="Ferry", on_event=lambda _, event: seen.append(event["step"]))
    assert made["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made["column_mapping"] == {"질문": "question", "답변": "answer"}
    assert transport.parts > 4
    assert seen
    assert part_files(settings) == []


async def test_another_process_goes_on_with_the_same_file(client: httpx.AsyncClient) -> None:
    upload = await begin(client, sha256=DIGEST)
    await send(client, upload["id"], 0, ROWS[:100])
    again = await begin(client, sha256=DIGEST)
    assert (again["id"], again["received_bytes"]) == (upload["id"], 100)
    other = await begin(client, sha256="0" * 64)
    assert (other["id"] != upload["id"], other["received_bytes"]) == (True, 0)
