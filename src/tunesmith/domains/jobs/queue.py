"""The queue: whose turn it is, which device is free, and how a worker takes a job. Unscoped: a worker serves every project."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, not_, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.domains.jobs.schemas import JobState
from tunesmith.domains.jobs.state import HELD_STATES, state_after_claim
from tunesmith.domains.jobs.tables import JobRow

ORDER = "priority, then in turns between people, then age; one job at a time on each device"
CANDIDATES = 16
"""Jobs that a claim tries in turn when others are being taken at the same time."""


@dataclass(frozen=True)
class Place:
    """Where a worker works: its devices, and the kinds of jobs that need one for themselves."""

    devices: tuple[str, ...] = ()
    exclusive_kinds: tuple[str, ...] = ()

    def needs_none(self) -> ColumnElement[bool]:
        """Jobs that run beside others."""
        return JobRow.kind.not_in(self.exclusive_kinds)

    def was_here(self) -> ColumnElement[bool]:
        """Jobs that have, or had last, one of these devices."""
        return JobRow.device.in_(self.devices)


def _is_ready(now: datetime) -> ColumnElement[bool]:
    return (JobRow.state == JobState.QUEUED.value) & or_(JobRow.start_after.is_(None), JobRow.start_after <= now)


def _is_orphaned(now: datetime) -> ColumnElement[bool]:
    return JobRow.state.in_(HELD_STATES) & (JobRow.lease_expires_at < now)


def _in_turn(now: datetime, *conditions: ColumnElement[bool]) -> Select[int, int]:
    """Ids of the jobs that could start now with their place: by priority, then in turns between people, then by age.

    A person's turn counts what they have running and what of theirs stands before it, so that nobody waits behind another's
    hundred jobs. Unscoped: the order is the same whoever looks at it.
    """
    held = (
        select(JobRow.created_by, func.count().label("n"))
        .where(JobRow.state.in_(HELD_STATES))
        .group_by(JobRow.created_by)
        .subquery()
    )
    own = func.row_number().over(partition_by=JobRow.created_by, order_by=(JobRow.priority.desc(), JobRow.id))
    ready = (
        select(JobRow.id, JobRow.priority, (own + func.coalesce(held.c.n, 0)).label("turn"))
        .outerjoin(held, held.c.created_by == JobRow.created_by)
        .where(_is_ready(now), *conditions)
        .subquery()
    )
    place = func.row_number().over(order_by=(ready.c.priority.desc(), ready.c.turn, ready.c.id)).label("place")
    return select(ready.c.id, place).order_by(place)


async def list_places(session: AsyncSession, now: datetime) -> dict[int, int]:
    """The place in the queue of every job that could start now. Unscoped: places count everybody's jobs."""
    return {row.id: row.place for row in await session.execute(_in_turn(now))}


async def count_waiting(session: AsyncSession) -> int:
    """Jobs that wait for others or for their time. Unscoped, like ``list_places``."""
    later = (JobRow.state == JobState.QUEUED.value) & JobRow.start_after.is_not(None)
    statement = select(func.count()).where(or_(JobRow.state == JobState.WAITING.value, later))
    return (await session.execute(statement)).scalar_one()


async def list_held(session: AsyncSession) -> list[tuple[int, str | None, str | None]]:
    """Running jobs as (id, device, worker). Unscoped: what is shown is what a machine does, not whose it is."""
    statement = select(JobRow.id, JobRow.device, JobRow.lease_owner).where(JobRow.state.in_(HELD_STATES))
    return [(row.id, row.device, row.lease_owner) for row in await session.execute(statement.order_by(JobRow.id))]


async def claim(
    session: AsyncSession,
    *,
    owner: str,
    kinds: Collection[str],
    not_these: Collection[int],
    now: datetime,
    lease_seconds: float,
    place: Place,
) -> JobRow | None:
    """Take a job: one whose holder is gone, else the first of the queue. One UPDATE each, so nobody takes it twice.

    A kind that needs a device gets one of ``place`` that nobody holds, or waits. Unscoped: a worker serves every project.
    Call it in a writing unit (SQLite: BEGIN IMMEDIATE; PostgreSQL: the inner SELECT skips rows that others lock).
    """
    free = await _free_devices(session, place)
    wanted = _wanted(kinds, not_these)
    orphaned = wanted & _is_orphaned(now) & _has_room(place, free, or_here=True)
    ready = wanted & _has_room(place, free, or_here=False)
    places = {row.id: row.place for row in await session.execute(_in_turn(now, ready).limit(CANDIDATES))}
    attempts: list[tuple[ColumnElement[bool], tuple[ColumnElement[Any], ...]]] = [
        (orphaned, (JobRow.priority.desc(), JobRow.id.asc()))
    ]
    if places:
        of_turn = case(places, value=JobRow.id)
        attempts.append((_is_ready(now) & JobRow.id.in_(sorted(places)), (of_turn,)))
    for condition, order in attempts:
        candidate = (
            select(JobRow.id).where(condition).order_by(*order).limit(1).with_for_update(skip_locked=True)
        ).scalar_subquery()
        statement = (
            update(JobRow)
            .where(JobRow.id == candidate, condition)
            .values(
                state=state_after_claim(),
                lease=JobRow.lease + 1,
                lease_owner=owner,
                lease_expires_at=now + timedelta(seconds=lease_seconds),
                started_at=func.coalesce(JobRow.started_at, now),
                updated_at=now,
                device=_device(place, free),
            )
            .returning(JobRow)
            .execution_options(synchronize_session=False)
        )
        row: JobRow | None = (await session.execute(statement)).scalar_one_or_none()
        if row is not None:
            return row
    return None


def _wanted(kinds: Collection[str], not_these: Collection[int]) -> ColumnElement[bool]:
    wanted = JobRow.kind.in_(sorted(kinds))
    return and_(wanted, JobRow.id.not_in(sorted(not_these))) if not_these else wanted


def _has_room(place: Place, free: Sequence[str], *, or_here: bool) -> ColumnElement[bool]:
    """Jobs for which there is a device; with ``or_here`` those too that have one of this place already."""
    if free or not place.exclusive_kinds:
        return JobRow.id.is_not(None)
    return place.needs_none() | place.was_here() if or_here else place.needs_none()


async def _free_devices(session: AsyncSession, place: Place) -> list[str]:
    """The devices of ``place`` that no job holds; one whose holder died still has its child there. Unscoped, like ``claim``."""
    if not place.devices:
        return []
    held = select(JobRow.device).where(JobRow.state.in_(HELD_STATES), place.was_here())
    taken = set((await session.execute(held)).scalars())
    return [device for device in place.devices if device not in taken]


def _device(place: Place, free: Sequence[str]) -> ColumnElement[Any]:
    """What a claimed row has as its device: none, the one that it holds here already, else the first that is free."""
    holds = JobRow.state.in_(HELD_STATES) & place.was_here()
    return case((place.needs_none(), null()), (holds, JobRow.device), else_=free[0] if free else JobRow.device)


async def has_claimable(
    session: AsyncSession, *, kinds: Collection[str], not_these: Collection[int], now: datetime, place: Place
) -> bool:
    """Whether a claim could succeed: a cheap look that takes no lock. Unscoped, like ``claim``."""
    wanted = _wanted(kinds, not_these)
    if (await session.execute(select(JobRow.id).where(wanted, _is_orphaned(now)).limit(1))).first() is not None:
        return True
    ready = wanted & _is_ready(now)
    if (await session.execute(select(JobRow.id).where(ready).limit(1))).first() is None:
        return False
    free = await _free_devices(session, place)
    if free or not place.exclusive_kinds:
        return True
    beside = ready & not_(JobRow.kind.in_(place.exclusive_kinds))
    return (await session.execute(select(JobRow.id).where(beside).limit(1))).first() is not None


async def has_work(session: AsyncSession, *, kinds: Collection[str], now: datetime) -> bool:
    """Whether anything is ready, or held by anybody. Unscoped, like ``claim``."""
    inner = select(JobRow.id).where(JobRow.kind.in_(sorted(kinds)), or_(_is_ready(now), JobRow.state.in_(HELD_STATES)))
    return bool((await session.execute(select(exists(inner)))).scalar())
