"""A pass over a file, in a thread, watched: progress is told, and a cancelled job ends it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from tunesmith.domains.datasets.derivation.parent import Passed
from tunesmith.domains.jobs import JobContext

LOOK_EVERY_SECONDS = 0.1
T = TypeVar("T")


class Pass(Protocol):
    """Work that says how far it is, and ends early when ``stop`` is set."""

    @property
    def passed(self) -> Passed:
        """What has been read."""
        ...

    @property
    def stop(self) -> threading.Event:
        """Set to end it."""
        ...


async def run_pass(context: JobContext, work: Pass, function: Callable[[], T], size_bytes: int) -> T:
    """Run ``function``, which is the pass of ``work`` over ``size_bytes``. Raises Cancelled, after the thread has ended."""
    thread = asyncio.create_task(context.in_thread(function))
    try:
        while not (await asyncio.wait((thread,), timeout=LOOK_EVERY_SECONDS))[0]:
            context.check()
            percent = min(99, 100 * work.passed.bytes_read // max(1, size_bytes))
            await context.progress(percent, 100, f"{work.passed.rows:,} rows read")
    finally:
        work.stop.set()
        await asyncio.shield(asyncio.wait((thread,)))
    return await thread
