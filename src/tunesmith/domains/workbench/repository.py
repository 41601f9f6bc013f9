"""Every query of the workbench."""

from __future__ import annotations

from sqlalchemy import func, select

from tunesmith.db import Unit, visible_to
from tunesmith.domains.workbench.tables import GgufConversionRow, WorkbenchRow
from tunesmith.kit.paging import PageRequest


async def find_state(unit: Unit, *, for_update: bool = False) -> WorkbenchRow | None:
    """This person's row in their project; ``for_update`` locks it."""
    statement = visible_to(unit.principal, WorkbenchRow).where(
        WorkbenchRow.project_id == unit.principal.project_id, WorkbenchRow.created_by == unit.principal.user_id
    )
    if for_update:
        statement = statement.with_for_update()
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def get_or_add_state(unit: Unit, *, for_update: bool = False) -> WorkbenchRow:
    """This person's row, made now if there was none."""
    row = await find_state(unit, for_update=for_update)
    if row is None:
        row = WorkbenchRow(project_id=unit.principal.project_id, created_by=unit.principal.user_id)
        unit.session.add(row)
        await unit.session.flush()
    return row


async def list_conversions(unit: Unit, page: PageRequest) -> tuple[list[GgufConversionRow], int]:
    """This person's conversions to GGUF, newest first."""
    statement = visible_to(unit.principal, GgufConversionRow).where(
        GgufConversionRow.project_id == unit.principal.project_id,
        GgufConversionRow.created_by == unit.principal.user_id,
    )
    total = await unit.session.scalar(select(func.count()).select_from(statement.subquery()))
    ordered = statement.order_by(GgufConversionRow.id.desc()).offset(page.offset).limit(page.page_size)
    return list((await unit.session.execute(ordered)).scalars()), int(total or 0)
