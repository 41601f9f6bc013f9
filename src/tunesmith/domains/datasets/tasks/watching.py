"""Work in a thread that tells how far it is, and ends when its job is cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tunesmith.domains.datasets.derivation.parent import Passed
from tunesmith.domains.datasets.tasks.passes import run_pass
from tunesmith.domains.jobs import JobContext

T = TypeVar("T")


class _Ended(Exception):
    """The job has ended; the thread does not go on."""


@dataclass
class Watch:
    """What a thread reports to its job, and learns from it."""

    passed: Passed = field(default_factory=Passed)
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self, rows: int, bytes_read: int) -> None:
        """Report rows and bytes that have been read; raises when the job has ended."""
        self.passed.rows, self.passed.bytes_read = rows, bytes_read
        self.check()

    def check(self) -> None:
        """Raise when the job has ended."""
        if self.stop.is_set():
            raise _Ended


async def run_watched(context: JobContext, work: Callable[[Watch], T], size_bytes: int) -> T:
    """The answer of ``work``, which calls ``look`` often; raises Cancelled as soon as the thread has noticed."""
    watch = Watch()
    return await run_pass(context, watch, lambda: work(watch), size_bytes)
