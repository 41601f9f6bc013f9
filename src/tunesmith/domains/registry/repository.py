"""Every query of the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Integer, Select, and_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.db import Unit, visible_to
from tunesmith.domains.registry.tables import EvidenceRow, ModelFileRow, VersionRow
from tunesmith.kit.paging import PageRequest


@dataclass(frozen=True)
class VersionFilter:
    """Which versions are asked for."""

    status: str | None = None
    base_model: str | None = None
    search: str | None = None
    tags: Sequence[str] = field(default_factory=tuple)
    match_all: bool = False


async def find_version(unit: Unit, model_id: int) -> VersionRow | None:
    """The version with that id."""
    statement = visible_to(unit.principal, VersionRow).where(VersionRow.id == model_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def find_registered_by(unit: Unit, job_id: int) -> VersionRow | None:
    """The version that a register job has made."""
    statement = visible_to(unit.principal, VersionRow).where(VersionRow.register_job_id == job_id)
    return (await unit.session.execute(statement)).scalar_one_or_none()


async def find_named(
    unit: Unit, name: str, *, version: str | None = None, status: str | None = None
) -> VersionRow | None:
    """The newest version of that name with that version or status; the person's own project comes first."""
    statement = visible_to(unit.principal, VersionRow).where(VersionRow.model_name == name)
    if version is not None:
        statement = statement.where(VersionRow.version == version)
    if status is not None:
        statement = statement.where(VersionRow.status == status)
    own_first = (VersionRow.project_id == unit.principal.project_id).desc()
    return (
        await unit.session.execute(statement.order_by(own_first, VersionRow.id.desc()).limit(1))
    ).scalar_one_or_none()


async def is_taken(unit: Unit, name: str, version: str) -> bool:
    """Whether the project has that version already."""
    statement = visible_to(unit.principal, VersionRow).where(
        VersionRow.project_id == unit.principal.project_id, VersionRow.model_name == name, VersionRow.version == version
    )
    return (await unit.session.execute(statement)).scalar_one_or_none() is not None


async def list_version_numbers(unit: Unit, name: str) -> list[str]:
    """The versions of that name in the project."""
    mine = and_(VersionRow.project_id == unit.principal.project_id, VersionRow.model_name == name)
    rows = await unit.session.execute(visible_to(unit.principal, VersionRow).where(mine))
    return [row.version for row in rows.scalars()]


async def list_versions(unit: Unit, page: PageRequest, wanted: VersionFilter) -> tuple[list[VersionRow], int]:
    """A page of versions, newest first, and how many there are."""
    statement = _filtered(visible_to(unit.principal, VersionRow), unit.session, wanted)
    total = await unit.session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await unit.session.execute(
        statement.order_by(VersionRow.id.desc()).offset(page.offset).limit(page.page_size)
    )
    return list(rows.scalars()), int(total or 0)


def _filtered(statement: Select[VersionRow], session: AsyncSession, wanted: VersionFilter) -> Select[VersionRow]:
    if wanted.status:
        statement = statement.where(VersionRow.status == wanted.status)
    if wanted.base_model:
        statement = statement.where(VersionRow.base_model == wanted.base_model)
    if wanted.search:
        columns = (VersionRow.model_name, VersionRow.description, VersionRow.base_model)
        statement = statement.where(or_(*(column.icontains(wanted.search, autoescape=True) for column in columns)))
    if wanted.tags:
        conditions = [_has_tag(session, tag) for tag in wanted.tags]
        statement = statement.where(and_(*conditions) if wanted.match_all else or_(*conditions))
    return statement


def _has_tag(session: AsyncSession, tag: str) -> ColumnElement[bool]:
    if session.get_bind().dialect.name == "postgresql":
        return VersionRow.tags.contains([tag])
    each = func.json_each(VersionRow.tags).table_valued("value")
    return exists(select(literal(1, Integer)).select_from(each).where(each.c.value == tag))


async def list_files(unit: Unit, model_id: int) -> list[ModelFileRow]:
    """The manifest of a version."""
    statement = visible_to(unit.principal, ModelFileRow).where(ModelFileRow.model_id == model_id)
    return list((await unit.session.execute(statement.order_by(ModelFileRow.path))).scalars())


async def list_evidence(unit: Unit, model_id: int, kind: str | None = None) -> list[EvidenceRow]:
    """The evidence of a version, oldest first."""
    statement = visible_to(unit.principal, EvidenceRow).where(EvidenceRow.model_id == model_id)
    if kind is not None:
        statement = statement.where(EvidenceRow.kind == kind)
    return list((await unit.session.execute(statement.order_by(EvidenceRow.id))).scalars())


async def find_evidence(unit: Unit, model_id: int, kind: str, source: str) -> EvidenceRow | None:
    """What that source has said before."""
    statement = visible_to(unit.principal, EvidenceRow).where(
        EvidenceRow.model_id == model_id, EvidenceRow.kind == kind, EvidenceRow.source == source
    )
    return (await unit.session.execute(statement)).scalar_one_or_none()
