"""Every query of datasets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from tunesmith.db import visible_to
from tunesmith.domains.datasets.schemas.dataset import DatasetStatus
from tunesmith.domains.datasets.schemas.upload import UploadState
from tunesmith.domains.datasets.tables import ColumnMappingRow, DatasetRow, QualityLogRow, UploadRow
from tunesmith.kit.clock import utc_now
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Principal

SORTS = {
    "created_at": DatasetRow.id,
    "name": DatasetRow.name,
    "size_bytes": DatasetRow.size_bytes,
    "total_samples": DatasetRow.total_samples,
    "quality_score": DatasetRow.quality_score,
}


async def find_dataset(session: AsyncSession, principal: Principal, dataset_id: int) -> DatasetRow | None:
    """The dataset with this id."""
    statement = visible_to(principal, DatasetRow).where(DatasetRow.id == dataset_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def find_version(session: AsyncSession, principal: Principal, name: str, version: str) -> DatasetRow | None:
    """This version of the dataset of that name, in the principal's current project."""
    statement = visible_to(principal, DatasetRow).where(
        DatasetRow.project_id == principal.project_id, DatasetRow.name == name, DatasetRow.version == version
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def find_newest(session: AsyncSession, principal: Principal, name: str) -> DatasetRow | None:
    """The newest version of the dataset of that name (or slug) that is not archived, in the current project."""
    statement = (
        visible_to(principal, DatasetRow)
        .where(
            DatasetRow.project_id == principal.project_id,
            or_(DatasetRow.name == name, DatasetRow.slug == name),
            DatasetRow.archived_at.is_(None),
        )
        .order_by(DatasetRow.id.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def list_versions(session: AsyncSession, principal: Principal, name: str) -> set[str]:
    """The versions that the dataset of that name has in the current project."""
    statement = visible_to(principal, DatasetRow).where(
        DatasetRow.project_id == principal.project_id, DatasetRow.name == name
    )
    return set((await session.execute(statement.with_only_columns(DatasetRow.version))).scalars())


async def list_datasets(
    session: AsyncSession,
    principal: Principal,
    page: PageRequest,
    *,
    search: str | None,
    statuses: Collection[DatasetStatus],
    sort: str,
) -> tuple[list[DatasetRow], int]:
    """A page of datasets, and how many there are."""
    wanted: list[ColumnElement[bool]] = []
    if statuses:
        wanted.append(DatasetRow.status.in_([status.value for status in statuses]))
    else:
        wanted.append(DatasetRow.status != DatasetStatus.ARCHIVED.value)
    if search:
        pattern = f"%{_escaped(search)}%"
        wanted.append(or_(*(column.ilike(pattern, escape="\\") for column in (DatasetRow.name, DatasetRow.file_name))))
    column = SORTS[sort.removeprefix("-")]
    order = column.desc() if sort.startswith("-") else column.asc()
    statement = visible_to(principal, DatasetRow).where(*wanted)
    total = (await session.execute(statement.with_only_columns(func.count(DatasetRow.id)))).scalar_one()
    large = (defer(DatasetRow.dataset_metadata), defer(DatasetRow.description), defer(DatasetRow.source))
    rows = await session.execute(
        statement.options(*large).order_by(order, DatasetRow.id.desc()).offset(page.offset).limit(page.page_size)
    )
    return list(rows.scalars()), total


async def list_of_job(session: AsyncSession, principal: Principal, job_id: int) -> list[DatasetRow]:
    """The datasets that a job has made."""
    statement = visible_to(principal, DatasetRow).where(DatasetRow.source_job_id == job_id).order_by(DatasetRow.id)
    return list((await session.execute(statement)).scalars())


async def list_newest_named(
    session: AsyncSession, principal: Principal, project_id: int, names: Collection[str]
) -> list[DatasetRow]:
    """The newest version of each of these names that is not archived, in one project."""
    statement = (
        visible_to(principal, DatasetRow)
        .where(DatasetRow.project_id == project_id, DatasetRow.name.in_(names), DatasetRow.archived_at.is_(None))
        .order_by(DatasetRow.id)
    )
    newest = {row.name: row for row in (await session.execute(statement)).scalars()}
    return list(newest.values())


async def list_benchmarks(session: AsyncSession, principal: Principal, project_id: int) -> list[DatasetRow]:
    """The datasets of one project that models are compared by, the newest version of each name."""
    statement = (
        visible_to(principal, DatasetRow)
        .where(
            DatasetRow.project_id == project_id,
            DatasetRow.dataset_metadata["kind"].as_string() == "benchmark",
            DatasetRow.archived_at.is_(None),
        )
        .order_by(DatasetRow.id)
    )
    newest = {row.name: row for row in (await session.execute(statement)).scalars()}
    return list(newest.values())


async def is_stored_for_someone(session: AsyncSession, key: str) -> bool:
    """Whether any dataset or waiting upload, of whatever project, has this key of the store. Unscoped: the store is shared."""
    if await list_holders(session, key, limit=1):
        return True
    waiting = select(UploadRow.id).where(UploadRow.file_path == key, UploadRow.state != UploadState.USED.value).limit(1)
    return (await session.execute(waiting)).scalar_one_or_none() is not None


async def list_holders(session: AsyncSession, key: str, *, except_id: int = 0, limit: int = 100) -> list[int]:
    """Datasets, of whatever project, that have this key of the store. Unscoped: the store is shared."""
    has_it = or_(
        *(column == key for column in (DatasetRow.file_path, DatasetRow.plain_path, DatasetRow.preprocessed_path))
    )
    statement = select(DatasetRow.id).where(has_it, DatasetRow.purged_at.is_(None), DatasetRow.id != except_id)
    return list((await session.execute(statement.order_by(DatasetRow.id).limit(limit))).scalars())


async def has_content(session: AsyncSession, sha256: str, *, except_id: int) -> bool:
    """Whether another dataset, of whatever project, has this content. Unscoped: the store is shared."""
    statement = select(DatasetRow.id).where(
        DatasetRow.sha256 == sha256, DatasetRow.purged_at.is_(None), DatasetRow.id != except_id
    )
    return (await session.execute(statement.limit(1))).scalar_one_or_none() is not None


async def page_of_versions(
    session: AsyncSession, principal: Principal, row: DatasetRow, page: PageRequest
) -> tuple[list[DatasetRow], int]:
    """A page of the versions of ``row``'s dataset, newest first, archived ones too."""
    statement = visible_to(principal, DatasetRow).where(
        DatasetRow.project_id == row.project_id, DatasetRow.name == row.name
    )
    total = (await session.execute(statement.with_only_columns(func.count(DatasetRow.id)))).scalar_one()
    rows = await session.execute(statement.order_by(DatasetRow.id.desc()).offset(page.offset).limit(page.page_size))
    return list(rows.scalars()), total


async def list_by_ids(session: AsyncSession, principal: Principal, ids: Collection[int]) -> list[DatasetRow]:
    """The datasets with these ids."""
    statement = visible_to(principal, DatasetRow).where(DatasetRow.id.in_(sorted(ids))).order_by(DatasetRow.id)
    return list((await session.execute(statement)).scalars())


async def list_children(
    session: AsyncSession, principal: Principal, ids: Collection[int], limit: int
) -> list[DatasetRow]:
    """The datasets that were made from these."""
    statement = visible_to(principal, DatasetRow).where(DatasetRow.parent_id.in_(sorted(ids)))
    return list((await session.execute(statement.order_by(DatasetRow.id).limit(limit))).scalars())


async def rename(session: AsyncSession, row: DatasetRow, name: str, slug: str) -> None:
    """Give all versions of ``row``'s dataset another name. Unscoped: they are in ``row``'s own project."""
    await session.execute(
        update(DatasetRow)
        .where(DatasetRow.project_id == row.project_id, DatasetRow.name == row.name)
        .values(name=name, slug=slug, updated_at=utc_now())
    )


async def list_quality_logs(
    session: AsyncSession, principal: Principal, dataset_id: int, page: PageRequest
) -> tuple[list[QualityLogRow], int]:
    """A page of the checks of a dataset, the newest first, and one more to compare the last one with; how many there are."""
    statement = visible_to(principal, QualityLogRow).where(QualityLogRow.dataset_id == dataset_id)
    total = (await session.execute(statement.with_only_columns(func.count(QualityLogRow.id)))).scalar_one()
    wanted = statement.order_by(QualityLogRow.id.desc()).offset(page.offset).limit(page.page_size + 1)
    return list((await session.execute(wanted)).scalars()), total


async def add_quality_log(session: AsyncSession, row: QualityLogRow) -> None:
    """Keep what a validation said."""
    session.add(row)
    await session.flush()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def find_mapping(session: AsyncSession, principal: Principal, columns_sha256: str) -> ColumnMappingRow | None:
    """The newest mapping of these columns in the current project."""
    statement = (
        visible_to(principal, ColumnMappingRow)
        .where(ColumnMappingRow.project_id == principal.project_id, ColumnMappingRow.columns_sha256 == columns_sha256)
        .order_by(ColumnMappingRow.id.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def forget_mappings(session: AsyncSession, principal: Principal, columns_sha256: str) -> None:
    """Remove what was said of these columns in the current project."""
    statement = visible_to(principal, ColumnMappingRow).where(
        ColumnMappingRow.project_id == principal.project_id, ColumnMappingRow.columns_sha256 == columns_sha256
    )
    for row in (await session.execute(statement)).scalars():
        await session.delete(row)
    await session.flush()


async def find_upload(session: AsyncSession, principal: Principal, upload_id: int) -> UploadRow | None:
    """The upload with this id."""
    statement = visible_to(principal, UploadRow).where(UploadRow.id == upload_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def list_expired_uploads(session: AsyncSession, now: datetime) -> list[UploadRow]:
    """Uploads, of whatever project, that have stood still for too long. Unscoped: the disk is shared."""
    statement = select(UploadRow).where(UploadRow.expires_at < now).order_by(UploadRow.id).limit(100)
    return list((await session.execute(statement)).scalars())


async def promised_bytes(session: AsyncSession) -> int:
    """Bytes that uploads, of whatever project, have still to receive. Unscoped: the disk is shared."""
    rest = func.coalesce(func.sum(UploadRow.size_bytes - UploadRow.received_bytes), 0)
    statement = select(rest).where(UploadRow.state == UploadState.RECEIVING.value)
    return int((await session.execute(statement)).scalar_one())


async def find_begun_upload(
    session: AsyncSession, principal: Principal, file_name: str, size_bytes: int, sha256: str | None
) -> UploadRow | None:
    """The upload that this person has begun of this very file and not used yet."""
    if sha256 is None:
        return None
    statement = (
        visible_to(principal, UploadRow)
        .where(
            UploadRow.project_id == principal.project_id,
            UploadRow.created_by == principal.user_id,
            UploadRow.sha256 == sha256,
            UploadRow.size_bytes == size_bytes,
            UploadRow.file_name == file_name,
            UploadRow.state != UploadState.USED.value,
        )
        .order_by(UploadRow.id.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()
