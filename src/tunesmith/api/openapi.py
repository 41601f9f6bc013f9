"""``GET /openapi.json``: written when it is first asked for, beside the event loop, since that takes seconds."""

from __future__ import annotations

import asyncio
import json

from fastapi import FastAPI, Request, Response

PATH = "/openapi.json"


def install(app: FastAPI) -> None:
    """Add the route. However many ask at once, the document is written once."""
    writing = asyncio.Lock()
    document: bytes | None = None

    async def get_openapi(request: Request) -> Response:
        nonlocal document
        async with writing:
            if document is None:
                document = await asyncio.to_thread(_write, app)
        return Response(document, media_type="application/json")

    app.add_route(PATH, get_openapi, include_in_schema=False)


def _write(app: FastAPI) -> bytes:
    return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
