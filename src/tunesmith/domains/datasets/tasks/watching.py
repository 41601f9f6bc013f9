"""Long work in a thread that tells how far it is, and ends when its job is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tunesmith.domains.jobs import JobContext

T = TypeVar("T")
LOOK_EVERY_SECONDS = 0.2


class _Ended(Exception):
    """The job has ended; the thread does not go on."""


class Watch:
    """What the thread reports, and the job's task reads."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes_read = 0
        self.is_ended = False

    def look(self, rows: int, bytes_read: int) -> None:
        """Report rows and bytes that have been read; raises when the job has ended."""
        self.rows, self.bytes_read = rows, bytes_read
        self.check()

    def check(self) -> None:
        """Raise when the job has ended."""
        if self.is_ended:
            raise _Ended


async def in_watched_thread(
    context: JobContext, work: Callable[[Watch], T], size_bytes: int, words: str = "{rows:,} rows read"
) -> T:
    """The answer of ``work``, which calls ``look`` often; raises Cancelled as soon as the thread has noticed."""
    watch = Watch()
    thread = asyncio.create_task(context.in_thread(work, watch))
    try:
        while not (await asyncio.wait((thread,), timeout=LOOK_EVERY_SECONDS))[0]:
            context.check()
            percent = min(99, 100 * watch.bytes_read // max(1, size_bytes))
            await context.progress(percent, 100, words.format(rows=watch.rows))
    finally:
        watch.is_ended = True
        await asyncio.shield(asyncio.wait((thread,)))
    return await thread
