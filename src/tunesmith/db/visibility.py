"""The one place that says whose rows a person sees."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Select, select

from tunesmith.db.metadata import ProjectOwned
from tunesmith.kit.principal import Principal

Row = TypeVar("Row", bound=ProjectOwned)


def visible_to(principal: Principal, table: type[Row]) -> Select[Row]:
    """A SELECT of the rows of ``table`` that ``principal`` may see; every repository starts from it."""
    statement = select(table)
    if principal.sees_everything:
        return statement
    return statement.where(table.project_id.in_(sorted(principal.project_ids)))
