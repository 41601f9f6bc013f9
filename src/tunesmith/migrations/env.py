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
    )
    context.run_migrations()
