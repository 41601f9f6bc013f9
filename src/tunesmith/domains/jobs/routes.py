"""Jobs over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response, WebSocket

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs.follow import border, follow, look
from tunesmith.domains.jobs.schemas import (
    JobListResponse,
    JobLogsResponse,
    JobPriority,
    JobResultResponse,
    JobState,
    JobView,
)
from tunesmith.domains.jobs.service import JobService
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    ID_MAX,
    allow,
    event_stream,
    paging,
    problem_responses,
    provide,
    reading,
    refuse,
    watching,
    writing,
)

router = APIRouter(prefix="/api/v1/admin/jobs", tags=["jobs"])

live = APIRouter(prefix="/api/v1/ws/jobs", tags=["live"])

Reads = Annotated[Unit, reading(Permission.READ)]
Writes = Annotated[Unit, writing(Permission.TRAIN)]
Watches = Annotated[Access, allow(Permission.READ)]
Jobs = Annotated[JobService, provide(JobService)]
LiveAccess = Annotated[Access | TunesmithError, watching(Permission.READ)]
JobId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the job.")]

STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events; `id` is the offset to resume from."},
    204: {"description": "The job has ended and there is nothing after that offset; a browser stops asking."},
}


@router.get("", responses=problem_responses(422))
async def list_jobs(
    unit: Reads,
    jobs: Jobs,
    page: Annotated[PageRequest, paging()],
    kind: Annotated[str | None, Query(max_length=50, description="Only jobs of this kind.")] = None,
    state: Annotated[
        list[JobState] | None, Query(description="Only jobs in this state; repeated: in one of these.")
    ] = None,
    graph_id: Annotated[int | None, Query(ge=1, le=ID_MAX, description="Only jobs of this graph.")] = None,
    search: Annotated[str | None, Query(max_length=200, description="Only jobs with this in their name.")] = None,
) -> JobListResponse:
    """List jobs, newest first; those that could start now have their place in the queue."""
    return await jobs.list_jobs(unit, page, kind=kind, states=state or (), graph_id=graph_id, search=search)


@router.get("/{job_id}", responses=problem_responses(404, 422))
async def get_job(unit: Reads, jobs: Jobs, job_id: JobId) -> JobView:
    """Get one job."""
    return await jobs.get(unit, job_id)


@router.get("/{job_id}/logs", responses=problem_responses(404, 422))
async def get_job_logs(
    unit: Reads,
    jobs: Jobs,
    job_id: JobId,
    tail: Annotated[int, Query(ge=1, le=10_000, description="How many of the newest lines.")] = 200,
    after: Annotated[
        int | None, Query(ge=0, le=ID_MAX, description="Instead of the newest: the lines after this offset.")
    ] = None,
    before: Annotated[
        int | None, Query(ge=0, le=ID_MAX, description="Only lines before this offset, to page backwards.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="At most this many lines after `after`.")] = 1000,
) -> JobLogsResponse:
    """Read the log of a job: the newest lines, those after an offset, or those between two."""
    if after is not None:
        return await jobs.list_logs(unit, job_id, after_offset=after, before_offset=before, limit=limit)
    return await jobs.list_logs(unit, job_id, tail=tail, before_offset=before)


@router.get("/{job_id}/events", response_class=Response, responses={**STREAM, **problem_responses(404, 422)})
async def stream_job_events(
    access: Watches,
    jobs: Jobs,
    job_id: JobId,
    from_: Annotated[int, Query(alias="from", ge=0, le=ID_MAX, description="Events after this offset.")] = 0,
    last_event_id: Annotated[
        int | None, Header(ge=0, le=ID_MAX, description="Sent by browsers that reconnect; wins over `from`.")
    ] = None,
) -> Response:
    """Stream what happens to a job as server-sent events, until it has ended.

    `event` is the type (`state`, `progress`, `metric`, `log`, `checkpoint`, `sample`, `finished`, `failed`), `id` the offset,
    `data` the event as the child wrote it, with `offset` and `attempt`.
    After a break the stream goes on behind `Last-Event-ID`, without gaps or repeats.
    """
    offset = last_event_id if last_event_id is not None else from_
    events, is_last = await look(jobs, access, job_id, offset)
    if is_last and not events:
        return Response(status_code=204)
    return event_stream(_batches(jobs, access, job_id, offset))


async def _batches(
    jobs: JobService, access: Access, job_id: int, offset: int
) -> AsyncIterator[list[tuple[int, str, dict[str, Any]]] | None]:
    async for events in follow(jobs, access, job_id, offset):
        yield None if events is None else [(event.offset, event.type, border(event)) for event in events]


@router.get("/{job_id}/result", responses=problem_responses(404, 409, 422))
async def get_job_result(unit: Reads, jobs: Jobs, job_id: JobId) -> JobResultResponse:
    """Get what came of a job; 409 while it has not succeeded."""
    return await jobs.result(unit, job_id)


@router.patch("/{job_id}", responses=problem_responses(404, 409, 422))
async def set_job_priority(unit: Writes, jobs: Jobs, job_id: JobId, body: JobPriority) -> JobView:
    """Move a job that has not started forward or back in the queue, with the unstarted jobs of its graph."""
    return await jobs.set_priority(unit, job_id, body.priority)


@router.post("/{job_id}/cancel", responses=problem_responses(404, 409, 422))
async def cancel_job(unit: Writes, jobs: Jobs, job_id: JobId) -> JobView:
    """Cancel a job: it ends and its checkpoints are discarded. Jobs that wait for it are cancelled too."""
    return await jobs.cancel(unit, job_id)


@router.post("/{job_id}/retry", responses=problem_responses(404, 409, 422))
async def retry_job(unit: Writes, jobs: Jobs, job_id: JobId) -> JobView:
    """Run a job again under the same id. Jobs that failed because of it follow by themselves."""
    return await jobs.retry(unit, job_id)


@live.websocket("/{job_id}")
async def watch_job(
    websocket: WebSocket,
    jobs: Jobs,
    access: LiveAccess,
    job_id: JobId,
    from_: Annotated[int, Query(alias="from", ge=0, le=ID_MAX, description="Events after this offset.")] = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=ID_MAX)] = None,
) -> None:
    """The events of `GET /jobs/{id}/events` as JSON messages, until the job has ended; then closed with 1000.

    After a break connect again with `?from=` and the last `offset`: nothing is lost or repeated.
    """
    offset = last_event_id if last_event_id is not None else from_
    try:
        if isinstance(access, TunesmithError):
            raise access
        await look(jobs, access, job_id, offset)
    except TunesmithError as error:
        await refuse(websocket, error)
        return
    await websocket.accept()
    sending = asyncio.create_task(_send(websocket, jobs, access, job_id, offset))
    leaving = asyncio.create_task(_hear(websocket))
    await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    for task in (sending, leaving):
        task.cancel()
    await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send(websocket: WebSocket, jobs: JobService, access: Access, job_id: int, offset: int) -> None:
    async for events in follow(jobs, access, job_id, offset):
        for event in events or ():
            await websocket.send_text(json.dumps(border(event), ensure_ascii=False))
    await websocket.close(1000, "the job has ended")


async def _hear(websocket: WebSocket) -> None:
    """Read until the other side leaves; what it says means nothing."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        continue
