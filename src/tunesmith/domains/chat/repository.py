"""Every query of conversations. A conversation is its owner's alone, whoever else sees the project."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Select, delete, func, or_, select

from tunesmith.db import Unit, visible_to
from tunesmith.domains.chat.tables import ConversationRow, TurnRow
from tunesmith.kit.paging import PageRequest

LARGEST_EXPORT = 10_000


def _own(unit: Unit) -> Select[ConversationRow]:
    return visible_to(unit.principal, ConversationRow).where(ConversationRow.created_by == unit.principal.user_id)


async def find_conversation(unit: Unit, conversation_id: int) -> ConversationRow | None:
    """The conversation with that id."""
    statement = _own(unit).where(ConversationRow.id == conversation_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def list_conversations(
    unit: Unit, page: PageRequest, search: str | None, model: str | None
) -> tuple[list[ConversationRow], int]:
    """A page of conversations, the last used first, and how many there are."""
    statement = _own(unit)
    if model is not None:
        statement = statement.where(ConversationRow.model == model)
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        said = select(TurnRow.conversation_id).where(TurnRow.content.ilike(pattern, escape="\\"))
        statement = statement.where(
            or_(ConversationRow.title.ilike(pattern, escape="\\"), ConversationRow.id.in_(said))
        )
    total = await unit.session.scalar(select(func.count()).select_from(statement.subquery()))
    ordered = statement.order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())
    rows = await unit.session.execute(ordered.offset(page.offset).limit(page.page_size))
    return list(rows.scalars()), int(total or 0)


async def list_chosen(unit: Unit, ids: Collection[int] | None) -> list[ConversationRow]:
    """Those conversations, or all, oldest first."""
    statement = _own(unit)
    if ids is not None:
        statement = statement.where(ConversationRow.id.in_(ids))
    rows = await unit.session.execute(statement.order_by(ConversationRow.id).limit(LARGEST_EXPORT))
    return list(rows.scalars())


async def list_turns(unit: Unit, conversation_id: int) -> Sequence[TurnRow]:
    """Every turn of every branch, oldest first."""
    statement = select(TurnRow).where(TurnRow.conversation_id == conversation_id).order_by(TurnRow.id)
    return (await unit.session.execute(statement)).scalars().all()


async def find_turn(unit: Unit, conversation_id: int, turn_id: int) -> TurnRow | None:
    """That turn of that conversation."""
    statement = select(TurnRow).where(TurnRow.id == turn_id, TurnRow.conversation_id == conversation_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def delete_turns(unit: Unit, conversation_id: int) -> None:
    """Remove every turn of a conversation."""
    await unit.session.execute(delete(TurnRow).where(TurnRow.conversation_id == conversation_id))
