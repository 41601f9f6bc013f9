"""Copying ``events.jsonl`` into the database: each line once, in the holder's fenced transaction."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import islice

from tunesmith.domains.jobs import repository
from tunesmith.domains.jobs.holder import Holder
from tunesmith.domains.jobs.kinds import JobKind
from tunesmith.domains.jobs.lifecycle import to_view, view_of
from tunesmith.domains.jobs.tables import EventRow, JobRow
from tunesmith.wire.events import CheckpointSaved, Event, Failed, Finished, Progress, event_adapter
from tunesmith.wire.run_dir import RunDirectory

BATCH_LINES = 500
LastWord = Finished | Failed


class Copier:
    """Reads one attempt's events on from where the database is."""

    def __init__(self, holder: Holder, kind: JobKind, run: RunDirectory, attempt: int) -> None:
        self._holder = holder
        self._kind = kind
        self._run = run
        self._attempt = attempt
        self._offset: int | None = None
        self.last_word: LastWord | None = None

    async def copy(self) -> None:
        """Copy all whole lines that are there. Raises LeaseLost."""
        if self._offset is None:
            await self._find_place()
        while await self._copy_batch():
            pass

    async def _find_place(self) -> None:
        job_id = self._holder.job.id
        async with self._holder.database.read(self._holder.principal) as unit:
            self._offset = await repository.get_read_offset(unit.session, job_id, self._attempt)
            row = await repository.find_last_word(unit.session, job_id, self._attempt)
        if row is not None:
            word = event_adapter.validate_python(row.payload | {"type": row.type})
            self.last_word = word if isinstance(word, Finished | Failed) else None

    async def _copy_batch(self) -> bool:
        offset = self._offset or 0
        lines = await asyncio.to_thread(lambda: list(islice(self._run.read_events(offset), BATCH_LINES)))
        if not lines:
            return False
        events = [(end, event) for end, event, _raw in lines if event is not None]
        if events:
            async with self._holder.held() as (unit, row):
                stored = [self._to_row(end, event) for end, event in events]
                unit.session.add_all(stored)
                await unit.session.flush()
                after = (await view_of(unit, row)).after
                for (_end, event), event_row in zip(events, stored, strict=True):
                    _apply(row, event)
                    if self._kind.on_event is not None:
                        await self._kind.on_event(unit, to_view(row, after), event_row.id, event)
                await self._holder.lifecycle.tell_kind(unit, row)
        self._offset = lines[-1][0]
        for _end, event in events:
            if self.last_word is None and isinstance(event, Finished | Failed):
                self.last_word = event
        return len(lines) == BATCH_LINES

    def _to_row(self, end: int, event: Event) -> EventRow:
        return EventRow(
            job_id=self._holder.job.id,
            attempt=self._attempt,
            byte_offset=end,
            type=event.type,
            payload=event.model_dump(mode="json", exclude={"type", "at"}, exclude_none=True),
            at=datetime.fromtimestamp(event.at, UTC),
        )


def _apply(row: JobRow, event: Event) -> None:
    """What an event changes in the job's own row."""
    if isinstance(event, Progress):
        set_progress(row, event.step, event.total_steps, event.message)
        row.eta_seconds = event.eta_seconds
    elif isinstance(event, CheckpointSaved) and event.step > (row.last_checkpoint_step or -1):
        row.last_checkpoint_step = event.step
        row.starts_without_checkpoint = 0


def set_progress(row: JobRow, step: int, total_steps: int | None, message: str | None) -> None:
    """Note how far the job is."""
    row.step = step
    row.total_steps = total_steps or row.total_steps
    row.message = message or row.message
    if row.total_steps:
        row.progress = min(1.0, max(0.0, step / row.total_steps))
