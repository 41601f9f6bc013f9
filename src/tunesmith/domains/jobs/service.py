"""Rules of jobs for everybody but their holder: start, look, wait, end, start again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from tunesmith.db import Access, Database, Unit
from tunesmith.domains.jobs import queue, repository
from tunesmith.domains.jobs.errors import JobNotFound, JobStateConflict, ResumeImpossible
from tunesmith.domains.jobs.graphs import in_order
from tunesmith.domains.jobs.kinds import GraphNode, JobKind, Kinds
from tunesmith.domains.jobs.lifecycle import PROPAGATED, Lifecycle, dump_spec, to_view, view_of
from tunesmith.domains.jobs.schemas import (
    JobEventView,
    JobListResponse,
    JobLogsResponse,
    JobResultResponse,
    JobState,
    JobView,
    LogLineView,
)
from tunesmith.domains.jobs.state import Move, advance, can_move
from tunesmith.domains.jobs.tables import DependencyRow, EventRow, JobRow
from tunesmith.domains.projects import ProjectService
from tunesmith.kit.clock import utc_now
from tunesmith.kit.ids import display_name
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Principal
from tunesmith.settings import Settings

ENDED = (JobState.STOPPED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
FIRST_LOOK_SECONDS = 0.02
SLOWEST_LOOK_SECONDS = 0.25


class JobService:
    """Jobs of all kinds. Kinds are registered by bootstrap; a process that runs no jobs registers them too, to check specs."""

    def __init__(self, *, settings: Settings, database: Database, projects: ProjectService) -> None:
        self.settings = settings
        self.database = database
        self.projects = projects
        self.kinds = Kinds()
        self.lifecycle = Lifecycle(self.kinds)

    def register(self, kind: JobKind) -> None:
        """Make a kind of job known."""
        self.kinds.register(kind)

    async def submit(
        self,
        unit: Unit,
        kind: str,
        spec: BaseModel | dict[str, Any],
        *,
        name: str,
        priority: int = 0,
        start_after: datetime | None = None,
    ) -> JobView:
        """Put one job in the queue. Raises JobKindUnknown, and InvalidInput for a spec that the kind does not take."""
        plain = dump_spec(spec) if isinstance(spec, BaseModel) else spec
        checked = dump_spec(self.kinds.get(kind).parse(plain))
        row = self._new_row(unit, kind, name, checked, priority)
        row.start_after = start_after
        unit.session.add(row)
        await unit.session.flush()
        return await self.lifecycle.enqueue(unit, row, Move.RELEASE)

    async def submit_graph(
        self, unit: Unit, nodes: list[GraphNode], *, name: str, priority: int = 0
    ) -> dict[str, JobView]:
        """Put jobs that wait for each other in the queue; answers them by key. ``name`` names nodes that have none.

        They share a graph id, the id of the first. Raises JobGraphInvalid.
        """
        rows: dict[str, JobRow] = {}
        for node in in_order(nodes, self.kinds):
            row = self._new_row(unit, node.kind, node.name or f"{name}: {node.key}", dict(node.spec), priority)
            row.inputs = {field: {"job_id": rows[key].id, "path": path} for field, (key, path) in node.inputs.items()}
            row.graph_id = next(iter(rows.values())).id if rows else None
            unit.session.add(row)
            await unit.session.flush()
            row.graph_id = row.graph_id or row.id
            rows[node.key] = row
            for key in node.dependencies:
                unit.session.add(DependencyRow(job_id=row.id, after_id=rows[key].id))
            await unit.session.flush()
        views: dict[str, JobView] = {}
        for node in nodes:
            row = rows[node.key]
            if node.dependencies:
                views[node.key] = await self.lifecycle.tell_kind(unit, row)
            else:
                row.spec = dump_spec(self.kinds.get(node.kind).parse(node.spec))
                views[node.key] = await self.lifecycle.enqueue(unit, row, Move.RELEASE)
        return views

    def _new_row(self, unit: Unit, kind: str, name: str, spec: dict[str, Any], priority: int) -> JobRow:
        return JobRow(
            project_id=unit.principal.project_id,
            created_by=unit.principal.user_id,
            kind=kind,
            name=display_name(name),
            state=JobState.WAITING.value,
            spec=spec,
            priority=priority,
        )

    async def get(self, unit: Unit, job_id: int) -> JobView:
        """The job; raises JobNotFound."""
        view = await view_of(unit, await self._get_row(unit, job_id))
        return (await self._placed(unit, [view]))[0]

    async def _placed(self, unit: Unit, views: list[JobView]) -> list[JobView]:
        """The views, with their place in the queue where they have one."""
        if not any(view.state is JobState.QUEUED for view in views):
            return views
        places = await queue.list_places(unit.session, utc_now())
        return [view.model_copy(update={"position": places.get(view.id)}) for view in views]

    async def set_priority(self, unit: Unit, job_id: int, priority: int) -> JobView:
        """Move a job, and those of its graph that have not started, forward or back. Raises JobStateConflict."""
        row = await self._get_row(unit, job_id, for_update=True)
        if JobState(row.state) not in (JobState.WAITING, JobState.QUEUED):
            raise JobStateConflict(
                f"Job {job_id} is {row.state}; its place in the queue means nothing any more.", state=row.state
            )
        for other in await repository.list_unstarted(unit.session, unit.principal, row):
            other.priority = priority
            await self.lifecycle.tell_kind(unit, other)
        await unit.session.flush()
        return await self.get(unit, job_id)

    async def list_jobs(
        self,
        unit: Unit,
        page: PageRequest,
        *,
        kind: str | None = None,
        state: JobState | None = None,
        states: Collection[JobState] = (),
        graph_id: int | None = None,
        ids: Collection[int] | None = None,
        search: str | None = None,
    ) -> JobListResponse:
        """A page of jobs, newest first."""
        wanted = {*states, *([state] if state else [])}
        rows, total = await repository.list_jobs(
            unit.session,
            unit.principal,
            page,
            kind=kind,
            states=[one.value for one in wanted],
            graph_id=graph_id,
            ids=ids,
            search=search,
        )
        after = await repository.list_dependencies(unit.session, [row.id for row in rows])
        items = await self._placed(unit, [to_view(row, after.get(row.id, [])) for row in rows])
        return JobListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def list_naming(
        self,
        unit: Unit,
        fields: Collection[str],
        values: Collection[int],
        *,
        kinds: Collection[str] | None = None,
        unfinished: bool = False,
        limit: int = 200,
    ) -> list[JobView]:
        """Jobs whose spec names one of ``values`` in one of ``fields``, newest first: who uses a thing, or has used it."""
        states = [state.value for state in JobState if state not in ENDED] if unfinished else None
        rows = await repository.list_naming(
            unit.session, unit.principal, fields, values, kinds=kinds, states=states, limit=limit
        )
        return [to_view(row, []) for row in rows]

    async def cancel(self, unit: Unit, job_id: int) -> JobView:
        """End the job and discard what it did; one that runs ends as soon as its child is gone. Raises JobStateConflict."""
        row = await self._get_row(unit, job_id, for_update=True)
        if can_move(JobState(row.state), Move.CANCEL):
            row.end_requested = "cancel"
        return await self.lifecycle.move(unit, row, Move.CANCEL)

    async def stop(self, unit: Unit, job_id: int) -> JobView:
        """End the job and keep its checkpoint. Raises JobStateConflict, also for kinds that keep none."""
        row = await self._get_row(unit, job_id, for_update=True)
        if not self.kinds.get(row.kind).stoppable:
            raise JobStateConflict(
                f"A {row.kind!r} job keeps nothing when it ends early, so it cannot be stopped.",
                hint="Cancel it instead.",
            )
        if can_move(JobState(row.state), Move.STOP):
            row.end_requested = row.end_requested or "stop"
        return await self.lifecycle.move(unit, row, Move.STOP)

    async def resume(self, unit: Unit, job_id: int) -> JobView:
        """Go on from the newest verified checkpoint, under the same id. Raises ResumeImpossible and JobStateConflict."""
        row = await self._get_row(unit, job_id, for_update=True)
        if not self.kinds.get(row.kind).resumable:
            raise ResumeImpossible(f"A {row.kind!r} job has no checkpoints to go on from.")
        return await self._start_again(unit, row, Move.RESUME)

    async def retry(self, unit: Unit, job_id: int) -> JobView:
        """Run the job again under the same id (from its newest checkpoint, unless it was cancelled). Raises JobStateConflict."""
        row = await self._get_row(unit, job_id, for_update=True)
        return await self._start_again(unit, row, Move.RETRY)

    async def _start_again(self, unit: Unit, row: JobRow, move: Move) -> JobView:
        if not can_move(JobState(row.state), move):
            advance(row, move)  # raises the conflict, with the ways out
        predecessors = await repository.list_predecessors(unit.session, row.id)
        for job in predecessors:
            if JobState(job.state) in (JobState.FAILED, JobState.CANCELLED):
                raise JobStateConflict(
                    f"Job {row.id} waits for job {job.id} ({job.name}), which is {job.state}.",
                    hint=f"Retry job {job.id}; this one follows by itself.",
                    state=row.state,
                )
        _forget_last_run(row)
        if all(JobState(job.state) is JobState.SUCCEEDED for job in predecessors):
            view = await self.lifecycle.move(unit, row, move)
        else:
            view = await self.lifecycle.move(unit, row, Move.REVIVE)
        await self._revive_dependents(unit, row)
        return view

    async def _revive_dependents(self, unit: Unit, row: JobRow) -> None:
        for dependent in await repository.list_dependents(unit.session, row.id):
            if (dependent.error or {}).get("code") in PROPAGATED:
                _forget_last_run(dependent)
                await self.lifecycle.move(unit, dependent, Move.REVIVE)
                await self._revive_dependents(unit, dependent)

    async def answer(self, access: Access, job_id: int, wait_seconds: float) -> JobView | None:
        """The job, if it ends within ``wait_seconds``; None when it goes on. No transaction is open meanwhile."""
        view = await self._wait(access.principal, job_id, wait_seconds)
        return view if view.is_final else None

    async def wait(self, principal: Principal, job_id: int, deadline_seconds: float) -> JobView:
        """The job when it has ended, or as it is after ``deadline_seconds``."""
        return await self._wait(principal, job_id, deadline_seconds)

    async def _wait(self, principal: Principal, job_id: int, seconds: float) -> JobView:
        deadline = time.monotonic() + seconds
        pause_seconds = FIRST_LOOK_SECONDS
        while True:
            async with self.database.read(principal) as unit:
                view = await self.get(unit, job_id)
            left_seconds = deadline - time.monotonic()
            if view.is_final or left_seconds <= 0:
                return view
            await asyncio.sleep(min(pause_seconds, left_seconds))
            pause_seconds = min(pause_seconds * 1.5, SLOWEST_LOOK_SECONDS)

    async def list_events(
        self, unit: Unit, job_id: int, *, after_offset: int = 0, types: Collection[str] | None = None, limit: int = 1000
    ) -> list[JobEventView]:
        """What happened after an offset, oldest first."""
        await self._get_row(unit, job_id)
        rows = await repository.list_events(unit.session, job_id, after_offset=after_offset, types=types, limit=limit)
        return [_event_view(row) for row in rows]

    async def skip_to_newest(
        self, unit: Unit, job_id: int, type_: str, *, after_offset: int, keep: int
    ) -> tuple[int, int]:
        """The offset after which at most ``keep`` events of a type follow, and how many are left out by starting there."""
        return await repository.skip_to_newest(unit.session, job_id, type_, after_offset=after_offset, keep=keep)

    async def list_logs(
        self,
        unit: Unit,
        job_id: int,
        *,
        tail: int | None = None,
        after_offset: int = 0,
        before_offset: int | None = None,
        limit: int = 1000,
    ) -> JobLogsResponse:
        """Lines of the log: the last ``tail`` (before an offset, when one is given), or those after an offset."""
        await self._get_row(unit, job_id)
        if tail is not None:
            rows = await repository.list_newest_events(unit.session, job_id, "log", tail, before_offset=before_offset)
        else:
            rows = await repository.list_events(
                unit.session,
                job_id,
                after_offset=after_offset,
                before_offset=before_offset,
                types=("log",),
                limit=limit,
            )
        lines = [
            LogLineView(
                offset=row.id,
                attempt=row.attempt,
                level=str(row.payload.get("level", "info")),
                message=str(row.payload.get("message", "")),
                at=row.at,
            )
            for row in rows
        ]
        return JobLogsResponse(job_id=job_id, lines=lines, next_offset=lines[-1].offset if lines else after_offset)

    async def result(self, unit: Unit, job_id: int) -> JobResultResponse:
        """What came of the job; raises JobStateConflict while there is nothing, or when it failed."""
        view = await self.get(unit, job_id)
        if view.state is not JobState.SUCCEEDED:
            raise JobStateConflict(
                view.error.message if view.error else f"Job {job_id} is {view.state}; it has no result.",
                hint=(view.error.hint if view.error else "") or "Look at the job's state and log.",
                state=view.state.value,
            )
        return JobResultResponse(job_id=job_id, kind=view.kind, result=view.result or {})

    async def _get_row(self, unit: Unit, job_id: int, *, for_update: bool = False) -> JobRow:
        row = await repository.find_job(unit.session, unit.principal, job_id, for_update=for_update)
        if row is None:
            raise JobNotFound(f"There is no job {job_id}.")
        return row


def _event_view(row: EventRow) -> JobEventView:
    return JobEventView(offset=row.id, attempt=row.attempt, type=row.type, payload=row.payload, at=row.at)


def _forget_last_run(row: JobRow) -> None:
    """Make ready for another run; after a cancellation its checkpoints count no more."""
    if row.state == JobState.CANCELLED.value:
        row.discarded_attempts = row.attempt
        row.last_checkpoint_step, row.step, row.progress, row.resumed = None, 0, 0.0, False
    row.first_attempt = row.attempt + 1
    row.starts_without_checkpoint = 0
    row.error = row.result = row.end_requested = row.message = row.eta_seconds = None
    row.started_at = row.finished_at = None
