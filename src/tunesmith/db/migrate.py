"""Bringing a database to the schema that this program was written for.

Alembic is imported only when the schema is behind: it would cost a start half a second. An empty SQLite database gets the
schema from one script (``schema.sql``, generated from the migrations), and is behind only where the script is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tunesmith.db.session import Database
from tunesmith.kit.errors import TunesmithError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
SQLITE_SCRIPT = MIGRATIONS / "schema.sql"
ADVISORY_LOCK = 7_236_455_101


class SchemaTooNew(TunesmithError):
    """The database was written by a newer program."""

    code, status, title = "schema-too-new", 503, "The database belongs to a newer version"
    hint = "Start the newer version of Tunesmith, or restore a backup made by this one."


def head_revision() -> str:
    """The newest revision that this program brings: migrations are numbered, so the last name has it."""
    names = sorted(f.stem for f in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return names[-1].split("_", 1)[0]


def known_revisions() -> set[str]:
    """All revisions that this program brings."""
    return {f.stem.split("_", 1)[0] for f in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection, target: str = "head") -> None:
    """Run the migrations up to ``target`` inside the caller's transaction."""
    from alembic import command

    command.upgrade(_config(connection), target)


def downgrade(connection: Connection, target: str) -> None:
    """Run the migrations down to ``target`` inside the caller's transaction."""
    from alembic import command

    command.downgrade(_config(connection), target)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def schema_sql(dialect: str) -> str:
    """The whole schema as SQL statements for ``dialect`` (Alembic's offline mode)."""
    import contextlib
    import io

    from alembic import command
    from alembic.config import Config

    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", f"{dialect}://")
    with contextlib.redirect_stderr(io.StringIO()):
        command.upgrade(config, "head", sql=True)
    return output.getvalue()


def sqlite_script(connection: Connection) -> str:
    """The statements that make the schema of this SQLite database, its revision included, a blank line between them."""
    objects = connection.execute(
        text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    )
    lines = ("\n".join(line.rstrip() for line in sql.splitlines()) for sql in objects.scalars())
    stamp = f"INSERT INTO alembic_version (version_num) VALUES ('{current_revision(connection)}')"  # noqa: S608  # our own revision
    return "\n\n".join(f"{statement};" for statement in (*lines, stamp)) + "\n"


def create_from_script(connection: Connection) -> None:
    """Make the schema of an empty SQLite database inside the caller's transaction."""
    for statement in SQLITE_SCRIPT.read_text(encoding="utf-8").split("\n\n"):
        connection.exec_driver_sql(statement)


async def ensure_schema(database: Database) -> str:
    """Bring the database to this program's schema; several processes may call it at once. Answers the revision.

    Raises SchemaTooNew when the database is ahead of this program.
    """
    head = head_revision()
    async with database.engine.connect() as connection:
        if await connection.run_sync(current_revision) == head:
            return head
    async with database.exclusive() as connection:
        if not database.is_sqlite:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        found = await connection.run_sync(current_revision)
        if found is None and database.is_sqlite:
            await connection.run_sync(create_from_script)
            found = await connection.run_sync(current_revision)
        if found is not None and found not in known_revisions():
            raise SchemaTooNew(f"The database is at revision {found!r}, which this version does not know.")
        if found != head:
            await connection.run_sync(upgrade)
    return head


def readable_reason(error: DBAPIError) -> str:
    """What the database said, without the statement and its values."""
    return re.sub(r"\s+", " ", str(error.orig or error)).strip()[:300]
