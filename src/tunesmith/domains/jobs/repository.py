"""Every query of jobs. People's reads start from ``visible_to``; a holder's writes are fenced by its lease."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.db import visible_to
from tunesmith.domains.jobs.schemas import JobState
from tunesmith.domains.jobs.state import HELD_STATES
from tunesmith.domains.jobs.tables import DependencyRow, EventRow, JobRow, WorkerRow
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Principal


async def find_job(
    session: AsyncSession, principal: Principal, job_id: int, *, for_update: bool = False
) -> JobRow | None:
    """The job, if the person sees it; ``for_update`` locks its row (SQLite: the writing unit has the lock)."""
    statement = visible_to(principal, JobRow).where(JobRow.id == job_id)
    if for_update:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


def _matching(
    principal: Principal,
    kind: str | None,
    states: Collection[str] | None,
    graph_id: int | None,
    ids: Collection[int] | None,
    search: str | None,
) -> Select[JobRow]:
    statement = visible_to(principal, JobRow)
    if kind is not None:
        statement = statement.where(JobRow.kind == kind)
    if states:
        statement = statement.where(JobRow.state.in_(sorted(states)))
    if search:
        statement = statement.where(JobRow.name.icontains(search, autoescape=True))
    if graph_id is not None:
        statement = statement.where(JobRow.graph_id == graph_id)
    if ids is not None:
        statement = statement.where(JobRow.id.in_(sorted(ids)))
    return statement


async def list_jobs(
    session: AsyncSession,
    principal: Principal,
    page: PageRequest,
    *,
    kind: str | None = None,
    states: Collection[str] | None = None,
    graph_id: int | None = None,
    ids: Collection[int] | None = None,
    search: str | None = None,
) -> tuple[Sequence[JobRow], int]:
    """A page of jobs, newest first, and how many there are."""
    statement = _matching(principal, kind, states, graph_id, ids, search)
    total = (await session.execute(statement.with_only_columns(func.count(), maintain_column_froms=True))).scalar_one()
    rows = await session.execute(statement.order_by(JobRow.id.desc()).offset(page.offset).limit(page.page_size))
    return rows.scalars().all(), total


async def list_unstarted(session: AsyncSession, principal: Principal, row: JobRow) -> Sequence[JobRow]:
    """``row`` and the jobs of its graph that have not started, locked."""
    unstarted = (JobState.WAITING.value, JobState.QUEUED.value)
    same = JobRow.graph_id == row.graph_id if row.graph_id is not None else JobRow.id == row.id
    statement = visible_to(principal, JobRow).where(same, JobRow.state.in_(unstarted)).order_by(JobRow.id)
    return (await session.execute(statement.with_for_update())).scalars().all()


async def list_naming(
    session: AsyncSession,
    principal: Principal,
    fields: Collection[str],
    values: Collection[int],
    *,
    kinds: Collection[str] | None,
    states: Collection[str] | None,
    limit: int,
) -> Sequence[JobRow]:
    """Jobs whose spec has one of ``values`` in one of ``fields``, newest first."""
    statement = visible_to(principal, JobRow)
    if kinds is not None:
        statement = statement.where(JobRow.kind.in_(sorted(kinds)))
    if states is not None:
        statement = statement.where(JobRow.state.in_(sorted(states)))
    wanted = sorted(values)
    named = or_(*(JobRow.spec[field].as_integer().in_(wanted) for field in sorted(fields)))
    rows = await session.execute(statement.where(named).order_by(JobRow.id.desc()).limit(limit))
    return rows.scalars().all()


async def list_dependencies(session: AsyncSession, job_ids: Iterable[int]) -> dict[int, list[int]]:
    """Ids of the jobs that each of ``job_ids`` waits for."""
    found: dict[int, list[int]] = {}
    rows = await session.execute(select(DependencyRow).where(DependencyRow.job_id.in_(sorted(job_ids))))
    for row in rows.scalars():
        found.setdefault(row.job_id, []).append(row.after_id)
    return {job_id: sorted(after) for job_id, after in found.items()}


async def list_dependents(session: AsyncSession, job_id: int) -> Sequence[JobRow]:
    """The jobs that wait for ``job_id``, locked. Unscoped: the graph was checked when it was submitted."""
    statement = (
        select(JobRow)
        .join(DependencyRow, DependencyRow.job_id == JobRow.id)
        .where(DependencyRow.after_id == job_id)
        .order_by(JobRow.id)
        .with_for_update(of=JobRow)
    )
    return (await session.execute(statement)).scalars().all()


async def list_predecessors(session: AsyncSession, job_id: int) -> Sequence[JobRow]:
    """The jobs that ``job_id`` waits for. Unscoped, like ``list_dependents``."""
    statement = (
        select(JobRow)
        .join(DependencyRow, DependencyRow.after_id == JobRow.id)
        .where(DependencyRow.job_id == job_id)
        .order_by(JobRow.id)
    )
    return (await session.execute(statement)).scalars().all()


async def find_equal_success(session: AsyncSession, row: JobRow) -> JobRow | None:
    """The newest succeeded job of the same kind, spec and project. Unscoped: that project is ``row``'s own."""
    statement = (
        select(JobRow)
        .where(
            JobRow.kind == row.kind,
            JobRow.spec_sha256 == row.spec_sha256,
            JobRow.project_id == row.project_id,
            JobRow.state == JobState.SUCCEEDED.value,
        )
        .order_by(JobRow.id.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


def _held(job_id: int, lease: int) -> ColumnElement[bool]:
    return (JobRow.id == job_id) & (JobRow.lease == lease) & JobRow.state.in_(HELD_STATES)


async def hold(session: AsyncSession, job_id: int, lease: int, now: datetime) -> JobRow | None:
    """The row, locked for the rest of the transaction; None when ``lease`` is no longer the newest.

    Unscoped: a lease is the permission.
    """
    statement = update(JobRow).where(_held(job_id, lease)).values(updated_at=now).returning(JobRow)
    row: JobRow | None = (
        await session.execute(statement, execution_options={"synchronize_session": False})
    ).scalar_one_or_none()
    return row


async def renew(session: AsyncSession, job_id: int, lease: int, expires_at: datetime) -> bool:
    """Move the end of the lease; False when it is no longer ours. Unscoped, like ``hold``."""
    statement = update(JobRow).where(_held(job_id, lease)).values(lease_expires_at=expires_at).returning(JobRow.id)
    return (await session.execute(statement, execution_options={"synchronize_session": False})).first() is not None


async def give_back(session: AsyncSession, job_id: int, lease: int, now: datetime) -> None:
    """End the lease at once; the job goes on with whoever claims it next. Unscoped, like ``hold``."""
    statement = (
        update(JobRow)
        .where(_held(job_id, lease))
        .values(lease_expires_at=now - timedelta(seconds=1), lease_owner=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def find_held(session: AsyncSession, job_id: int, lease: int) -> str | None:
    """How the job is asked to end ("" when it is not); None when ``lease`` is no longer the newest."""
    statement = select(func.coalesce(JobRow.end_requested, "")).where(_held(job_id, lease))
    return (await session.execute(statement)).scalar_one_or_none()


async def list_events(
    session: AsyncSession,
    job_id: int,
    *,
    after_offset: int,
    before_offset: int | None = None,
    types: Collection[str] | None,
    limit: int,
) -> Sequence[EventRow]:
    """Events after an offset (and before another), oldest first."""
    statement = select(EventRow).where(EventRow.job_id == job_id, EventRow.id > after_offset)
    if before_offset is not None:
        statement = statement.where(EventRow.id < before_offset)
    if types is not None:
        statement = statement.where(EventRow.type.in_(sorted(types)))
    return (await session.execute(statement.order_by(EventRow.id).limit(limit))).scalars().all()


async def list_newest_events(
    session: AsyncSession, job_id: int, type_: str, limit: int, *, before_offset: int | None = None
) -> Sequence[EventRow]:
    """The newest events of one type (before an offset, when one is given), oldest first."""
    statement = select(EventRow).where(EventRow.job_id == job_id, EventRow.type == type_)
    if before_offset is not None:
        statement = statement.where(EventRow.id < before_offset)
    rows = (await session.execute(statement.order_by(EventRow.id.desc()).limit(limit))).scalars().all()
    return rows[::-1]


async def skip_to_newest(
    session: AsyncSession, job_id: int, type_: str, *, after_offset: int, keep: int
) -> tuple[int, int]:
    """The offset after which at most ``keep`` events of one type follow, and how many lie before it."""
    mine = select(EventRow.id).where(EventRow.job_id == job_id, EventRow.id > after_offset, EventRow.type == type_)
    last_left_out = await session.scalar(mine.order_by(EventRow.id.desc()).offset(keep).limit(1))
    if last_left_out is None:
        return after_offset, 0
    left_out = mine.where(EventRow.id <= last_left_out).with_only_columns(func.count())
    return last_left_out, await session.scalar(left_out) or 0


async def get_read_offset(session: AsyncSession, job_id: int, attempt: int) -> int:
    """How far the attempt's ``events.jsonl`` has been copied, in bytes."""
    statement = select(func.max(EventRow.byte_offset)).where(EventRow.job_id == job_id, EventRow.attempt == attempt)
    return (await session.execute(statement)).scalar() or 0


async def find_last_word(session: AsyncSession, job_id: int, attempt: int) -> EventRow | None:
    """The ``finished`` or ``failed`` that the attempt's child has said, if it was copied already."""
    statement = select(EventRow).where(
        EventRow.job_id == job_id,
        EventRow.attempt == attempt,
        EventRow.byte_offset.is_not(None),
        EventRow.type.in_(("finished", "failed")),
    )
    return (await session.execute(statement.order_by(EventRow.id).limit(1))).scalars().first()


async def list_workers(session: AsyncSession, *, seen_after: datetime) -> Sequence[WorkerRow]:
    """Workers that gave a sign of life after ``seen_after``."""
    statement = select(WorkerRow).where(WorkerRow.seen_at > seen_after).order_by(WorkerRow.id)
    return (await session.execute(statement)).scalars().all()


async def see_worker(session: AsyncSession, worker: dict[str, Any], now: datetime) -> None:
    """Note a sign of life; the first one makes the row."""
    changed = await session.execute(
        update(WorkerRow).where(WorkerRow.name == worker["name"]).values(seen_at=now).returning(WorkerRow.id)
    )
    if changed.first() is None:
        session.add(WorkerRow(**worker, seen_at=now))


async def forget_workers(session: AsyncSession, *, name: str | None = None, before: datetime | None = None) -> None:
    """Delete one worker's row, or those that have not been seen since ``before``."""
    if name is not None:
        await session.execute(delete(WorkerRow).where(WorkerRow.name == name))
    if before is not None:
        await session.execute(delete(WorkerRow).where(WorkerRow.seen_at < before))
