"""Columns that a split looks at: by name, or by a JSON pointer into the rows."""

from __future__ import annotations

import json
from typing import Any

from tunesmith.domains.datasets.errors import PreprocessingError
from tunesmith.domains.datasets.pii import shown

_NOTHING = object()


class Column:
    """The values of one column as texts; knows in the end whether any row has it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._found = False

    def text_in(self, row: Any) -> str | None:
        """The value as a text; None where there is none, or null, or an empty text."""
        value = _value_at(row, self.name)
        if value is _NOTHING:
            return None
        self._found = True
        if value is None or value == "":
            return None
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def check_found(self) -> None:
        """Refuse a column that no row has; raises PreprocessingError."""
        if not self._found:
            raise PreprocessingError(
                f"No row has the field {shown(self.name)!r}.",
                hint="Name a column of the file, or a place inside the rows as a JSON pointer: /meta/user.",
            )


def _value_at(row: Any, where: str) -> Any:
    if isinstance(row, dict) and where in row:
        return row[where]
    if not where.startswith("/"):
        return _NOTHING
    for part in where[1:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(row, dict) and name in row:
            row = row[name]
        elif isinstance(row, list) and name.isdecimal() and int(name) < len(row):
            row = row[int(name)]
        else:
            return _NOTHING
    return row
