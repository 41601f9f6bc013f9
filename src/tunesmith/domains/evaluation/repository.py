"""Every query of evaluations."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from tunesmith.db import Unit, visible_to
from tunesmith.domains.evaluation.tables import EvaluationRow
from tunesmith.kit.paging import PageRequest


async def find_by_job(unit: Unit, job_id: int) -> EvaluationRow | None:
    """The evaluation that a job has made."""
    statement = visible_to(unit.principal, EvaluationRow).where(EvaluationRow.job_id == job_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def list_of_model(
    unit: Unit, model_id: int, job_ids: list[int], page: PageRequest
) -> tuple[list[EvaluationRow], int]:
    """Evaluations of a version, and those that jobs made before it was registered; newest first."""
    statement = visible_to(unit.principal, EvaluationRow).where(
        or_(EvaluationRow.model_id == model_id, EvaluationRow.job_id.in_(job_ids))
    )
    total = await unit.session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await unit.session.execute(
        statement.order_by(EvaluationRow.id.desc()).offset(page.offset).limit(page.page_size)
    )
    return list(rows.scalars()), int(total or 0)


async def get_by_job(unit: Unit, job_id: int) -> EvaluationRow:
    """Like ``find_by_job``; raises when there is none."""
    statement = visible_to(unit.principal, EvaluationRow).where(EvaluationRow.job_id == job_id)
    return (await unit.session.execute(statement)).scalar_one()
