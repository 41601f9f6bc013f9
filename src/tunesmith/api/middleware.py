"""What wraps every request: an id and a log line, and the checks that keep local mode local."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.api.errors import render
from tunesmith.kit import logs
from tunesmith.kit.errors import Forbidden
from tunesmith.kit.ids import new_request_id

log = logging.getLogger("tunesmith.access")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_REQUEST_ID = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")
_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "frame-ancestors 'none'; base-uri 'self'",
}

_RAW_SECURITY_HEADERS = [(name.encode(), value.encode()) for name, value in _SECURITY_HEADERS.items()]


class RequestContext:
    """Gives each request an id, logs its end (never its query string), and sets the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else new_request_id()
        token = logs.request_id.set(request_id)
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}
                added = [pair for pair in _RAW_SECURITY_HEADERS if pair[0] not in given]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *added]
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            took_ms = round((time.perf_counter() - started) * 1000, 1)
            level = logging.DEBUG if scope["path"] in ("/health", "/ready", "/metrics") else logging.INFO
            fields = {"method": scope["method"], "path": scope["path"], "status": status, "took_ms": took_ms}
            log.log(level, "request", extra=fields)
            logs.request_id.reset(token)


class LocalOnly:
    """Refuses what a page on another site could make a browser send: foreign Host (DNS rebinding) and foreign Origin."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        self.app = app
        self._hosts = LOOPBACK | {h.lower() for h in hosts}
        self._origins = {o.rstrip("/").lower() for o in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._host_problem(headers.get("host", "")) or self._origin_problem(headers)
        if problem is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403})
        else:
            response = render(problem.problem(logs.request_id.get()), scope["path"])
            await response(scope, receive, send)

    def _host_problem(self, host: str) -> Forbidden | None:
        name = _host_name(host)
        if name in self._hosts:
            return None
        return Forbidden(
            f"The Host header {host[:100]!r} is not this machine.",
            hint="Open http://127.0.0.1 with the port shown at the start, or add the name to TUNESMITH_API__ALLOWED_HOSTS.",
        )

    def _origin_problem(self, headers: Headers) -> Forbidden | None:
        origin = headers.get("origin")
        if origin is None:
            if headers.get("sec-fetch-site", "none") in ("none", "same-origin", "same-site"):
                return None
            if headers.get("sec-fetch-mode") == "navigate":
                return None  # a link somewhere else leads here; it only reads
            origin = "null"
        if origin.rstrip("/").lower() in self._origins:
            return None
        if origin.startswith("http") and _netloc(origin) == headers.get("host", "").lower():
            return None
        return Forbidden(
            f"The page at {origin[:100]!r} may not call this server.",
            hint="Use the page under /app/, or add the origin to TUNESMITH_API__CORS_ORIGINS.",
        )


def _netloc(origin: str) -> str | None:
    """Host and port of an origin; None where it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].split("]", 1)[0].lower()
    return host.rsplit(":", 1)[0].lower() if host.count(":") == 1 else host.lower()
