"""Every query of the local store."""

from __future__ import annotations

from sqlalchemy import func, select

from tunesmith.db import Unit, visible_to
from tunesmith.domains.models.tables import HubTokenRow, ModelRow


async def find_by_model_id(unit: Unit, model_id: str) -> ModelRow | None:
    """The model of that name, of the person's own project first."""
    own = (ModelRow.project_id != unit.principal.project_id).asc()
    statement = visible_to(unit.principal, ModelRow).where(ModelRow.model_id == model_id).order_by(own, ModelRow.id)
    return (await unit.session.execute(statement.limit(1))).scalar_one_or_none()


async def find_by_path(unit: Unit, path: str) -> ModelRow | None:
    """The row of a folder in the person's own project."""
    statement = visible_to(unit.principal, ModelRow).where(
        ModelRow.path == path, ModelRow.project_id == unit.principal.project_id
    )
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def list_models(unit: Unit, offset: int, limit: int) -> tuple[list[ModelRow], int]:
    """A page of models, the last used first, and how many there are in all."""
    visible = visible_to(unit.principal, ModelRow)
    total = await unit.session.scalar(select(func.count()).select_from(visible.subquery())) or 0
    statement = visible.order_by(ModelRow.last_used.desc(), ModelRow.id.desc()).offset(offset).limit(limit)
    return list((await unit.session.execute(statement)).scalars()), total


async def find_token(unit: Unit, token_id: int) -> HubTokenRow | None:
    """A sealed token."""
    statement = visible_to(unit.principal, HubTokenRow).where(HubTokenRow.id == token_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()
