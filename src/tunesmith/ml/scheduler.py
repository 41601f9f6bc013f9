"""The one thread that touches the model: work takes turns on it, a step each, and answers that grow share their steps.

A piece of work is a generator (each ``next`` is one step: a batch of a score, say) or a row that is continued token by token. A long
answer delays a short one by a step and never by its whole length, and work that nobody waits for any more is dropped between two
steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

from tunesmith.ml.batch import Batch
from tunesmith.ml.decode import Row
from tunesmith.ml.serve_http import Refused
from tunesmith.wire.serving import TokenLogprob

END = object()
MakeBatch = Callable[[str | None], Batch]
READ_TOKENS = 512
"""Most tokens, padding included, of prompts that are read together: those who grow wait for no longer than that."""


class Ticket:
    """One piece of work: what it yields comes out on the event loop; ``cancel`` ends it before its next step."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
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


class WorkTicket(Ticket):
    """Work in steps."""

    def __init__(self, start: Callable[[], Iterator[Any]], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.start = start
        self.steps: Iterator[Any] | None = None


class RowTicket(Ticket):
    """A row that is continued with an adapter, or without one; it yields the text that becomes certain, with what is told of its tokens."""

    def __init__(self, row: Row, adapter: str | None, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.row = row
        self.adapter = adapter


class Scheduler:
    """Takes work up to a bound and runs it in turns."""

    def __init__(self, make_batch: MakeBatch, max_active: int = 16, max_waiting: int = 64) -> None:
        self._make_batch = make_batch
        self._max_active = max_active
        self._max_waiting = max_waiting
        self._waiting: deque[Ticket] = deque()
        self._working: list[WorkTicket] = []
        self._growing: list[tuple[Batch, list[RowTicket]]] = []
        self._reads_together = False
        self._wake = threading.Condition()
        threading.Thread(target=self._run, name="model", daemon=True).start()

    @property
    def active(self) -> int:
        """Pieces of work that take turns now."""
        return len(self._working) + sum(len(tickets) for _, tickets in list(self._growing))

    @property
    def waiting(self) -> int:
        """Pieces of work that have not begun."""
        return sum(not ticket.cancelled for ticket in list(self._waiting))

    def submit(self, start: Callable[[], Iterator[Any]]) -> Ticket:
        """Queue a piece of work; raises ``Refused`` (busy) when too much waits already."""
        return self._queue(WorkTicket(start, asyncio.get_running_loop()))

    def submit_row(self, row: Row, adapter: str | None) -> Ticket:
        """Queue a row; raises ``Refused`` (busy) when too much waits already."""
        return self._queue(RowTicket(row, adapter, asyncio.get_running_loop()))

    def _queue(self, ticket: Ticket) -> Ticket:
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
                rows: list[RowTicket] = []
                for ticket in self._admitted():
                    if isinstance(ticket, WorkTicket):
                        self._working.append(ticket)
                    elif isinstance(ticket, RowTicket):
                        rows.append(ticket)
                if rows:
                    self._join(rows)
                for work in list(self._working):
                    if _step(work):
                        self._working.remove(work)
                for batch, tickets in list(self._growing):
                    self._grow(batch, tickets)
                self._growing = [(batch, tickets) for batch, tickets in self._growing if tickets]

    def _admitted(self) -> list[Ticket]:
        """What may begin now; waits while there is nothing to do. One reading of prompts comes before each step of those that grow."""
        with self._wake:
            self._wake.wait_for(lambda: self._working or self._growing or self._waiting)
            taken: list[Ticket] = []
            rows: list[RowTicket] = []
            while self._waiting and self.active + len(taken) < self._max_active:
                ticket = self._waiting[0]
                if isinstance(ticket, RowTicket) and not ticket.cancelled:
                    if rows and not self._fits(ticket, rows):
                        break
                    rows.append(ticket)
                self._waiting.popleft()
                if not ticket.cancelled:
                    taken.append(ticket)
            return taken

    def _fits(self, ticket: RowTicket, rows: list[RowTicket]) -> bool:
        """Whether a prompt may be read together with others."""
        longest = max(len(one.row.prompt_ids) for one in (*rows, ticket))
        return self._reads_together and ticket.adapter == rows[0].adapter and longest * (len(rows) + 1) <= READ_TOKENS

    def _join(self, tickets: list[RowTicket]) -> None:
        adapter = tickets[0].adapter
        fitting = (entry for entry in self._growing if entry[1][0].adapter == adapter and entry[0].accepts_more())
        entry = next(fitting, None) or (self._make_batch(adapter), [])
        batch, growing = entry
        try:
            texts = batch.join([ticket.row for ticket in tickets])
        except Exception as error:  # whatever a model raises ends a row, not the thread
            if len(tickets) > 1 and not any(ticket.row.token_ids for ticket in tickets):
                for ticket in tickets:  # alone each may have enough memory, and one that fails takes no other with it
                    self._join([ticket])
                return
            for ticket in tickets:
                ticket.put(error if isinstance(error, Refused) else explained(error))
            return
        if batch.rows:
            # a property of the model, known once it has remembered something
            self._reads_together = batch.accepts_more()
        if not growing and batch.rows:
            self._growing.append(entry)
        for ticket, text in zip(tickets, texts, strict=True):
            ticket.put((text, _taken(ticket.row)))
            if ticket.row.finish_reason is None:
                growing.append(ticket)
            else:
                ticket.put(END)

    def _grow(self, batch: Batch, tickets: list[RowTicket]) -> None:
        """One token for every row of a batch."""
        gone = [ticket for ticket in tickets if ticket.cancelled]
        try:
            if gone:
                batch.drop([ticket.row for ticket in gone])
                tickets[:] = [ticket for ticket in tickets if not ticket.cancelled or ticket not in gone]
            if not tickets:
                return
            gained = batch.step()
        except Exception as error:  # a failed step has no row's next token: all of them end with it
            for ticket in tickets:
                ticket.put(error if isinstance(error, Refused) else explained(error))
            tickets.clear()
            return
        for ticket, (row, text) in zip(list(tickets), gained, strict=True):
            told = _taken(row)
            if text or told:
                ticket.put((text, told))
            if row.finish_reason is not None:
                ticket.put(END)
                tickets.remove(ticket)


def _taken(row: Row) -> list[TokenLogprob]:
    """What is to be told of the row's new tokens, once."""
    told, row.logprobs = row.logprobs, []
    return told


def _step(ticket: WorkTicket) -> bool:
    """One step; True when the work is over."""
    try:
        if ticket.cancelled:
            close = getattr(ticket.steps, "close", None)
            if close is not None:
                close()
            return True
        if ticket.steps is None:
            ticket.steps = ticket.start()
        output = next(ticket.steps, END)
    except Refused as refused:
        ticket.put(refused)
        return True
    except Exception as error:  # whatever a model raises ends this piece of work, not the thread
        ticket.put(explained(error))
        return True
    if output is not None:
        ticket.put(output)
    return output is END


def explained(error: Exception) -> Refused:
    """What the model raised, in words."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text.lower():
        return Refused("runtime-memory", f"The model ran out of memory while it answered ({text[:300]}).", 503)
    return Refused("runtime-failed", f"The model failed while it answered ({text[:500]}).", 500)
