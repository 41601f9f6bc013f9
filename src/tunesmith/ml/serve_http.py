"""The HTTP side of a child that has a model loaded: what every engine (transformers, llama.cpp, fake) answers, in one place.

A child lives as long as the process that started it: it reads its stdin and leaves at the end of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hmac
import json
import os
import secrets
import socket
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import uvicorn
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tunesmith.wire.serving import (
    CHILD_HEADER,
    SPEC_FILE,
    Answered,
    ChatBody,
    ChildHealth,
    CountBody,
    EmbedBody,
    GenerateBody,
    GenerateRequest,
    Generation,
    LogprobsBody,
    LogprobSequence,
    Message,
    PromptCount,
    ReadyFile,
    RenderBody,
    RowScore,
    ScoreBody,
    ScoreRow,
    StreamChunk,
    TokenizeBody,
    Tools,
    pack_arrays,
)
from tunesmith.wire.spec import ServeSpec

Body = TypeVar("Body", bound=BaseModel)
Answer = TypeVar("Answer")


class Refused(Exception):
    """The engine cannot do what was asked; the code and the sentence reach the person who asked."""

    def __init__(self, code: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Engine(Protocol):
    """What a child does behind its HTTP side; engines derive from it. A cancelled call or a closed stream must free what it held."""

    def health(self) -> ChildHealth:
        """What is loaded, and how busy it is."""
        ...

    async def render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        """The prompt of a conversation."""
        ...

    async def count(self, messages: list[Message]) -> PromptCount:
        """How long the prompt of a conversation is."""
        ...

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text."""
        ...

    async def generate(self, requests: list[GenerateRequest], adapter: str | None) -> list[Generation]:
        """Continue many prompts."""
        ...

    def stream(self, request: GenerateRequest, adapter: str | None) -> AsyncGenerator[StreamChunk]:
        """Continue one prompt, piece by piece; what is refused is refused before the first piece."""
        ...

    async def whole(self, request: GenerateRequest, adapter: str | None) -> Answered:
        """Continue one prompt to its end: the stream, collected, unless there is a shorter way."""
        async with contextlib.aclosing(self.stream(request, adapter)) as chunks:
            return Answered.of([chunk async for chunk in chunks])

    async def score(self, rows: list[ScoreRow], adapter: str | None) -> list[RowScore]:
        """Teacher-forced loss of rows."""
        ...

    async def logprobs(
        self, sequences: list[LogprobSequence], top: int | None, adapter: str | None
    ) -> list[np.ndarray[Any, Any]]:
        """For each sequence a float32 array (positions × vocabulary), or with ``top`` an int32 and a float32 array."""
        ...

    async def embed(self, inputs: list[str | list[int]], adapter: str | None) -> tuple[np.ndarray[Any, Any], list[int]]:
        """Float32 vectors of length one (inputs × width) and the tokens of each input; most engines have none."""
        raise Refused(
            "embeddings-unsupported", f"{type(self).__name__.removesuffix('Engine')} gives no embeddings here."
        )


def application(engine: Engine, token: str) -> ASGIApp:
    """The ASGI application around ``engine``."""

    async def health(_request: Request) -> Response:
        return JSONResponse(engine.health().model_dump())

    async def render(body: RenderBody) -> Response:
        return JSONResponse({"prompt": await engine.render(body.messages, body.add_generation_prompt, body.tools)})

    async def count(body: CountBody) -> Response:
        return JSONResponse((await engine.count(body.messages)).model_dump())

    async def tokenize(body: TokenizeBody) -> Response:
        return JSONResponse({"token_ids": await engine.tokenize(body.text)})

    async def generate(body: GenerateBody) -> Response:
        made = await engine.generate(body.requests, body.adapter)
        return JSONResponse({"generations": [g.model_dump() for g in made]})

    async def whole(body: ChatBody) -> Response:
        made = await engine.whole(body.request, body.adapter)
        return Response(made.model_dump_json(exclude_defaults=True), media_type="application/json")

    async def score(body: ScoreBody) -> Response:
        scored = await engine.score(body.rows, body.adapter)
        return JSONResponse({"rows": [row.model_dump() for row in scored]})

    async def logprobs(body: LogprobsBody) -> Response:
        arrays = await engine.logprobs(body.sequences, body.top, body.adapter)
        return Response(pack_arrays(arrays), media_type="application/octet-stream")

    async def embed(body: EmbedBody) -> Response:
        vectors, tokens = await engine.embed(body.inputs, body.adapter)
        return Response(pack_arrays([vectors, np.array(tokens, np.int64)]), media_type="application/octet-stream")

    async def chat(request: Request) -> Response:
        try:
            body = ChatBody.model_validate_json(await request.body())
        except ValidationError as error:
            return _refusal("invalid", str(error), 422)
        chunks = engine.stream(body.request, body.adapter)
        try:
            first = await anext(chunks)
        except Refused as refused:
            return _refusal(refused.code, str(refused), refused.status)
        return StreamingResponse(_events(first, chunks), media_type="text/event-stream")

    routes = [
        Route("/health", health),
        Route("/render", _posted(RenderBody, render), methods=["POST"]),
        Route("/count", _posted(CountBody, count), methods=["POST"]),
        Route("/tokenize", _posted(TokenizeBody, tokenize), methods=["POST"]),
        Route("/generate", _posted(GenerateBody, generate), methods=["POST"]),
        Route("/score", _posted(ScoreBody, score), methods=["POST"]),
        Route("/logprobs", _posted(LogprobsBody, logprobs), methods=["POST"]),
        Route("/embed", _posted(EmbedBody, embed), methods=["POST"]),
        Route("/answer", _posted(ChatBody, whole), methods=["POST"]),
        Route("/chat", chat, methods=["POST"]),
    ]
    return _TokenCheck(Starlette(routes=routes), token)


class _TokenCheck:
    """Loopback is shared by everybody on this machine; the token is not."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(CHILD_HEADER.encode(), b"")
            if not hmac.compare_digest(given, self._token):
                await _refusal("token", "This child answers only to the process that started it.", 401)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def _refusal(code: str, message: str, status: int) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status_code=status)


def _posted(
    kind: type[Body], handle: Callable[[Body], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = kind.model_validate_json(await request.body())
        except ValidationError as error:
            return _refusal("invalid", str(error), 422)
        try:
            return await _while_connected(request, handle(body))
        except Refused as refused:
            return _refusal(refused.code, str(refused), refused.status)
        except _Gone:
            return Response(status_code=499)

    return endpoint


class _Gone(Exception):
    """The caller hung up."""


async def _while_connected(request: Request, work: Awaitable[Answer]) -> Answer:
    """``work``'s answer; cancels it when the caller hangs up."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_disconnected(request))
    try:
        done, _ = await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if task in done:
            return task.result()
        raise _Gone
    finally:
        for pending in (task, watch):
            pending.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def _events(first: StreamChunk, chunks: AsyncGenerator[StreamChunk]) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(chunks):
        yield _event(first.model_dump_json(exclude_defaults=True))
        try:
            async for chunk in chunks:
                yield _event(chunk.model_dump_json(exclude_defaults=True))
        except Refused as refused:
            error = {"code": refused.code, "message": str(refused)}
            yield _event(json.dumps({"error": error}, separators=(",", ":")))


def _event(document: str) -> bytes:
    return b"data: " + document.encode() + b"\n\n"


def read_spec(folder: Path) -> ServeSpec:
    """What to load."""
    return ServeSpec.model_validate_json((folder / SPEC_FILE).read_bytes())


def leave_with_parent(before: Callable[[], None] = lambda: None) -> None:
    """End this process when stdin ends: whoever started it is gone. ``before`` is called first."""

    def watch() -> None:
        while os.read(0, 4096):  # not through sys.stdin, whose lock would abort an exit that is not ours
            continue
        before()
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def answer(folder: Path, engine: Engine) -> None:
    """Answer on a free port of loopback until the process ends; ``ready.json`` is written when the port is open."""
    token = secrets.token_urlsafe(24)
    # with its protocol: asyncio sends small answers at once (TCP_NODELAY) only where it is named, else 40 ms later
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    config = uvicorn.Config(
        application(engine, token), log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=600
    )
    gc.collect()
    gc.freeze()  # a loaded model is hundreds of thousands of objects, which a collection would look through in the middle of an answer
    ReadyFile(port=listener.getsockname()[1], token=token).write(folder)
    uvicorn.Server(config).run(sockets=[listener])
