"""Values of rows as they are answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer


def writable(value: Any) -> Any:
    """``value`` with U+FFFD for each half of a surrogate pair, which JSON can carry and UTF-8 cannot."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {writable(name): writable(item) for name, item in value.items()}
    return [writable(item) for item in value] if isinstance(value, list) else value


RowValue = Annotated[Any, PlainSerializer(writable)]
FieldName = Annotated[str, PlainSerializer(writable, return_type=str)]
