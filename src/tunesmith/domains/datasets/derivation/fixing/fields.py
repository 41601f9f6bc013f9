"""Mending fields: those with another name, and values of another type that say the same."""

from __future__ import annotations

import difflib
import json
from typing import Any

from tunesmith.domains.datasets.derivation.pointers import PointerMissing, replaced, steps_of, value_at
from tunesmith.domains.datasets.formats import FIELDS, DataFormat
from tunesmith.domains.datasets.readers import Fault

_TURN_KEYS = {
    "role": ("from", "speaker", "author", "Role"),
    "from": ("role", "speaker", "author", "From"),
    "content": ("value", "text", "message", "Content"),
    "value": ("content", "text", "message", "Value"),
}
_ASKED = ("prompt", "instruction", "question", "query", "input", "user", "질문", "지시")
_ANSWERED = ("completion", "output", "answer", "response", "reply", "assistant", "답변", "응답", "출력")
_LISTS = ("messages", "conversations")


def renamed_field(value: Any, fault: Fault, fmt: DataFormat) -> Any:
    """The row with the field that is meant under its right name; None when that cannot be told."""
    steps = steps_of(fault.pointer)
    if len(steps) > 1:
        return _renamed_in_turn(value, fault.pointer, steps[-1])
    missing = steps or [name for name in FIELDS[fmt].required if name not in value]
    names: dict[str, str] = {}
    for name in missing:
        spare = [other for other in value if other not in FIELDS[fmt].known and other not in names]
        meant = _meant(name, spare)
        if meant is None:
            return None
        names[meant] = name
    return {names.get(name, name): item for name, item in value.items()}


def _meant(name: str, spare: list[str]) -> str | None:
    alike = [other for other in spare if other.strip().casefold() == name]
    same = next((group for group in (_ASKED, _ANSWERED, _LISTS) if name in group), ())
    alike = alike or [other for other in spare if other.strip().casefold() in same]
    alike = alike or difflib.get_close_matches(name, spare, 2, cutoff=0.75)
    return alike[0] if len(alike) == 1 else None


def _renamed_in_turn(value: Any, pointer: str, name: str) -> Any:
    place = pointer[: pointer.rindex("/")]
    turn = value_at(value, place)
    if not isinstance(turn, dict):
        return None
    found = [other for other in _TURN_KEYS.get(name, ()) if isinstance(turn.get(other), str)]
    if len(found) != 1:
        return None
    made = {name if key == found[0] else key: item for key, item in turn.items()}
    return replaced(value, place, made)


def as_text(value: Any, fault: Fault) -> Any:
    """A number or a yes/no as text, a list that was written as JSON text as that list; None for anything else."""
    try:
        found = value_at(value, fault.pointer)
    except PointerMissing:
        return None
    expected = fault.expected or ""
    if isinstance(found, bool | int | float) and expected.startswith("string"):
        return replaced(value, fault.pointer, json.dumps(found))
    if isinstance(found, str) and expected.startswith("array"):
        try:
            read = json.loads(found)
        except (ValueError, RecursionError):
            return None
        return replaced(value, fault.pointer, read) if isinstance(read, list) else None
    if isinstance(found, list) and expected.startswith("string") and found:
        texts = [part if isinstance(part, str) else None for part in found]
        return replaced(value, fault.pointer, "\n".join(str(text) for text in texts)) if None not in texts else None
    return None


def as_read(value: Any, fault: Fault) -> Any:
    """The row as it is read: of a repeated key the last value counts."""
    return value
