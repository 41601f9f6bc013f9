"""Every query of exports."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from tunesmith.db import Unit, visible_to
from tunesmith.domains.export.tables import ExportRow
from tunesmith.kit.paging import PageRequest


async def find_export(unit: Unit, model_id: int, export_id: int) -> ExportRow | None:
    """That export of that version."""
    statement = visible_to(unit.principal, ExportRow).where(ExportRow.id == export_id, ExportRow.model_id == model_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def find_any(unit: Unit, export_id: int) -> ExportRow | None:
    """An export, of a version or of a model that is not registered."""
    statement = visible_to(unit.principal, ExportRow).where(ExportRow.id == export_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def find_made(unit: Unit, job_id: int, kind: str, method: str) -> ExportRow | None:
    """What a job has made before it was started again."""
    statement = visible_to(unit.principal, ExportRow).where(
        ExportRow.job_id == job_id, ExportRow.format == kind, ExportRow.method == method
    )
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def list_exports(unit: Unit, model_id: int, page: PageRequest) -> tuple[list[ExportRow], int]:
    """Exports of a version, newest first."""
    statement = visible_to(unit.principal, ExportRow).where(ExportRow.model_id == model_id)
    total = await unit.session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await unit.session.execute(statement.order_by(ExportRow.id.desc()).offset(page.offset).limit(page.page_size))
    return list(rows.scalars()), int(total or 0)


async def list_of_jobs(unit: Unit, job_ids: Sequence[int]) -> list[ExportRow]:
    """What these jobs have made, oldest first."""
    statement = visible_to(unit.principal, ExportRow).where(ExportRow.job_id.in_(job_ids)).order_by(ExportRow.id)
    return list((await unit.session.execute(statement)).scalars())


async def find_by_sha256(unit: Unit, sha256: str) -> ExportRow | None:
    """An export with these bytes."""
    statement = visible_to(unit.principal, ExportRow).where(ExportRow.sha256 == sha256).limit(1)
    return (await unit.session.execute(statement)).scalar_one_or_none()
