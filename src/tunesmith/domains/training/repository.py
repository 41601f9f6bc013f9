"""Every query of fine-tuning jobs, checkpoints and curves. A person's reads start from ``visible_to``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tunesmith.db import visible_to
from tunesmith.domains.training.tables import FinetuningJobRow, RecipeRow, TrainingCheckpointRow, TrainingPointRow
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Principal


async def find_job(session: AsyncSession, principal: Principal, job_id: int) -> FinetuningJobRow | None:
    """The job, if the person sees it and it was not deleted."""
    statement = visible_to(principal, FinetuningJobRow).where(
        FinetuningJobRow.id == job_id, FinetuningJobRow.archived_at.is_(None)
    )
    return (await session.execute(statement)).scalar_one_or_none()


@dataclass(frozen=True)
class JobFilter:
    """Which jobs a list has, and in what order."""

    status: str | None = None
    search: str | None = None
    base_model: str | None = None
    method: str | None = None
    dataset_id: int | None = None
    created_by: int | None = None
    sort: str = "-id"


SORTABLE = ("id", "job_name", "created_at", "started_at", "completed_at", "status", "progress")


async def list_jobs(
    session: AsyncSession, principal: Principal, page: PageRequest, wanted: JobFilter
) -> tuple[Sequence[FinetuningJobRow], int]:
    """A page of jobs in the order that was asked for, and how many there are."""
    row = FinetuningJobRow
    statement = visible_to(principal, row).where(row.archived_at.is_(None))
    for column, value in (
        (row.status, wanted.status),
        (row.base_model, wanted.base_model),
        (row.method, wanted.method),
        (row.dataset_id, wanted.dataset_id),
        (row.created_by, wanted.created_by),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.search:
        statement = statement.where(row.job_name.icontains(wanted.search, autoescape=True))
    total = await session.scalar(statement.with_only_columns(func.count(), maintain_column_froms=True))
    column = getattr(row, wanted.sort.removeprefix("-"))
    by = (column.desc(), row.id.desc()) if wanted.sort.startswith("-") else (column.asc(), row.id.asc())
    ordered = statement.order_by(*by).offset(page.offset).limit(page.page_size)
    return (await session.execute(ordered)).scalars().all(), total or 0


async def list_best(session: AsyncSession, job_ids: Sequence[int]) -> dict[int, int]:
    """Id of the best checkpoint by job, for jobs that the caller has found through ``visible_to``."""
    statement = select(TrainingCheckpointRow.job_id, TrainingCheckpointRow.id).where(
        TrainingCheckpointRow.job_id.in_(job_ids), TrainingCheckpointRow.is_best.is_(True)
    )
    return {row.job_id: row.id for row in await session.execute(statement)}


async def list_checkpoints(
    session: AsyncSession, job_id: int, page: PageRequest
) -> tuple[Sequence[TrainingCheckpointRow], int]:
    """Checkpoints by step."""
    mine = select(TrainingCheckpointRow).where(TrainingCheckpointRow.job_id == job_id)
    total = await session.scalar(mine.with_only_columns(func.count(), maintain_column_froms=True))
    by_step = mine.order_by(TrainingCheckpointRow.step, TrainingCheckpointRow.id)
    return (await session.execute(by_step.offset(page.offset).limit(page.page_size))).scalars().all(), total or 0


async def find_checkpoint(session: AsyncSession, job_id: int, checkpoint_id: int) -> TrainingCheckpointRow | None:
    """A checkpoint of that job."""
    statement = select(TrainingCheckpointRow).where(
        TrainingCheckpointRow.job_id == job_id, TrainingCheckpointRow.id == checkpoint_id
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def find_checkpoint_of_any(
    session: AsyncSession, principal: Principal, checkpoint_id: int
) -> tuple[TrainingCheckpointRow, FinetuningJobRow] | None:
    """A checkpoint and its job, if the caller may see that one."""
    found = await session.get(TrainingCheckpointRow, checkpoint_id)
    job = await find_job(session, principal, found.job_id) if found else None
    return (found, job) if found and job else None


async def delete_checkpoints(session: AsyncSession, job_id: int) -> None:
    """Forget all checkpoints of a job that the caller has found through ``visible_to``."""
    await session.execute(delete(TrainingCheckpointRow).where(TrainingCheckpointRow.job_id == job_id))


async def find_checkpoint_at(session: AsyncSession, job_id: int, path: str) -> TrainingCheckpointRow | None:
    """The checkpoint in that folder."""
    statement = select(TrainingCheckpointRow).where(
        TrainingCheckpointRow.job_id == job_id, TrainingCheckpointRow.path == path
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def forget_best(session: AsyncSession, job_id: int) -> None:
    """No checkpoint of the job is the best any more."""
    await session.execute(
        update(TrainingCheckpointRow).where(TrainingCheckpointRow.job_id == job_id).values(is_best=False)
    )


async def find_point(session: AsyncSession, job_id: int, step: int) -> TrainingPointRow | None:
    """The curves at one step."""
    return await session.get(TrainingPointRow, (job_id, step))


async def list_newest_points(session: AsyncSession, job_id: int, limit: int) -> Sequence[TrainingPointRow]:
    """The last points of a job, newest first."""
    mine = select(TrainingPointRow).where(TrainingPointRow.job_id == job_id)
    return (await session.execute(mine.order_by(TrainingPointRow.step.desc()).limit(limit))).scalars().all()


async def list_points(
    session: AsyncSession, job_id: int, *, from_step: int, max_points: int
) -> tuple[Sequence[TrainingPointRow], int]:
    """At most ``max_points`` points from a step on, evenly chosen, the first and the last among them, and how many there are."""
    mine = select(TrainingPointRow).where(TrainingPointRow.job_id == job_id, TrainingPointRow.step >= from_step)
    total = await session.scalar(mine.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    if total > max_points:
        place = func.row_number().over(order_by=TrainingPointRow.step) - 1
        numbered = mine.with_only_columns(TrainingPointRow.step.label("step"), place.label("place")).subquery()
        # place * (max - 1) // (total - 1) changes exactly max_points - 1 times between the first point and the last
        share, before = (numbered.c.place * (max_points - 1)), ((numbered.c.place - 1) * (max_points - 1))
        is_chosen = or_(numbered.c.place == 0, share // max(total - 1, 1) > before // max(total - 1, 1))
        mine = mine.where(TrainingPointRow.step.in_(select(numbered.c.step).where(is_chosen)))
    rows = await session.execute(mine.order_by(TrainingPointRow.step).limit(max_points))
    return rows.scalars().all(), total


async def list_recipes(
    session: AsyncSession, principal: Principal, page: PageRequest, *, search: str | None
) -> tuple[Sequence[RecipeRow], int]:
    """A page of saved recipes, newest first, and how many there are."""
    statement = visible_to(principal, RecipeRow)
    if search:
        statement = statement.where(RecipeRow.name.icontains(search, autoescape=True))
    total = await session.scalar(statement.with_only_columns(func.count(), maintain_column_froms=True))
    newest_first = statement.order_by(RecipeRow.id.desc()).offset(page.offset).limit(page.page_size)
    return (await session.execute(newest_first)).scalars().all(), total or 0


async def find_recipe(session: AsyncSession, principal: Principal, recipe_id: int) -> RecipeRow | None:
    """The recipe, if the person sees it."""
    statement = visible_to(principal, RecipeRow).where(RecipeRow.id == recipe_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def find_recipe_named(session: AsyncSession, principal: Principal, name: str) -> RecipeRow | None:
    """The recipe of that name in the person's project."""
    statement = visible_to(principal, RecipeRow).where(
        RecipeRow.name == name, RecipeRow.project_id == principal.project_id
    )
    return (await session.execute(statement)).scalar_one_or_none()
