"""Alembic's door: the connection is handed in by ``tunesmith.db.migrate`` or, for SQL scripts, only a URL."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from tunesmith import bootstrap  # noqa: F401  # importing it declares every table
from tunesmith.db import Base


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our column types by their names."""
    if kind == "type" and isinstance(item, sa.JSON):
        return "tunesmith.db.types.JsonColumn"
    return False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Only the tables that the migration being written is about."""
    return kind != "table" or only is None or name in only


def include_object(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """The same for tables that exist only in the metadata."""
    return kind != "table" or only is None or name in only


only: set[str] | None = context.config.attributes.get("only_tables")
connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url"), target_metadata=Base.metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        include_name=include_name,
        include_object=include_object,
    )
    context.run_migrations()
