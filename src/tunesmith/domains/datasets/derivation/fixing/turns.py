"""Mending conversations: roles by their right names, turns in their right order, nothing empty, nothing after the last answer.

Only what is safe is done: no text is moved to another speaker, and none is dropped but turns that are empty or teach nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.domains.datasets.derivation.pointers import replaced, steps_of, value_at
from tunesmith.domains.datasets.doctor import RowChecker
from tunesmith.domains.datasets.formats import ROLE_ALIASES, ROLES, DataFormat
from tunesmith.domains.datasets.formats.turns import role_of
from tunesmith.domains.datasets.readers import Fault

Turns = list[Any]
ORDER = frozenset({"wrong-role-order", "no-assistant", "last-turn-not-assistant"})
_TEXT_KEYS = {"role": "content", "from": "value"}
_PLAIN = frozenset({"role", "content", "from", "value"})


class Removed:
    """Says that nothing of the row can be kept."""


REMOVED = Removed()


def known_role(value: Any, fault: Fault) -> Any:
    """The role by its own name; role and content change places when they were swapped. None when it cannot be told."""
    place, key = fault.pointer.rsplit("/", 1)
    turn = value_at(value, place)
    said, text = turn[key], turn.get(_TEXT_KEYS.get(key, "content"))
    if isinstance(text, str) and _role_meant(text, exact=True) and not _role_meant(said, exact=False):
        return replaced(value, place, turn | {key: text, _TEXT_KEYS[key]: said})
    meant = _role_meant(said, exact=False)
    return None if meant is None else replaced(value, fault.pointer, meant)


def _role_meant(said: str, *, exact: bool) -> str | None:
    name = said.strip().lower()
    known = name if name in ROLES else ROLE_ALIASES.get(name)
    if known is not None or exact:
        return known
    near = difflib.get_close_matches(name, ROLES, 1, cutoff=0.75)
    return near[0] if near else None


def inferred_role(value: Any, fault: Fault, fmt: DataFormat) -> Any:
    """A turn without a role gets the one that its place asks for, when that puts the whole conversation in order."""
    place, key = fault.pointer.rsplit("/", 1)
    if key not in _TEXT_KEYS or not isinstance(value_at(value, place), dict):
        return None
    fitting = []
    for role in ("user", "assistant"):
        made = replaced(value, place, {key: role, **value_at(value, place)})
        if not _has(made, fmt, ORDER | {"missing-field", "unknown-role"}):
            fitting.append(made)
    return fitting[0] if len(fitting) == 1 else None


def without_empty_turns(value: Any, fault: Fault, fmt: DataFormat) -> Any:
    """The conversation without its empty turns, or without the exchanges they are in; the row goes when nothing is left.

    An empty field that the format requires takes its row with it.
    """
    steps = steps_of(fault.pointer)
    if len(steps) < 3:
        return REMOVED
    place = f"/{steps[0]}"
    turns: Turns = value_at(value, place)
    at = int(steps[1])
    for first, last in ((at, at), (at - 1, at), (at, at + 1)):
        if first >= 0 and last < len(turns):
            rest = [*turns[:first], *turns[last + 1 :]]
            made = replaced(value, place, rest)
            if rest and not _has(made, fmt, ORDER):
                return made
    return REMOVED


def merged_turns(value: Any, fault: Fault, fmt: DataFormat) -> Any:
    """Turns of one speaker that follow each other become one; None when that does not put the conversation in order."""
    place = f"/{steps_of(fault.pointer)[0]}"
    turns: Turns = value_at(value, place)
    made: Turns = []
    for turn in turns:
        before = made[-1] if made else None
        merged = None if before is None else _merged(before, turn)
        if merged is None:
            made.append(turn)
        else:
            made[-1] = merged
    result = replaced(value, place, made)
    return None if len(made) == len(turns) or _has(result, fmt, frozenset({"wrong-role-order"})) else result


def _merged(one: Any, other: Any) -> dict[str, Any] | None:
    """Two turns of one speaker as one, if both hold nothing but a text."""
    if (
        not (isinstance(one, Mapping) and isinstance(other, Mapping))
        or one.keys() != other.keys()
        or one.keys() - _PLAIN
    ):
        return None
    key = "role" if "role" in one else "from"
    text = next((name for name in ("content", "value") if name in one), "")
    if role_of(one.get(key)) != role_of(other.get(key)) or role_of(one.get(key)) in (None, "tool"):
        return None
    if not (isinstance(one.get(text), str) and isinstance(other.get(text), str)):
        return None
    return {**one, text: f"{one[text]}\n\n{other[text]}"}


def cut_after_last_answer(value: Any, fault: Fault, fmt: DataFormat) -> Any:
    """The conversation up to its last answer."""
    place = f"/{steps_of(fault.pointer)[0]}"
    turns: Turns = value_at(value, place)
    while turns and role_of(_said(turns[-1])) != "assistant":
        turns = turns[:-1]
    return replaced(value, place, turns) if turns else None


def _said(turn: Any) -> Any:
    return turn.get("role", turn.get("from")) if isinstance(turn, Mapping) else None


def without_row(value: Any, fault: Fault) -> Any:
    """Nothing: there is nothing to learn from the row."""
    return REMOVED


def _has(value: Any, fmt: DataFormat, codes: frozenset[str]) -> bool:
    return any(fault.code in codes for fault in RowChecker(fmt).check(value).faults)


Fixer = Callable[[Any, Fault, DataFormat], Any]
