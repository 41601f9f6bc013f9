"""Values of rows as they are answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer


def _writable(value: Any) -> Any:
    """``value`` with U+FFFD for each half of a surrogate pair, which JSON can carry and UTF-8 cannot."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_writable(name): _writable(item) for name, item in value.items()}
    return [_writable(item) for item in value] if isinstance(value, list) else value


RowValue = Annotated[Any, PlainSerializer(_writable)]
FieldName = Annotated[str, PlainSerializer(_writable, return_type=str)]
