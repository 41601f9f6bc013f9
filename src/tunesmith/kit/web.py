"""What routes need from the web framework: permissions, units of work, services, paging, problem documents.

The API puts two things on ``app.state``: ``authorize`` (request, permission → ``tunesmith.db.Access``) and ``services``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Query, Request, Response, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import Receive, Scope, Send

from tunesmith.kit import logs
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission

ID_MAX = 2**31 - 1
"""Largest id that both databases keep."""

Wait = Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the result before 202.")]
"""The parameter of routes that start a job and answer with its result."""


class ProblemDetail(BaseModel):
    """An error as RFC 9457 problem+json."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(description="Stable slug of the error.", examples=["dataset-not-found"])
    title: str = Field(description="What kind of error it is.")
    status: int = Field(description="HTTP status.")
    detail: str = Field(description="What was wrong, in words a person can act on.")
    hint: str = Field(description="What to do.")
    code: str = Field(description="The same slug as `type`.")
    instance: str | None = Field(None, description="Request id.")
    errors: list[dict[str, Any]] = Field(
        default_factory=list, description="Located faults: {location, message, value}."
    )


class Accepted(BaseModel):
    """The work goes on; its result will be at ``links.result``."""

    job_id: int = Field(description="Job that does the work.")
    status: str = Field(description="State of the job now.")
    links: dict[str, str] = Field(description="Where to look: self, events, result.")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route: the error statuses it can answer with."""
    return {
        status: {"model": ProblemDetail, "content": {"application/problem+json": {}}, "description": "Problem"}
        for status in statuses
    }


def accepted(job_id: int, state: str) -> JSONResponse:
    """202: the work goes on as a job."""
    base = f"/api/v1/admin/jobs/{job_id}"
    links = {"self": base, "events": f"{base}/events", "result": f"{base}/result"}
    return JSONResponse({"job_id": job_id, "status": state, "links": links}, status_code=202)


class Started(Protocol):
    """Work that has just been queued."""

    id: int
    state: Any


class Ended(Protocol):
    """Work that has ended, well or badly."""

    def result_or_raise(self) -> dict[str, Any]:
        """Its result, or the error that it ended with."""
        ...


class Awaiting(Protocol):
    """Who knows when work has ended."""

    async def answer(self, access: Any, job_id: int, wait_seconds: float) -> Ended | None:
        """The work, if it ends in time."""
        ...


async def result_or_accepted(
    jobs: Awaiting, access: Any, job: Started, wait_seconds: float
) -> dict[str, Any] | JSONResponse:
    """The result of ``job`` when it ends within ``wait_seconds``, else 202; raises what the job failed with."""
    ended = await jobs.answer(access, job.id, wait_seconds)
    return accepted(job.id, job.state) if ended is None else ended.result_or_raise()


class EventStream(StreamingResponse):
    """A stream of server-sent events that lets go of its sources as soon as it ends, however it ends."""

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[bytes], *behind: AsyncGenerator[Any]) -> None:
        super().__init__(source, headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        self._sources = (source, *behind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is left to tell
        finally:
            for source in self._sources:  # one that nobody began to read closes nothing behind it
                await source.aclose()


Event = TypeVar("Event")
Result = TypeVar("Result")


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result | None:
    """``work``'s result; cancels it, and answers None, when the client goes away first. The body must have been read."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        pending = [one for one in (task, gone) if not one.done()]
        for one in pending:
            one.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def answer_or_stream(
    request: Request,
    events: AsyncGenerator[Event],
    *,
    stream: bool,
    lines: Callable[[Event, AsyncGenerator[Event]], AsyncGenerator[bytes]],
    answer: Callable[[Event], Any | None],
) -> Any:
    """The response of a call that is answered piece by piece: the stream, or the ``answer`` that the last event holds.

    What is refused is refused with a status, since a stream begins with its first event at hand. When the client goes away, the
    events are closed.
    """
    if stream:
        first = await anext(events)
        return EventStream(lines(first, events), events)
    async with contextlib.aclosing(events):
        async for event in events:
            if (whole := answer(event)) is not None:
                return whole
            if await request.is_disconnected():
                break
    return Response(status_code=499)


def event_stream(events: AsyncIterator[list[tuple[int, str, dict[str, Any]]] | None]) -> StreamingResponse:
    """Server-sent events of batches of (offset, type, payload); None keeps the line alive."""

    async def lines() -> AsyncIterator[bytes]:
        async for batch in events:
            if batch is None:
                yield format_sse_event(comment="keep-alive")
            for offset, kind, payload in batch or ():
                yield format_sse_event(data_str=json.dumps(payload, ensure_ascii=False), event=kind, id=str(offset))

    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(lines(), media_type="text/event-stream", headers=headers)


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """The request's body piece by piece; raises ConnectionAbortedError when the client goes away."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise ConnectionAbortedError("the client went away") from None


def _marked(function: Callable[..., Any], permission: Permission | None) -> Callable[..., Any]:
    function.permission = permission  # type: ignore[attr-defined]  # read by the route inventory test
    return function


def allow(permission: Permission) -> Any:
    """Dependency: an ``Access`` of somebody who has ``permission``; no transaction is open."""

    async def dependency(request: Request) -> Any:
        return await request.app.state.authorize(request, permission)

    return Depends(_marked(dependency, permission))


def watching(permission: Permission = Permission.READ) -> Any:
    """Dependency of a WebSocket: an ``Access`` of somebody who has ``permission``, or the error that refuses it.

    The origin was checked before: the middleware closes what comes from another site.
    """

    async def dependency(websocket: WebSocket) -> Any:
        try:
            return await websocket.app.state.authorize(websocket, permission)
        except TunesmithError as error:
            return error

    return Depends(_marked(dependency, permission))


async def refuse(websocket: WebSocket, error: TunesmithError) -> None:
    """Answer the handshake with the problem, as a GET would be."""
    document = error.problem(logs.request_id.get())
    response = JSONResponse(document, status_code=error.status, media_type="application/problem+json")
    await websocket.send_denial_response(response)


def public() -> Any:
    """Dependency: nobody has to sign in for this (liveness and the like)."""

    async def dependency() -> None:
        return None

    return Depends(_marked(dependency, None))


def reading(permission: Permission = Permission.READ) -> Any:
    """Dependency: a unit that only reads, open for this request."""

    async def dependency(request: Request) -> AsyncIterator[Any]:
        access = await request.app.state.authorize(request, permission)
        async with access.read() as unit:
            yield unit

    return Depends(_marked(dependency, permission), scope="function")


def writing(permission: Permission) -> Any:
    """Dependency: a unit that is committed, with its audit row, before the answer is sent."""

    async def dependency(request: Request) -> AsyncIterator[Any]:
        access = await request.app.state.authorize(request, permission)
        async with access.write() as unit:
            yield unit

    return Depends(_marked(dependency, permission), scope="function")


def provide(service: type[Any]) -> Any:
    """Dependency: the service of that class, as bootstrap built it."""

    async def dependency(connection: HTTPConnection) -> Any:  # a plain function would be called in a thread
        return connection.app.state.services.by_type(service)

    return Depends(dependency)


def paging() -> Any:
    """Dependency: ``page`` and ``page_size`` (at most 200)."""

    async def dependency(
        page: Annotated[int, Query(ge=1, le=1_000_000, description="Page number, from 1.")] = 1,
        page_size: Annotated[int, Query(ge=1, le=200, description="Rows per page.")] = 50,
    ) -> PageRequest:
        return PageRequest(page, page_size)

    return Depends(dependency)
