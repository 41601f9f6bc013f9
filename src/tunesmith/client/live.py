"""Live channels: a job's events over a WebSocket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from tunesmith.client.errors import ApiError, Unreachable
from tunesmith.client.wire import Json


async def watch_job(address: str, job_id: int, *, after: int = 0) -> AsyncIterator[Json]:
    """Events of a job after an offset, until it has ended; goes on where it was when the line breaks.

    Raises ApiError when the server refuses, Unreachable when it does not answer.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    place = address.replace("http", "ws", 1).rstrip("/") + f"/api/v1/ws/jobs/{job_id}"
    while True:
        try:
            async with connect(f"{place}?from={after}", proxy=None) as socket:
                async for message in socket:
                    event: Json = json.loads(message)
                    after = max(after, int(event["offset"]))
                    yield event
                return
        except InvalidStatus as refused:
            raise ApiError(refused.response.status_code, _problem(refused.response.body)) from None
        except ConnectionClosed:
            continue
        except OSError as error:
            raise Unreachable(address, str(error) or type(error).__name__) from error


def _problem(body: bytes | bytearray | None) -> Json:
    try:
        document: Json = json.loads(body or b"{}")
    except ValueError:
        document = {}
    return document or {"code": "refused", "detail": "The server refused the connection.", "hint": ""}
