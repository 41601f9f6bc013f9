"""A POST that is sent again with its Idempotency-Key does its work once."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from tunesmith.kit.errors import Conflict


class Thing(BaseModel):
    """A body."""

    name: str


@pytest.fixture
def calls(app: FastAPI) -> list[str]:
    """A route that counts its calls."""
    made: list[str] = []

    @app.post("/things", status_code=201)
    async def make(thing: Thing) -> dict[str, int]:
        made.append(thing.name)
        if thing.name == "boom":
            raise RuntimeError
        if thing.name == "taken":
            raise Conflict("Taken.")
        if thing.name == "slow":
            await asyncio.sleep(0.3)
        return {"id": len(made)}

    return made


async def test_second_call_gets_the_first_answer(client: httpx.AsyncClient, calls: list[str]) -> None:
    headers = {"idempotency-key": "k-1"}
    first = await client.post("/things", json={"name": "a"}, headers=headers)
    second = await client.post("/things", json={"name": "a"}, headers=headers)
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (201, {"id": 1})
    assert second.headers["idempotency-replayed"] == "true"
    assert calls == ["a"]


async def test_another_key_and_no_key_are_other_calls(client: httpx.AsyncClient, calls: list[str]) -> None:
    for headers in ({"idempotency-key": "a"}, {"idempotency-key": "b"}, {}, {}):
        await client.post("/things", json={"name": "x"}, headers=headers)
    assert len(calls) == 4


async def test_another_body_is_refused(client: httpx.AsyncClient, calls: list[str]) -> None:
    headers = {"idempotency-key": "k"}
    await client.post("/things", json={"name": "a"}, headers=headers)
    answer = await client.post("/things", json={"name": "b"}, headers=headers)
    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency-key"
    assert calls == ["a"]


async def test_refusals_are_kept_and_server_errors_are_not(client: httpx.AsyncClient, calls: list[str]) -> None:
    for name, expected_calls in (("taken", 1), ("boom", 2)):
        calls.clear()
        for _ in range(2):
            await client.post("/things", json={"name": name}, headers={"idempotency-key": name})
        assert len(calls) == expected_calls


async def test_concurrent_calls_do_the_work_once(client: httpx.AsyncClient, calls: list[str]) -> None:
    answers = await asyncio.gather(
        *(client.post("/things", json={"name": "slow"}, headers={"idempotency-key": "s"}) for _ in range(5))
    )
    assert calls == ["slow"]
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]


async def test_unfit_key(client: httpx.AsyncClient, calls: list[str]) -> None:
    answer = await client.post("/things", json={"name": "a"}, headers={"idempotency-key": "x" * 256})
    assert answer.status_code == 422
    assert calls == []
