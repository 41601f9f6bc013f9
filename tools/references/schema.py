"""The schema as one script, from the migrations: what an empty SQLite database is made from."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from tunesmith.db import Database
from tunesmith.db.migrate import sqlite_script, upgrade


def sqlite() -> str:
    """Run every migration on an empty database and write down what there is."""
    return asyncio.run(_migrated())


async def _migrated() -> str:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'empty.db'}")
        try:
            async with database.exclusive() as connection:
                await connection.run_sync(upgrade)
                await connection.run_sync(_refuse_rows)
                return await connection.run_sync(sqlite_script)
        finally:
            await database.close()


def _refuse_rows(connection: Connection) -> None:
    """The script makes tables only: a migration that also writes rows would be half of itself in it."""
    for table in set(inspect(connection).get_table_names()) - {"alembic_version"}:
        if connection.execute(text(f'SELECT 1 FROM "{table}"')).first():  # noqa: S608  # names of our own tables
            raise SystemExit(f"A migration writes rows into {table!r}, which schema.sql cannot carry.")
