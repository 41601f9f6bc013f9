"""Is a row what its format says? Structure only: what one row shows by itself, without looking at its texts or neighbours."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from tunesmith.domains.datasets.formats import FIELDS, ROLE_ALIASES, ROLES, DataFormat
from tunesmith.domains.datasets.personal import shown
from tunesmith.domains.datasets.readers import Fault, escape_pointer


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


class RowChecker:
    """Checks rows against one format."""

    def __init__(self, fmt: DataFormat) -> None:
        self.format = fmt
        self._required = FIELDS[fmt].required
        self._known = FIELDS[fmt].known

    def check(self, value: Any) -> CheckedRow:
        """The structural faults of one decoded record."""
        checked = CheckedRow([], [], [])
        if not isinstance(value, dict):
            message = f"The row is {_a(value)}; a row is an object with named fields."
            checked.faults.append(Fault("not-an-object", message, "an object", _shape(value)))
            return checked
        missing = [name for name in self._required if name not in value]
        if missing:
            checked.faults.extend(self._missing(missing, value))
        else:
            checked.extra.extend((f"/{escape_pointer(k)}", v) for k, v in value.items() if k not in self._known)
        if self.format is DataFormat.MESSAGES:
            if "messages" in value:
                _check_messages(value["messages"], checked)
            return checked
        for name in self._known:
            if name in value:
                _check_text(name, value[name], name in self._required, checked)
        checked.turns.sort(key=_turn_order)
        return checked

    def _missing(self, missing: list[str], value: Mapping[str, Any]) -> list[Fault]:
        spare = [str(name) for name in value if name not in self._known]
        if len(missing) == len(self._required) > 1:
            names = " and ".join(f"`{name}`" for name in missing)
            return [
                Fault(
                    "missing-field",
                    f"The fields {names} are missing.{_near(missing[0], tuple(spare))}",
                    names,
                    _names(value),
                )
            ]
        return [
            Fault(
                "missing-field",
                f"The field `{name}` is missing.{_near(name, tuple(spare))}",
                f"`{name}`",
                _names(value),
                f"/{name}",
            )
            for name in missing
        ]


_ROLE_OF = {"instruction": "user", "input": "user", "prompt": "user", "output": "assistant", "completion": "assistant"}
_ORDER = {"/instruction": 0, "/prompt": 0, "/input": 1, "/output": 2, "/completion": 2}


def _turn_order(turn: Turn) -> int:
    return _ORDER[turn.pointer]


def _check_text(name: str, text: Any, is_required: bool, checked: CheckedRow) -> None:
    pointer = f"/{name}"
    if text is None and not is_required:
        return
    if not isinstance(text, str):
        message = f"The field `{name}` is {_a(text)}; it has to be a text."
        checked.faults.append(Fault("wrong-type", message, "string", _shape(text), pointer))
        return
    if is_required and not text.strip():
        message = f"The field `{name}` is empty."
        checked.faults.append(Fault("empty-turn", message, "a text", repr(text[:20]), pointer))
    if text or is_required:
        checked.turns.append(Turn(_ROLE_OF[name], text, pointer))


def _check_messages(messages: Any, checked: CheckedRow) -> None:
    faults = checked.faults
    if not isinstance(messages, list):
        message = f"`messages` is {_a(messages)}; it has to be an array of turns."
        faults.append(Fault("wrong-type", message, "array", _shape(messages), "/messages"))
        return
    roles: list[str | None] = [_check_turn(turn, f"/messages/{at}", checked) for at, turn in enumerate(messages)]
    if None in roles:
        return  # the order of turns that cannot be read says nothing
    if "assistant" not in roles:
        found = ", ".join(str(role) for role in roles) or "no turns"
        faults.append(Fault("no-assistant", "No turn is the assistant's.", "an assistant turn", found, "/messages"))
    elif (wrong := _first_wrong(roles)) is not None:
        before = roles[wrong - 1] if wrong else "the start"
        expected = "user" if before in ("assistant", "system", "the start") else "assistant"
        message = f"Turn {wrong + 1} is the {roles[wrong]}'s, after {before}; the {expected} has to speak here."
        faults.append(Fault("wrong-role-order", message, expected, roles[wrong], f"/messages/{wrong}/role"))
    elif roles[-1] != "assistant":
        at = len(roles) - 1
        message = f"The conversation ends with the {roles[-1]}'s turn, which teaches nothing."
        faults.append(Fault("last-turn-not-assistant", message, "assistant", roles[-1], f"/messages/{at}/role"))


def _first_wrong(roles: list[str | None]) -> int | None:
    """The first turn out of order: an optional system turn, then user and assistant by turns."""
    first = 1 if roles[0] == "system" else 0
    for at in range(first, len(roles)):
        if roles[at] != ("user" if (at - first) % 2 == 0 else "assistant"):
            return at
    return None


def _check_turn(turn: Any, pointer: str, checked: CheckedRow) -> str | None:
    """Check one message; answers its role, or None when that cannot be used."""
    faults = checked.faults
    if not isinstance(turn, dict):
        message = f"The turn is {_a(turn)}; it has to be an object with `role` and `content`."
        faults.append(Fault("wrong-type", message, "object", _shape(turn), pointer))
        return None
    role = turn.get("role")
    known_role = role if isinstance(role, str) and role in ROLES else None
    if "role" not in turn:
        faults.append(Fault("missing-field", "The turn has no `role`.", "`role`", _names(turn), f"{pointer}/role"))
    elif not isinstance(role, str):
        message = f"`role` is {_a(role)}; it has to be a text."
        faults.append(Fault("wrong-type", message, "string", _shape(role), f"{pointer}/role"))
    elif known_role is None:
        faults.append(_unknown_role(role, f"{pointer}/role"))
    content = turn.get("content")
    if "content" not in turn:
        faults.append(
            Fault("missing-field", "The turn has no `content`.", "`content`", _names(turn), f"{pointer}/content")
        )
    elif not isinstance(content, str):
        message = f"`content` is {_a(content)}; it has to be a text."
        faults.append(Fault("wrong-type", message, "string", _shape(content), f"{pointer}/content"))
    else:
        if known_role in ("user", "assistant") and not content.strip():
            message = f"The {known_role}'s turn is empty."
            faults.append(Fault("empty-turn", message, "a text", repr(content[:20]), f"{pointer}/content"))
        checked.turns.append(Turn(str(known_role), content, f"{pointer}/content"))
    checked.extra.extend((f"{pointer}/{escape_pointer(k)}", v) for k, v in turn.items() if k not in ("role", "content"))
    return known_role


def _unknown_role(role: str, pointer: str) -> Fault:
    meant = ROLE_ALIASES.get(role.strip().lower(), role.strip().lower())
    near = difflib.get_close_matches(meant, ROLES, 1)
    fix = f"Write `{near[0]}` here." if near else None
    message = f"The role {shown(role, 40)!r} is not known."
    return Fault("unknown-role", message, "system, user or assistant", role, pointer, fix)


@functools.lru_cache(maxsize=256)
def _near(name: str, spare: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, spare, 1) or list(spare if len(spare) == 1 else ())
    return f" There is `{shown(near[0], 60)}`: was that meant?" if near else ""


def _names(value: Mapping[str, Any]) -> str:
    return "the fields " + ", ".join(shown(name, 40) for name in list(value)[:8]) if value else "no fields"


JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


def json_type(value: Any) -> str:
    """The JSON name of the type of a decoded value."""
    return JSON_TYPES.get(type(value), "null")


def _a(value: Any) -> str:
    name = json_type(value)
    return name if name == "null" else f"an {name}" if name[0] in "ao" else f"a {name}"


def _shape(value: Any) -> str:
    """A value for a finding: texts and numbers as they are, containers by type and size."""
    if isinstance(value, dict | list):
        return f"{json_type(value)} of {len(value)}"
    return json_type(value) if value is None or isinstance(value, bool) else str(value)[:2000]
