"""Migrations go up, down and up again on both databases, and leave no difference to the tables."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from tunesmith import bootstrap
from tunesmith.db import Base, Database
from tunesmith.db.migrate import (
    SchemaTooNew,
    current_revision,
    downgrade,
    ensure_schema,
    head_revision,
    schema_sql,
    sqlite_script,
    upgrade,
)
from tunesmith.settings import load_settings


@pytest.fixture
async def database(database_url: str) -> Any:
    """An empty database."""
    assert bootstrap.routers is not None
    opened = Database(load_settings(database={"url": database_url}).database_url)
    yield opened
    await opened.close()


def _difference(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata))


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_up_down_up_and_no_difference(database: Database) -> None:
    async with database.exclusive() as connection:
        await connection.run_sync(upgrade)
        assert await connection.run_sync(_difference) == []
        await connection.run_sync(downgrade, "base")
        assert await connection.run_sync(_tables) == {"alembic_version"}
        await connection.run_sync(upgrade)
        assert await connection.run_sync(_difference) == []
        assert await connection.run_sync(current_revision) == head_revision()


async def test_an_empty_database_gets_what_the_migrations_make(database: Database) -> None:
    assert await ensure_schema(database) == head_revision()
    async with database.exclusive() as connection:
        assert await connection.run_sync(_difference) == []
        if database.is_sqlite:
            made = await connection.run_sync(sqlite_script)
            await connection.run_sync(downgrade, "base")
            await connection.execute(text("DROP TABLE alembic_version"))
            await connection.run_sync(upgrade)
            assert made == await connection.run_sync(sqlite_script)


async def test_a_database_that_is_behind_is_brought_up(database: Database) -> None:
    async with database.exclusive() as connection:
        await connection.run_sync(upgrade, "0001")
    assert await ensure_schema(database) == head_revision()
    async with database.exclusive() as connection:
        assert await connection.run_sync(current_revision) == head_revision()


async def test_several_processes_may_start_at_once(database: Database, database_url: str) -> None:
    others = [Database(database.url) for _ in range(4)]
    try:
        assert set(await asyncio.gather(*(ensure_schema(o) for o in others))) == {head_revision()}
    finally:
        for other in others:
            await other.close()


async def test_a_newer_database_is_refused(database: Database) -> None:
    await ensure_schema(database)
    async with database.exclusive() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="9999"):
        await ensure_schema(database)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_schema_as_sql(dialect: str) -> None:
    assert "CREATE TABLE projects" in schema_sql(dialect)
