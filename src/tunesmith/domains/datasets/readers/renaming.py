"""Columns of a file under the names that their format gives them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tunesmith.domains.datasets.readers.records import Fault, Record
from tunesmith.domains.datasets.readers.values import escape_pointer, unescape_pointer

BETWEEN_TEXTS = "\n\n"
CONVERSATIONS = frozenset(
    {"messages", "conversations", "prompt", "completion", "chosen", "rejected", "history", "tools"}
)
"""Fields that may hold a conversation; in a table they are written as JSON inside the cell."""
PARTS_OF_TURNS = frozenset({"role", "content", "from", "value", "type", "function", "parameters"})


def renamed_names(names: Iterable[str], mapping: Mapping[str, str]) -> list[str]:
    """The names of columns as fields, each once, in the order of the file."""
    return list(renamed(dict.fromkeys(names), mapping))


def renamed(row: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """``row`` with its fields renamed. Texts of several columns that become one field are joined by a blank line.

    A field that the mapping leaves alone and whose name it gives to another stays beside it as ``NAME (unmapped)``.
    """
    given = {field for column, field in mapping.items() if column in row}
    made: dict[str, Any] = {}
    for column, value in row.items():
        if column in mapping:
            field = mapping[column]
            made[field] = _joined(made[field], value) if field in made else value
        else:
            made[f"{column} (unmapped)" if column in given else column] = value
    return made


def as_fields(records: Iterator[Record], mapping: Mapping[str, str], is_table: bool) -> Iterator[Record]:
    """``records`` with their columns renamed; in a table, cells that hold a conversation are read."""
    for record in records:
        if isinstance(record.value, dict):
            value = renamed(record.value, mapping) if mapping else record.value
            if is_table:
                for name in CONVERSATIONS & value.keys():
                    value[name] = _read_cell(value[name])
            record.value = value
            if record.note is not None and mapping:
                record.note = _renamed_pointer(record.note, mapping)
        yield record


def _renamed_pointer(note: Fault, mapping: Mapping[str, str]) -> Fault:
    _, step, *rest = note.pointer.split("/")
    column = unescape_pointer(step)
    return replace(note, pointer="/".join(("", escape_pointer(mapping.get(column, column)), *rest)))


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return BETWEEN_TEXTS.join(text for text in (first, second) if text.strip())
    if first is None or (isinstance(first, str) and second is not None):
        return second  # a value of another type is kept, so that the row checker sees it
    return first


def _read_cell(cell: Any) -> Any:
    """A list of objects where the cell holds one as JSON; any other text stays a text."""
    if not (isinstance(cell, str) and cell.lstrip()[:1] == "["):
        return cell
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    is_conversation = isinstance(value, list) and value and all(map(_is_of_conversation, value))
    return value if is_conversation else cell


def _is_of_conversation(item: Any) -> bool:
    """A turn, a tool or a pair of earlier turns; an answer may be a list of other objects as JSON."""
    return isinstance(item, list) or (isinstance(item, dict) and not PARTS_OF_TURNS.isdisjoint(item))
