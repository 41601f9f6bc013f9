"""Conversations: is every turn whole, do the speakers alternate, are tools called and answered as they should be?"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.domains.datasets.doctor.checked import CheckedRow, Turn, names_of, shape, with_article
from tunesmith.domains.datasets.formats.turns import (
    CALLING_ROLES,
    ROLE_ALIASES,
    ROLES,
    SHAREGPT_FIELDS,
    TURN_FIELDS,
    object_of,
    role_of,
    sharegpt_turn,
    text_of,
    tools_of,
)
from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.readers import Fault, escape_pointer

CALLS = "assistant's call"
"""The state of a conversation whose last turn calls a tool."""
_NEXT = {
    "the start": ("user",),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user",),
    CALLS: ("tool",),
    "tool": ("assistant", "tool"),
}


def check_messages(messages: Any, pointer: str, checked: CheckedRow, *, ends: bool = True) -> list[str | None] | None:
    """Check a list of messages at ``pointer``; ``ends`` says that an answer has to be in it, and last.

    Answers the roles, None for each turn that cannot be used; None altogether when it is no list.
    """
    if not isinstance(messages, list):
        name = pointer.rsplit("/", 1)[-1]
        message = f"`{name}` is {with_article(messages)}; it has to be an array of turns."
        checked.faults.append(Fault("wrong-type", message, "array", shape(messages), pointer))
        return None
    roles = [_check_message(turn, f"{pointer}/{at}", checked) for at, turn in enumerate(messages)]
    states = [
        CALLS if role == "assistant" and isinstance(turn, Mapping) and turn.get("tool_calls") else role
        for role, turn in zip(roles, messages, strict=True)
    ]
    if ends:
        check_order(states, pointer, "role", checked)
        _check_call_ids(messages, pointer, checked)
    return roles


def check_sharegpt(turns: Any, checked: CheckedRow) -> None:
    """Check the turns of a row of sharegpt."""
    if not isinstance(turns, list):
        message = f"`conversations` is {with_article(turns)}; it has to be an array of turns."
        checked.faults.append(Fault("wrong-type", message, "array", shape(turns), "/conversations"))
        return
    states = [_check_said(turn, f"/conversations/{at}", checked) for at, turn in enumerate(turns)]
    is_our_spelling = bool(turns) and isinstance(turns[0], Mapping) and "from" not in turns[0]
    check_order(states, "/conversations", "role" if is_our_spelling else "from", checked)


def check_tools(value: Any, checked: CheckedRow) -> None:
    """Check the list of tools beside a conversation."""
    if value is not None and value not in ("", []) and tools_of(value) is None:
        message = (
            f"`tools` is {with_article(value)}; it has to be an array of tool descriptions (or that as JSON text)."
        )
        checked.faults.append(Fault("wrong-type", message, "array of objects", shape(value), "/tools"))


def check_order(states: Sequence[str | None], pointer: str, key: str, checked: CheckedRow) -> None:
    """Who may speak after whom: user and assistant by turns, after at most one system turn; a call, then its results."""
    if None in states:
        return  # the order of turns that cannot be read says nothing
    faults = checked.faults
    if "assistant" not in states and CALLS not in states:
        found = ", ".join(str(role) for role in states) or "no turns"
        faults.append(Fault("no-assistant", "No turn is the assistant's.", "an assistant turn", found, pointer))
    elif (wrong := _first_wrong(states)) is not None:
        before = str(states[wrong - 1]) if wrong else "the start"
        expected, found = " or ".join(_NEXT[before]), str(states[wrong]).split("'", 1)[0]
        message = f"Turn {wrong + 1} is the {found}'s, after {_named(before)}; the {expected} has to speak here."
        faults.append(Fault("wrong-role-order", message, expected, found, f"{pointer}/{wrong}/{key}"))
    elif states[-1] not in ("assistant", CALLS):
        at = len(states) - 1
        message = f"The conversation ends with the {states[-1]}'s turn, which teaches nothing."
        faults.append(Fault("last-turn-not-assistant", message, "assistant", states[-1], f"{pointer}/{at}/{key}"))


def _named(state: str) -> str:
    return "the assistant's call of a tool" if state == CALLS else state


def _first_wrong(states: Sequence[str | None]) -> int | None:
    before = "the start"
    for at, state in enumerate(states):
        speaker = "assistant" if state == CALLS else str(state)
        if speaker not in _NEXT[before] and not (at == 0 and speaker == "system"):
            return at
        before = str(state)
    return None


def _check_message(turn: Any, pointer: str, checked: CheckedRow) -> str | None:
    """Check one message; answers its role, or None when that cannot be used."""
    faults = checked.faults
    if not isinstance(turn, dict):
        message = f"The turn is {with_article(turn)}; it has to be an object with `role` and `content`."
        faults.append(Fault("wrong-type", message, "object", shape(turn), pointer))
        return None
    role = turn.get("role")
    known_role = role if isinstance(role, str) and role in ROLES else None
    if "role" not in turn:
        faults.append(Fault("missing-field", "The turn has no `role`.", "`role`", names_of(turn), f"{pointer}/role"))
    elif not isinstance(role, str):
        message = f"`role` is {with_article(role)}; it has to be a text."
        faults.append(Fault("wrong-type", message, "string", shape(role), f"{pointer}/role"))
    elif known_role is None:
        faults.append(_unknown_role(role, f"{pointer}/role"))
    has_calls = known_role == "assistant" and bool(turn.get("tool_calls"))
    _check_content(turn, known_role, has_calls, pointer, checked)
    if has_calls:
        _check_calls(turn["tool_calls"], f"{pointer}/tool_calls", checked)
    checked.extra.extend((f"{pointer}/{escape_pointer(k)}", v) for k, v in turn.items() if k not in TURN_FIELDS)
    return known_role


def _check_content(
    turn: Mapping[str, Any], role: str | None, has_calls: bool, pointer: str, checked: CheckedRow
) -> None:
    content, place = turn.get("content"), f"{pointer}/content"
    text = text_of(content)
    if content is None and has_calls:
        return
    if "content" not in turn:
        checked.faults.append(Fault("missing-field", "The turn has no `content`.", "`content`", names_of(turn), place))
    elif text is None:
        message = f"`content` is {with_article(content)}; it has to be a text."
        checked.faults.append(Fault("wrong-type", message, "string", shape(content), place))
    else:
        if role in ("user", "assistant") and not text.strip() and not has_calls:
            message = f"The {role}'s turn is empty."
            checked.faults.append(Fault("empty-turn", message, "a text", repr(text[:20]), place))
        checked.turns.append(Turn(str(role), text, place))


def _check_calls(calls: Any, pointer: str, checked: CheckedRow) -> None:
    if not isinstance(calls, list):
        message = f"`tool_calls` is {with_article(calls)}; it has to be an array of calls."
        checked.faults.append(Fault("bad-tool-call", message, "array", shape(calls), pointer))
        return
    for at, call in enumerate(calls):
        function = call.get("function") if isinstance(call, Mapping) else None
        fault = _fault_of_call(function)
        if fault is not None:
            checked.faults.append(Fault("bad-tool-call", *fault, f"{pointer}/{at}"))
    checked.turns.append(Turn("assistant", json.dumps(calls, ensure_ascii=False), pointer))


def _fault_of_call(function: Any) -> tuple[str, str, str] | None:
    if not isinstance(function, Mapping):
        return "The call has no `function`.", 'an object with "function"', shape(function)
    if not isinstance(function.get("name"), str) or not function["name"].strip():
        return "The call does not name its function.", "a name", shape(function.get("name"))
    arguments = function.get("arguments", function.get("parameters", {}))
    if object_of(arguments) is None:
        return "The arguments of the call are no JSON object.", "a JSON object", shape(arguments)
    return None


def _check_call_ids(messages: Sequence[Any], pointer: str, checked: CheckedRow) -> None:
    """The result of a tool that names a call has to name one that was made."""
    made: set[str] = set()
    for at, turn in enumerate(messages):
        if not isinstance(turn, Mapping):
            return
        calls = turn.get("tool_calls")
        made |= (
            {str(call.get("id")) for call in calls if isinstance(call, Mapping)} if isinstance(calls, list) else set()
        )
        wanted = turn.get("tool_call_id")
        if turn.get("role") == "tool" and isinstance(wanted, str) and wanted not in made:
            message = f"The result is for the call {shown(wanted, 40)!r}, which no turn before it makes."
            checked.faults.append(
                Fault("tool-call-mismatch", message, "the id of a call", wanted, f"{pointer}/{at}/tool_call_id")
            )


def _check_said(turn: Any, pointer: str, checked: CheckedRow) -> str | None:
    """Check one turn of sharegpt; answers the state that it leaves, or None when that cannot be told."""
    faults = checked.faults
    if not isinstance(turn, dict):
        message = f"The turn is {with_article(turn)}; it has to be an object with `from` and `value`."
        faults.append(Fault("wrong-type", message, "object", shape(turn), pointer))
        return None
    who, what = ("role", "content") if "from" not in turn and "role" in turn else ("from", "value")
    said, text = sharegpt_turn(turn)
    role = role_of(said)
    if who not in turn:
        faults.append(
            Fault("missing-field", f"The turn has no `{who}`.", f"`{who}`", names_of(turn), f"{pointer}/{who}")
        )
    elif not isinstance(said, str):
        message = f"`{who}` is {with_article(said)}; it has to be a text."
        faults.append(Fault("wrong-type", message, "string", shape(said), f"{pointer}/{who}"))
    elif role is None:
        faults.append(_unknown_role(said, f"{pointer}/{who}"))
    is_call = str(said).strip().lower() in CALLING_ROLES
    place = f"{pointer}/{what}"
    if text is None and what not in turn and "value" not in turn:
        faults.append(Fault("missing-field", f"The turn has no `{what}`.", f"`{what}`", names_of(turn), place))
    elif is_call and (fault := _fault_of_call(object_of(text))) is not None:
        faults.append(Fault("bad-tool-call", *fault, place))
    elif not is_call and text_of(text) is None:
        message = f"`{what}` is {with_article(text)}; it has to be a text."
        faults.append(Fault("wrong-type", message, "string", shape(text), place))
    else:
        content = text_of(text) or json.dumps(text, ensure_ascii=False)
        if role in ("user", "assistant") and isinstance(text, str) and not text.strip():
            faults.append(Fault("empty-turn", f"The {role}'s turn is empty.", "a text", repr(text[:20]), place))
        checked.turns.append(Turn(str(role), content, place))
    checked.extra.extend((f"{pointer}/{escape_pointer(k)}", v) for k, v in turn.items() if k not in SHAREGPT_FIELDS)
    return CALLS if is_call else role


def _unknown_role(role: str, pointer: str) -> Fault:
    meant = ROLE_ALIASES.get(role.strip().lower(), role.strip().lower())
    near = difflib.get_close_matches(meant, ROLES, 1)
    fix = f"Write `{near[0]}` here." if near else None
    message = f"The role {shown(role, 40)!r} is not known."
    return Fault("unknown-role", message, "system, user, assistant or tool", role, pointer, fix)
