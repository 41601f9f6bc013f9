"""Every query of the outbox. It is the program's own bookkeeping: callers have found the job through ``visible_to``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.domains.training.tables import FinetuningJobRow, TrackingRow


async def find_entry(session: AsyncSession, job_id: int, tracker: str) -> TrackingRow | None:
    """What a tracker is owed about a run."""
    mine = select(TrackingRow).where(TrackingRow.job_id == job_id, TrackingRow.tracker == tracker)
    return (await session.execute(mine)).scalar_one_or_none()


async def list_of_jobs(session: AsyncSession, job_ids: Sequence[int]) -> dict[int, list[TrackingRow]]:
    """The entries of some runs."""
    found: dict[int, list[TrackingRow]] = {}
    if job_ids:
        mine = select(TrackingRow).where(TrackingRow.job_id.in_(job_ids)).order_by(TrackingRow.tracker)
        for row in (await session.execute(mine)).scalars():
            found.setdefault(row.job_id, []).append(row)
    return found


async def count_open(session: AsyncSession, tracker: str) -> int:
    """How many runs wait for the tracker."""
    mine = select(func.count()).where(TrackingRow.tracker == tracker, TrackingRow.is_open.is_(True))
    return await session.scalar(mine) or 0


async def find_problem(session: AsyncSession, tracker: str) -> str | None:
    """What stood in the way of the newest entry that has something in its way."""
    mine = select(TrackingRow.message).where(
        TrackingRow.tracker == tracker, TrackingRow.is_open.is_(True), TrackingRow.message.is_not(None)
    )
    found: str | None = await session.scalar(mine.order_by(TrackingRow.id.desc()).limit(1))
    return found


async def claim_due(session: AsyncSession, tracker: str, now: datetime, lease_until: datetime) -> TrackingRow | None:
    """Take the entry that has waited longest, so that no other worker delivers it meanwhile."""
    is_free = or_(TrackingRow.lease_until.is_(None), TrackingRow.lease_until < now)
    due = (
        select(TrackingRow.id)
        .where(TrackingRow.tracker == tracker, TrackingRow.is_open.is_(True), TrackingRow.try_at <= now, is_free)
        .order_by(TrackingRow.try_at, TrackingRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    entry_id = (await session.execute(due)).scalar_one_or_none()
    if entry_id is None:
        return None
    taken = update(TrackingRow).where(TrackingRow.id == entry_id, is_free).values(lease_until=lease_until)
    if (await session.execute(taken)).rowcount == 0:  # type: ignore[attr-defined]
        return None
    return await session.get(TrackingRow, entry_id, populate_existing=True)


async def make_due(session: AsyncSession, now: datetime) -> None:
    """Let everything that waits be tried now."""
    await session.execute(update(TrackingRow).where(TrackingRow.is_open.is_(True)).values(try_at=now))


async def get_job(session: AsyncSession, job_id: int) -> FinetuningJobRow:
    """The run of an entry, which exists as long as the entry does; unscoped, since the program itself delivers it."""
    return (await session.execute(select(FinetuningJobRow).where(FinetuningJobRow.id == job_id))).scalar_one()
