"""Every error leaves as problem+json (RFC 9457), or in OpenAI's shape under ``/v1``. Nobody sees a traceback."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from tunesmith.kit import logs
from tunesmith.kit.errors import InvalidInput, OutOfSpace, TunesmithError, Unavailable

log = logging.getLogger(__name__)

_HTTP = {
    400: ("bad-request", "The request cannot be read", "Check that the body is valid and matches its content type."),
    404: ("not-found", "There is nothing at this address", "GET /openapi.json lists every address."),
    405: ("method-not-allowed", "This address does not take this method", "The Allow header names those it takes."),
}
_DISK_FULL = 28  # errno.ENOSPC


class _Document(JSONResponse):
    """JSON that can also repeat what was given where that is no text (half of a surrogate pair)."""

    def render(self, content: Any) -> bytes:
        """The bytes of the answer."""
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )


def render(problem: dict[str, Any], path: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem document as an answer; OpenAI clients get the shape that they know."""
    status = int(problem["status"])
    if path.startswith("/v1/"):
        kind = "invalid_request_error" if status < 500 else "server_error"
        message = f"{problem['detail']} {problem['hint']}".strip()
        first = (problem.get("errors") or [{}])[0]
        error = {"message": message, "type": kind, "code": problem["code"], "param": first.get("location")}
        return _Document({"error": error}, status_code=status, headers=headers)
    return _Document(problem, status_code=status, media_type="application/problem+json", headers=headers)


_SECRET = ("token", "secret", "password")


def _located(error: RequestValidationError) -> InvalidInput:
    faults = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        value = fault.get("input")
        if any(word in str(fault["loc"][-1:]).lower() for word in _SECRET):
            value = "…"  # a secret is not said back
        shown = value if isinstance(value, str | int | float | bool) or value is None else type(value).__name__
        faults.append({"location": place, "message": fault["msg"], "value": _short(shown)})
    summary = "; ".join(f"{f['location']}: {f['message']}" for f in faults[:3])
    return InvalidInput(summary or "The request is not valid.", errors=faults)


def _short(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value[:200] if isinstance(value, str) else value


def install(app: FastAPI) -> None:
    """Register the handlers."""

    @app.exception_handler(TunesmithError)
    async def _ours(request: Request, error: TunesmithError) -> JSONResponse:
        if error.status >= 500:
            log.error("request failed", exc_info=error)
        after = error.retry_after_seconds
        headers = None if after is None else {"retry-after": str(after)}
        return render(error.problem(logs.request_id.get()), request.url.path, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return render(_located(error).problem(logs.request_id.get()), request.url.path)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        code, title, hint = _HTTP.get(error.status_code, ("http", "The request was refused", "Check the request."))
        problem = {
            "type": code,
            "title": title,
            "status": error.status_code,
            "detail": str(error.detail),
            "hint": hint,
            "code": code,
            "instance": logs.request_id.get(),
        }
        return render(problem, request.url.path, dict(error.headers or {}))

    @app.exception_handler(OSError)
    async def _disk(request: Request, error: OSError) -> JSONResponse:
        if error.errno == _DISK_FULL:
            return render(OutOfSpace("There is no space left.").problem(logs.request_id.get()), request.url.path)
        return _unexpected(request, error)

    @app.exception_handler(OperationalError)
    async def _database(request: Request, error: OperationalError) -> JSONResponse:
        log.error("database failed", exc_info=error)
        if "disk is full" in str(error.orig):
            return render(OutOfSpace("There is no space left.").problem(logs.request_id.get()), request.url.path)
        away = Unavailable("The database does not answer.", hint="Try again; look at /ready when it lasts.")
        return render(away.problem(logs.request_id.get()), request.url.path)

    @app.exception_handler(Exception)
    async def _last(request: Request, error: Exception) -> JSONResponse:
        return _unexpected(request, error)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    problem = TunesmithError("An unexpected error happened; the server log has it under the request id.")
    return render(problem.problem(logs.request_id.get()), request.url.path)
