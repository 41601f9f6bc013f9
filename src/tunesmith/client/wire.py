"""Reading answers: JSON, problem documents, event streams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from tunesmith.client.errors import ApiError

Json = dict[str, Any]


def decoded(response: httpx.Response) -> Any:
    """The JSON of an answer; raises ApiError when the server refused."""
    try:
        document = response.json()
    except ValueError:
        document = {"detail": response.text[:300] or f"The server answered {response.status_code}."}
    if response.status_code < 400:
        return document
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        error = document["error"]
        document = {"code": error.get("code"), "detail": error.get("message", "")}
    raise ApiError(response.status_code, document if isinstance(document, dict) else {"detail": str(document)})


async def saved(response: httpx.Response, target: Path) -> int:
    """Write the body of an answer to ``target`` by way of a file beside it; answers how many bytes."""
    part = target.with_name(f".{target.name}.part")
    size = 0
    try:
        with part.open("wb") as file:
            async for piece in response.aiter_bytes():
                size += file.write(piece)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size


async def server_sent(response: httpx.Response) -> AsyncIterator[tuple[int, str, Json]]:
    """The events of a text/event-stream as (id, event, data)."""
    offset, kind, data = 0, "message", ""
    async for line in response.aiter_lines():
        if line.startswith("id:"):
            offset = int(line[3:].strip() or 0)
        elif line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()
        elif not line and data:
            yield offset, kind, json.loads(data)
            kind, data = "message", ""
