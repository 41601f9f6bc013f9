"""The OpenAPI document: whole, and written beside the event loop."""

from __future__ import annotations

import asyncio

import httpx


async def test_the_server_answers_while_the_document_is_written(client: httpx.AsyncClient) -> None:
    asked = [asyncio.create_task(client.get("/openapi.json")) for _ in range(2)]
    assert (await client.get("/health")).status_code == 200
    assert not any(task.done() for task in asked)
    first, second = await asyncio.gather(*asked)
    assert first.content == second.content
    document = first.json()
    assert first.headers["content-type"] == "application/json"
    assert document["info"]["title"] == "Tunesmith"
    assert {"/health", "/v1/chat/completions"} <= set(document["paths"])
