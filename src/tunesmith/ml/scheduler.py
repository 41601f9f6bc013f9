"""The one thread that touches the model: many pieces of work take turns on it, a step each.

A piece of work is a generator: each ``next`` is one step (one token for a stream, one batch for a score), so a long answer delays a
short one by a step and never by its whole length, and work that nobody waits for any more is dropped between two steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

from tunesmith.ml.serve_http import Refused

END = object()


class Ticket:
    """One piece of work: what it yields comes out on the event loop; ``cancel`` ends it before its next step."""

    def __init__(self, start: Callable[[], Iterator[Any]], loop: asyncio.AbstractEventLoop) -> None:
        self.start = start
        self.steps: Iterator[Any] | None = None
        self.cancelled = False
        self._loop = loop
        self._outputs: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, output: Any) -> None:
        """Hand ``output`` to whoever waits; called on the model's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is leaving
            self._loop.call_soon_threadsafe(self._outputs.put_nowait, output)

    def cancel(self) -> None:
        """Nobody waits for this any more."""
        self.cancelled = True

    async def outputs(self) -> AsyncGenerator[Any]:
        """What the work yields, until its end; raises what it raised."""
        try:
            while (output := await self._outputs.get()) is not END:
                if isinstance(output, BaseException):
                    raise output
                yield output
        finally:
            self.cancel()


class Scheduler:
    """Takes work up to a bound and runs it in turns."""

    def __init__(self, max_active: int = 8, max_waiting: int = 64) -> None:
        self._max_active = max_active
        self._max_waiting = max_waiting
        self._waiting: deque[Ticket] = deque()
        self._active: list[Ticket] = []
        self._wake = threading.Condition()
        threading.Thread(target=self._run, name="model", daemon=True).start()

    @property
    def active(self) -> int:
        """Pieces of work that take turns now."""
        return len(self._active)

    @property
    def waiting(self) -> int:
        """Pieces of work that have not begun."""
        return sum(not ticket.cancelled for ticket in list(self._waiting))

    def submit(self, start: Callable[[], Iterator[Any]]) -> Ticket:
        """Queue a piece of work; raises ``Refused`` (busy) when too much waits already."""
        ticket = Ticket(start, asyncio.get_running_loop())
        with self._wake:
            if self.waiting >= self._max_waiting:
                raise Refused("busy", f"{self._max_waiting} requests wait for this model already.", 503)
            self._waiting.append(ticket)
            self._wake.notify()
        return ticket

    def _run(self) -> None:
        import torch

        with torch.inference_mode():
            while True:
                with self._wake:
                    self._wake.wait_for(lambda: self._active or self._waiting)
                    while self._waiting and len(self._active) < self._max_active:
                        self._active.append(self._waiting.popleft())
                for ticket in list(self._active):
                    if self._step(ticket):
                        self._active.remove(ticket)

    def _step(self, ticket: Ticket) -> bool:
        """One step; True when the work is over."""
        try:
            if ticket.cancelled:
                _close(ticket)
                return True
            if ticket.steps is None:
                ticket.steps = ticket.start()
            output = next(ticket.steps, END)
        except Refused as refused:
            ticket.put(refused)
            return True
        except Exception as error:  # whatever a model raises ends this piece of work, not the thread
            ticket.put(_explained(error))
            return True
        if output is not None:
            ticket.put(output)
        return output is END


def _close(ticket: Ticket) -> None:
    close = getattr(ticket.steps, "close", None)
    if close is not None:
        close()


def _explained(error: Exception) -> Refused:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text.lower():
        return Refused("runtime-memory", f"The model ran out of memory while it answered ({text[:300]}).", 503)
    return Refused("runtime-failed", f"The model failed while it answered ({text[:500]}).", 500)
