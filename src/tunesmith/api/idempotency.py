"""Idempotency-Key: a POST that is sent again gets the first answer, and does its work once."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.api.errors import render
from tunesmith.domains.accounts import FirstAnswer
from tunesmith.kit import logs
from tunesmith.kit.errors import InvalidInput, TunesmithError
from tunesmith.kit.principal import Permission

MAX_KEPT_BYTES = 1 << 20
_KEPT_HEADERS = ("content-type", "location")


class Idempotency:
    """Keeps the first answer to a POST with an Idempotency-Key.

    The answer is tied to the person, the path and a digest of what describes the body: its bytes up to one MiB and its
    declared length. Larger bodies (uploads) are streamed on and never held here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = Headers(scope=scope).get("idempotency-key") if scope["type"] == "http" else None
        if key is None or scope["method"] != "POST" or scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        try:
            await self._keep(scope, receive, send, key)
        except TunesmithError as error:
            await render(error.problem(logs.request_id.get()), scope["path"])(scope, receive, send)

    async def _keep(self, scope: Scope, receive: Receive, send: Send, key: str) -> None:
        if not 1 <= len(key) <= 255 or not key.isprintable():
            raise InvalidInput("Idempotency-Key must be 1 to 255 printable characters.")
        state = scope["app"].state
        access = await state.authorize(Request(scope), Permission.READ)
        seen, digest = await _read_beginning(scope, receive)
        path = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
        path = path if len(path) <= 500 else hashlib.sha256(path.encode()).hexdigest()
        accounts, database = state.services.accounts, state.services.database
        keep_for = timedelta(hours=state.services.settings.api.idempotency_hours)
        async with database.write(access.principal) as unit:
            first = await accounts.reserve_answer(unit, path, key, digest, keep_for)
        if first is not None:
            await _replay(send, first)
            return
        recorder = _Recorder(send)
        try:
            await self.app(scope, _chain(seen, receive), recorder)
        finally:
            async with database.write(access.principal) as unit:
                await accounts.keep_answer(unit, path, key, recorder.answer())


async def _read_beginning(scope: Scope, receive: Receive) -> tuple[list[Message], str]:
    digest = hashlib.sha256(Headers(scope=scope).get("content-length", "").encode())
    seen: list[Message] = []
    size = 0
    while size < MAX_KEPT_BYTES:
        message = await receive()
        seen.append(message)
        if message["type"] != "http.request":
            break
        body: bytes = message.get("body", b"")
        digest.update(body[: MAX_KEPT_BYTES - size])
        size += len(body)
        if not message.get("more_body"):
            break
    return seen, digest.hexdigest()


def _chain(seen: list[Message], receive: Receive) -> Receive:
    waiting = list(seen)

    async def next_message() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return next_message


class _Recorder:
    """Passes an answer on and keeps a copy of it, unless it is large, streamed or a server error."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = Headers(raw=message["headers"])
            self._headers = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        elif message["type"] == "http.response.body":
            if len(self._body) <= MAX_KEPT_BYTES:
                self._body += message.get("body", b"")
            self._complete = not message.get("more_body")
        await self._send(message)

    def answer(self) -> FirstAnswer | None:
        """What is worth keeping."""
        streamed = self._headers.get("content-type", "").startswith("text/event-stream")
        keep = self._complete and self._status is not None and self._status < 500 and not streamed
        if not keep or len(self._body) > MAX_KEPT_BYTES or self._status is None:
            return None
        return FirstAnswer(self._status, self._headers, bytes(self._body))


async def _replay(send: Send, first: FirstAnswer) -> None:
    headers: list[tuple[bytes, bytes]] = [(k.encode(), v.encode()) for k, v in first.headers.items()]
    headers += [(b"idempotency-replayed", b"true"), (b"content-length", str(len(first.body)).encode())]
    start: dict[str, Any] = {"type": "http.response.start", "status": first.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": first.body})
