"""Every query of accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.domains.accounts.tables import IdempotencyRow, UserRow


async def find_user(session: AsyncSession, user_id: int) -> UserRow | None:
    """The user with that id."""
    return await session.get(UserRow, user_id)


async def find_user_by_name(session: AsyncSession, name: str) -> UserRow | None:
    """The user with that name."""
    return (await session.execute(select(UserRow).where(UserRow.name == name))).scalar_one_or_none()


async def find_first_user(session: AsyncSession) -> UserRow | None:
    """The owner: the user with the lowest id."""
    return (await session.execute(select(UserRow).order_by(UserRow.id).limit(1))).scalar_one_or_none()


async def find_first_answer(session: AsyncSession, user_id: int, path: str, key: str) -> IdempotencyRow | None:
    """The row of that key, if the call was seen before."""
    statement = select(IdempotencyRow).where(
        IdempotencyRow.user_id == user_id, IdempotencyRow.path == path, IdempotencyRow.key == key
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def forget_answers(session: AsyncSession, *, before: datetime) -> None:
    """Delete answers older than ``before``."""
    await session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < before))
