"""What the check of one row says: its faults, and the texts that could be read. How values are named in findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.readers import Fault


class Turn(NamedTuple):
    """One text of a row, with the role it plays and the pointer to it."""

    role: str
    text: str
    pointer: str


class CheckedRow(NamedTuple):
    """A row's faults and the texts that could be read."""

    faults: list[Fault]
    turns: list[Turn]
    extra: list[tuple[str, Any]]
    """Fields that the format does not use: pointer and value."""
    answers: int = 1
    """How many of ``turns``, counted from the end, answer the others."""

    @property
    def prompt(self) -> list[Turn]:
        """What is asked: all turns but the answers; where nothing is asked, everything."""
        return self.turns[: len(self.turns) - self.answers] if self.answers else self.turns


JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


def json_type(value: Any) -> str:
    """The JSON name of the type of a decoded value."""
    return JSON_TYPES.get(type(value), "null")


def with_article(value: Any) -> str:
    """The type of a value in a sentence: ``an array``."""
    name = json_type(value)
    return name if name == "null" else f"an {name}" if name[0] in "ao" else f"a {name}"


def shape(value: Any) -> str:
    """A value for a finding: texts and numbers as they are, containers by type and size."""
    if isinstance(value, dict | list):
        return f"{json_type(value)} of {len(value)}"
    return json_type(value) if value is None or isinstance(value, bool) else str(value)[:2000]


def names_of(value: Mapping[str, Any]) -> str:
    """The fields of an object for a finding."""
    return "the fields " + ", ".join(shown(name, 40) for name in list(value)[:8]) if value else "no fields"
