"""Every query of projects."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.domains.projects.tables import MemberRow, ProjectRow


async def find_first_project(session: AsyncSession) -> ProjectRow | None:
    """The default project: the one with the lowest id."""
    return (await session.execute(select(ProjectRow).order_by(ProjectRow.id).limit(1))).scalar_one_or_none()


async def list_project_ids(session: AsyncSession, user_id: int) -> list[int]:
    """Ids of the projects that a person is a member of."""
    statement = select(MemberRow.project_id).where(MemberRow.user_id == user_id).order_by(MemberRow.project_id)
    return list((await session.execute(statement)).scalars())
