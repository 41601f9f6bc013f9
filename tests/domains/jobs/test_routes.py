"""Jobs over HTTP, as a person or the web page sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.domains.jobs.conftest import Desk
from tests.fixtures.network import free_port
from tests.reliability.kinds import KINDS
from tunesmith.worker.loop import Worker

JOBS = "/api/v1/admin/jobs"


@pytest.fixture
async def office(app: FastAPI) -> Desk:
    """The desk of the application that `client` calls."""
    services = app.state.services
    for kind in KINDS:
        services.jobs.register(kind)
    desk = Desk(services)
    await desk.open()
    return desk


def parse(stream: str) -> list[dict[str, Any]]:
    """Server-sent events: [{id, event, data}]."""
    found = []
    for block in stream.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append({**fields, "data": json.loads(fields["data"])})
    return found


async def test_a_job_can_be_listed_read_and_its_result_fetched(client: httpx.AsyncClient, office: Desk) -> None:
    first = await office.submit(a=1, b=2, name="안녕 job")
    await office.submit("doze", a=0)
    assert (await client.get(f"{JOBS}/{first.id}/result")).status_code == 409
    await office.work()
    job = (await client.get(f"{JOBS}/{first.id}")).json()
    assert (job["state"], job["status"], job["name"], job["progress"]) == ("succeeded", "succeeded", "안녕 job", 1.0)
    answer = (await client.get(f"{JOBS}/{first.id}/result")).json()
    assert answer == {"job_id": first.id, "kind": "add", "result": {"sum": 3, "details": {"terms": [1, 2]}}}
    listed = (await client.get(JOBS, params={"page_size": 1})).json()
    assert (listed["total"], len(listed["items"]), listed["items"][0]["kind"]) == (2, 1, "doze")
    for query, total in (
        ({"kind": "add"}, 1),
        ({"state": "succeeded"}, 2),
        ({"state": "failed"}, 0),
        ({"graph_id": 9}, 0),
    ):
        assert (await client.get(JOBS, params=query)).json()["total"] == total, query
    assert (await client.get(JOBS, params={"state": "gone"})).status_code == 422


async def test_what_is_not_there_is_a_404_with_a_hint(client: httpx.AsyncClient, office: Desk) -> None:
    for method, path in (
        ("GET", ""), ("GET", "/logs"), ("GET", "/events"), ("GET", "/result"), ("POST", "/cancel"), ("POST", "/retry")
    ):  # fmt: skip
        answer = await client.request(method, f"{JOBS}/77{path}")
        assert answer.status_code == 404, path
        assert answer.json()["code"] == "job-not-found"
        assert answer.json()["hint"]


async def test_cancel_and_retry_follow_the_table(client: httpx.AsyncClient, office: Desk) -> None:
    job = await office.submit(a=1)
    assert (await client.post(f"{JOBS}/{job.id}/retry")).status_code == 409
    assert (await client.post(f"{JOBS}/{job.id}/cancel")).json()["state"] == "cancelled"
    again = await client.post(f"{JOBS}/{job.id}/cancel")
    assert again.status_code == 409
    assert "is cancelled" in again.json()["detail"]
    assert again.json()["hint"] == "Possible now: retry."
    assert (await client.post(f"{JOBS}/{job.id}/retry")).json()["state"] == "queued"
    await office.work()
    assert (await client.get(f"{JOBS}/{job.id}")).json()["state"] == "succeeded"
    answer = await client.post(f"{JOBS}/{job.id}/retry")
    assert answer.json()["hint"] == "Nothing more happens to this job; start a new one."


async def test_logs_by_tail_and_by_range(client: httpx.AsyncClient, office: Desk) -> None:
    job = await office.submit("count", steps=3, save_every=100, step_seconds=0)
    async with office.services.database.write(office.owner) as unit:
        from tunesmith.domains.jobs.tables import EventRow

        unit.session.add_all(
            EventRow(job_id=job.id, attempt=1, type="log", payload={"level": "info", "message": f"line {n}"})
            for n in range(5)
        )
    tail = (await client.get(f"{JOBS}/{job.id}/logs", params={"tail": 2})).json()
    assert [line["message"] for line in tail["lines"]] == ["line 3", "line 4"]
    first = (await client.get(f"{JOBS}/{job.id}/logs", params={"after": 0, "limit": 3})).json()
    rest = (await client.get(f"{JOBS}/{job.id}/logs", params={"after": first["next_offset"]})).json()
    assert [line["message"] for line in first["lines"] + rest["lines"]] == [f"line {n}" for n in range(5)]
    end = (await client.get(f"{JOBS}/{job.id}/logs", params={"after": rest["next_offset"]})).json()
    assert (end["lines"], end["next_offset"]) == ([], rest["next_offset"])


async def test_the_stream_of_an_ended_job_resumes_without_gaps_and_then_says_no_more(
    client: httpx.AsyncClient, office: Desk
) -> None:
    job = await office.submit("count", steps=6, save_every=2, step_seconds=0)
    await office.work()
    answer = await client.get(f"{JOBS}/{job.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = parse(answer.text)
    assert [e["data"]["state"] for e in events if e["event"] == "state"] == [
        "queued",
        "running",
        "succeeded",
    ]
    assert [e["data"]["step"] for e in events if e["event"] == "metric"] == [1, 2, 3, 4, 5, 6]
    assert [int(e["id"]) for e in events] == [e["data"]["offset"] for e in events]
    middle = events[len(events) // 2]["id"]
    by_header = parse((await client.get(f"{JOBS}/{job.id}/events", headers={"Last-Event-ID": middle})).text)
    by_query = parse((await client.get(f"{JOBS}/{job.id}/events", params={"from": middle})).text)
    assert by_header == by_query == [e for e in events if int(e["id"]) > int(middle)]
    last = await client.get(f"{JOBS}/{job.id}/events", headers={"Last-Event-ID": events[-1]["id"]})
    assert (last.status_code, last.content) == (204, b"")


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """The application on a real socket, since streams are only streams there."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def test_a_stream_is_live_and_ends_with_the_job(address: str, office: Desk) -> None:
    job = await office.submit("count", steps=20, save_every=10, step_seconds=0.05)
    worker = Worker(office.services, "here")
    seen_while_running = 0
    text = ""
    async with httpx.AsyncClient(base_url=address, timeout=30) as http:
        async with http.stream("GET", f"{JOBS}/{job.id}/events") as answer:
            working = asyncio.create_task(worker.run(until_idle=True, parent=None))
            async for part in answer.aiter_text():
                text += part
                if (await office.get(job.id)).state == "running":
                    seen_while_running += part.count("event: metric")
        await working
    assert seen_while_running > 3
    events = parse(text)
    assert [e["data"]["step"] for e in events if e["event"] == "metric"] == list(range(1, 21))
    assert events[-1]["data"].items() >= {"type": "state", "state": "succeeded", "previous": "running"}.items()


async def test_many_watchers_do_not_stand_in_the_way(address: str, office: Desk) -> None:
    job = await office.submit("doze", a=30)
    async with httpx.AsyncClient(base_url=address, timeout=30) as http:

        async def watch() -> str:
            async with http.stream("GET", f"{JOBS}/{job.id}/events") as answer:
                return "".join([part async for part in answer.aiter_text()])

        watchers = [asyncio.create_task(watch()) for _ in range(20)]
        while not all(w.done() for w in watchers):
            answer = await http.post(f"{JOBS}/{job.id}/cancel")
            assert answer.status_code in (200, 409)
            await asyncio.sleep(0.1)
        streams = await asyncio.gather(*watchers)
    assert all(parse(stream)[-1]["data"]["state"] == "cancelled" for stream in streams if stream)


async def test_waiting_answers_when_the_job_ends_and_gives_up_in_time(office: Desk) -> None:
    job = await office.submit("count", steps=400, step_seconds=0.05)
    assert (await office.jobs.wait(office.owner, job.id, 0.1)).state == "queued"
    waiting = asyncio.create_task(office.jobs.wait(office.owner, job.id, 30))
    await office.do("cancel", job.id)
    assert (await asyncio.wait_for(waiting, 5)).state == "cancelled"


async def test_a_socket_gives_the_same_events_and_goes_on_after_a_break(address: str, office: Desk) -> None:
    job = await office.submit("count", steps=20, save_every=10, step_seconds=0.02)
    live = f"{address.replace('http', 'ws')}/api/v1/ws/jobs/{job.id}"
    worker = Worker(office.services, "here")
    said: list[dict[str, Any]] = []
    async with connect(live) as socket:
        working = asyncio.create_task(worker.run(until_idle=True, parent=None))
        while len(said) < 8:
            said.append(json.loads(await socket.recv()))
    async with connect(f"{live}?from={said[-1]['offset']}") as socket:
        said += [json.loads(message) async for message in socket]
    assert (socket.close_code, socket.close_reason) == (1000, "the job has ended")
    await working
    async with httpx.AsyncClient(base_url=address) as http:
        events = parse((await http.get(f"{JOBS}/{job.id}/events")).text)
    assert said == [event["data"] for event in events]


@pytest.mark.parametrize(
    ("job", "headers", "status"),
    [(1, {}, 404), (0, {}, 403), (1, {"Origin": "https://elsewhere.example"}, 403)],
)
async def test_a_socket_is_refused_as_a_get_is(
    address: str, office: Desk, job: int, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{address.replace('http', 'ws')}/api/v1/ws/jobs/{job}", additional_headers=headers)
    assert refused.value.response.status_code == status


async def test_the_list_searches_and_the_priority_moves_a_job(client: httpx.AsyncClient, office: Desk) -> None:
    first, second = await office.submit(a=1, name="pier 100%"), await office.submit(a=2, name="boat")
    found = (await client.get(JOBS, params={"search": "100%"})).json()["items"]
    assert [(job["id"], job["position"]) for job in found] == [(first.id, 1)]
    assert (await client.get(JOBS, params={"state": ["queued", "running"]})).json()["total"] == 2
    moved = await client.patch(f"{JOBS}/{second.id}", json={"priority": 9})
    assert (moved.json()["priority"], moved.json()["position"]) == (9, 1)
    assert (await client.patch(f"{JOBS}/{second.id}", json={"priority": 1000})).status_code == 422
    await office.do("cancel", second.id)
    late = await client.patch(f"{JOBS}/{second.id}", json={"priority": 1})
    assert (late.status_code, late.json()["code"]) == (409, "job-state")
