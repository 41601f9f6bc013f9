"""Write a migration from the difference between the tables and an upgraded database.

`python -m tools.make_migration 0004 "pipelines"`, followed by names of tables where only some are meant.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from tunesmith import bootstrap
from tunesmith.db import Database
from tunesmith.db.migrate import MIGRATIONS, ensure_schema


async def write(number: str, message: str, only_tables: set[str] | None) -> None:
    """Upgrade an empty SQLite database to the newest revision and let Alembic write the rest."""
    assert bootstrap.routers is not None  # importing bootstrap declared every table
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'empty.db'}")
        if any((MIGRATIONS / "versions").glob("[0-9]*.py")):
            await ensure_schema(database)

        def revise(connection: Connection) -> None:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            config.attributes["only_tables"] = only_tables
            command.revision(config, message=message, autogenerate=True, rev_id=number)

        async with database.exclusive() as connection:
            await connection.run_sync(revise)
        await database.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], set(sys.argv[3:]) or None))
