"""Jobs over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs.follow import follow, look
from tunesmith.domains.jobs.schemas import JobListResponse, JobLogsResponse, JobResultResponse, JobState, JobView
from tunesmith.domains.jobs.service import JobService
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import ID_MAX, allow, paging, problem_responses, provide, reading, writing

router = APIRouter(prefix="/api/v1/admin/jobs", tags=["jobs"])

Reads = Annotated[Unit, reading(Permission.READ)]
Writes = Annotated[Unit, writing(Permission.TRAIN)]
Watches = Annotated[Access, allow(Permission.READ)]
Jobs = Annotated[JobService, provide(JobService)]
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
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    graph_id: Annotated[int | None, Query(ge=1, le=ID_MAX, description="Only jobs of this graph.")] = None,
) -> JobListResponse:
    """List jobs, newest first."""
    return await jobs.list_jobs(unit, page, kind=kind, state=state, graph_id=graph_id)


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
    limit: Annotated[int, Query(ge=1, le=10_000, description="At most this many lines after `after`.")] = 1000,
) -> JobLogsResponse:
    """Read the log of a job: the newest lines, or those after an offset."""
    if after is not None:
        return await jobs.list_logs(unit, job_id, after_offset=after, limit=limit)
    return await jobs.list_logs(unit, job_id, tail=tail)


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
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(_lines(jobs, access, job_id, offset), media_type="text/event-stream", headers=headers)


async def _lines(jobs: JobService, access: Access, job_id: int, offset: int) -> AsyncIterator[bytes]:
    async for events in follow(jobs, access, job_id, offset):
        if events is None:
            yield format_sse_event(comment="keep-alive")
        for event in events or ():
            border = {"type": event.type, "at": event.at.timestamp(), "offset": event.offset, "attempt": event.attempt}
            data = {**event.payload, **border}
            yield format_sse_event(
                data_str=json.dumps(data, ensure_ascii=False), event=event.type, id=str(event.offset)
            )


@router.get("/{job_id}/result", responses=problem_responses(404, 409, 422))
async def get_job_result(unit: Reads, jobs: Jobs, job_id: JobId) -> JobResultResponse:
    """Get what came of a job; 409 while it has not succeeded."""
    return await jobs.result(unit, job_id)


@router.post("/{job_id}/cancel", responses=problem_responses(404, 409, 422))
async def cancel_job(unit: Writes, jobs: Jobs, job_id: JobId) -> JobView:
    """Cancel a job: it ends and its checkpoints are discarded. Jobs that wait for it are cancelled too."""
    return await jobs.cancel(unit, job_id)


@router.post("/{job_id}/retry", responses=problem_responses(404, 409, 422))
async def retry_job(unit: Writes, jobs: Jobs, job_id: JobId) -> JobView:
    """Run a job again under the same id. Jobs that failed because of it follow by themselves."""
    return await jobs.retry(unit, job_id)
