"""Following a job's events as they come: a look at the database four times a second, no transaction in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from typing import Any

from tunesmith.db import Access
from tunesmith.domains.jobs.schemas import JobEventView
from tunesmith.domains.jobs.service import JobService

LOOK_SECONDS = 0.25
KEEP_ALIVE_SECONDS = 15.0
BATCH_EVENTS = 500


async def look(
    jobs: JobService, access: Access, job_id: int, after_offset: int, types: Collection[str] | None = None
) -> tuple[list[JobEventView], bool]:
    """The next events, and whether they are the last: the job has ended and there are no more. Raises JobNotFound."""
    async with access.read() as unit:
        view = await jobs.get(unit, job_id)  # before the events: the move to a final state comes with its event
        events = await jobs.list_events(unit, job_id, after_offset=after_offset, types=types, limit=BATCH_EVENTS)
    return events, view.is_final and len(events) < BATCH_EVENTS


async def follow(
    jobs: JobService, access: Access, job_id: int, after_offset: int, types: Collection[str] | None = None
) -> AsyncIterator[list[JobEventView] | None]:
    """Batches of events until the job has ended; None now and then while nothing happens, to keep the line alive."""
    quiet_since = time.monotonic()
    while True:
        events, is_last = await look(jobs, access, job_id, after_offset, types)
        if events:
            after_offset = events[-1].offset
            quiet_since = time.monotonic()
            yield events
        if is_last:
            return
        if time.monotonic() - quiet_since > KEEP_ALIVE_SECONDS:
            quiet_since = time.monotonic()
            yield None
        if len(events) < BATCH_EVENTS:
            await asyncio.sleep(LOOK_SECONDS)


def border(event: JobEventView) -> dict[str, Any]:
    """The event as the child wrote it, with where it stands: what streams and sockets send."""
    place = {"type": event.type, "at": event.at.timestamp(), "offset": event.offset, "attempt": event.attempt}
    return {**event.payload, **place}
