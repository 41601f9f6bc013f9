"""The resource history of machines: a sample now and then, kept for a day, and no more of them than fit on a screen are read."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.domains.jobs.schemas import ResourceHistory, ResourceSample
from tunesmith.domains.jobs.tables import ResourceSampleRow
from tunesmith.kit.machine import Usage

KEEP = timedelta(hours=24)
BESIDE = timedelta(seconds=5)
"""Two workers of one machine look at the same thing: samples that are closer than this are one."""


async def keep(session: AsyncSession, host: str, usage: Usage, now: datetime) -> None:
    """Add a sample, unless another worker of this machine has just done so, and delete what is older than a day."""
    fresh = select(ResourceSampleRow.id).where(ResourceSampleRow.host == host, ResourceSampleRow.at > now - BESIDE)
    if (await session.execute(fresh.limit(1))).first() is not None:
        return
    session.add(ResourceSampleRow(host=host, at=now, usage=usage.model_dump(mode="json")))
    await session.execute(delete(ResourceSampleRow).where(ResourceSampleRow.at < now - KEEP))


async def history(
    session: AsyncSession, host: str | None, *, hours: float, max_points: int, now: datetime
) -> ResourceHistory:
    """The samples of one machine (default: the one seen last), evenly thinned; the newest is always among them."""
    newest = select(ResourceSampleRow.host, func.max(ResourceSampleRow.at)).group_by(ResourceSampleRow.host)
    rows = (await session.execute(newest.order_by(func.max(ResourceSampleRow.at).desc()))).all()
    hosts = [row.host for row in rows]
    chosen = host or (hosts[0] if hosts else None)
    since = now - timedelta(hours=hours)
    mine = (
        select(
            ResourceSampleRow.id,
            func.row_number().over(order_by=ResourceSampleRow.id.desc()).label("place"),
            func.count().over().label("total"),
        )
        .where(ResourceSampleRow.host == chosen, ResourceSampleRow.at >= since)
        .subquery()
    )
    every = mine.c.total // max_points + 1
    picked = select(mine.c.id).where((mine.c.place - 1) % every == 0)
    found = await session.execute(
        select(ResourceSampleRow).where(ResourceSampleRow.id.in_(picked)).order_by(ResourceSampleRow.id)
    )
    samples = [
        ResourceSample(host=row.host, at=row.at, usage=Usage.model_validate(row.usage)) for row in found.scalars()
    ]
    return ResourceHistory(host=chosen, hosts=sorted(hosts), hours=hours, samples=samples)
