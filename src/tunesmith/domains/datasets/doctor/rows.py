"""Is a row what its format says? Structure only: what one row shows by itself, without looking at its texts or neighbours."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.domains.datasets.doctor.checked import CheckedRow, Turn, json_type, names_of, shape, with_article
from tunesmith.domains.datasets.doctor.conversations import check_messages, check_sharegpt, check_tools
from tunesmith.domains.datasets.doctor.preferences import check_label, check_pair, check_said
from tunesmith.domains.datasets.formats import FIELDS, DataFormat
from tunesmith.domains.datasets.formats.turns import tools_of
from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.readers import Fault, escape_pointer

__all__ = ["CheckedRow", "RowChecker", "Turn", "json_type"]

Row = Mapping[str, Any]
_ANSWERS = {DataFormat.PREFERENCE: 2, DataFormat.TEXT: 0}


class RowChecker:
    """Checks rows against one format."""

    def __init__(self, fmt: DataFormat) -> None:
        self.format = fmt
        self._required = FIELDS[fmt].required
        self._known = FIELDS[fmt].known
        self._answers = _ANSWERS.get(fmt, 1)
        self._check = _CHECKS[fmt]

    def check(self, value: Any) -> CheckedRow:
        """The structural faults of one decoded record."""
        checked = CheckedRow([], [], [], self._answers)
        if not isinstance(value, dict):
            message = f"The row is {with_article(value)}; a row is an object with named fields."
            checked.faults.append(Fault("not-an-object", message, "an object", shape(value)))
            return checked
        missing = [name for name in self._required if name not in value]
        if missing:
            checked.faults.extend(self._missing(missing, value))
        else:
            checked.extra.extend((f"/{escape_pointer(k)}", v) for k, v in value.items() if k not in self._known)
        self._check(value, checked)
        return checked

    def _missing(self, missing: list[str], value: Row) -> list[Fault]:
        spare = tuple(str(name) for name in value if name not in self._known)
        if len(missing) == len(self._required) > 1:
            names = " and ".join(f"`{name}`" for name in missing)
            message = f"The fields {names} are missing.{_near(missing[0], spare)}"
            return [Fault("missing-field", message, names, names_of(value))]
        return [
            Fault(
                "missing-field",
                f"The field `{name}` is missing.{_near(name, spare)}",
                f"`{name}`",
                names_of(value),
                f"/{name}",
            )
            for name in missing
        ]


def _messages(row: Row, checked: CheckedRow) -> None:
    if "messages" in row:
        check_messages(row["messages"], "/messages", checked)
    check_tools(row.get("tools"), checked)


def _sharegpt(row: Row, checked: CheckedRow) -> None:
    _text(row, "system", "system", checked)
    if "conversations" in row:
        check_sharegpt(row["conversations"], checked)
    check_tools(row.get("tools"), checked)


def _alpaca(row: Row, checked: CheckedRow) -> None:
    _text(row, "system", "system", checked)
    _history(row.get("history"), checked)
    _text(row, "instruction", "user", checked, is_required=True)
    _text(row, "input", "user", checked)
    _text(row, "output", "assistant", checked, is_required=True)


def _question(row: Row, checked: CheckedRow) -> None:
    _text(row, "system", "system", checked)
    _text(row, "context", "user", checked)
    _text(row, "question", "user", checked, is_required=True)
    _text(row, "answer", "assistant", checked, is_required=True)


def _prompt(row: Row, checked: CheckedRow) -> None:
    _text(row, "system", "system", checked)
    for name, role in (("prompt", "user"), ("completion", "assistant")):
        if isinstance(row.get(name), list):
            check_said(row, name, checked, role)
        else:
            _text(row, name, role, checked, is_required=True)
    _tools_of_turns(row, "prompt", checked)


def _judged(row: Row, checked: CheckedRow) -> None:
    _prompt(row, checked)
    check_label(row, checked)


def _pair(row: Row, checked: CheckedRow) -> None:
    _text(row, "system", "system", checked)
    check_pair(row, checked)
    _tools_of_turns(row, "chosen", checked)


def _tools_of_turns(row: Row, said: str, checked: CheckedRow) -> None:
    """Tools beside turns are as in a conversation; beside a text such a field may be anything, and is looked through as such."""
    tools = row.get("tools")
    if isinstance(row.get(said), list) or tools_of(tools) is not None:
        check_tools(tools, checked)
    elif tools not in (None, "", []):
        checked.extra.append(("/tools", tools))


def _plain(row: Row, checked: CheckedRow) -> None:
    _text(row, "text", "text", checked, is_required=True)


_CHECKS: dict[DataFormat, Callable[[Row, CheckedRow], None]] = {
    DataFormat.MESSAGES: _messages,
    DataFormat.SHAREGPT: _sharegpt,
    DataFormat.ALPACA: _alpaca,
    DataFormat.QA: _question,
    DataFormat.PROMPT_COMPLETION: _prompt,
    DataFormat.KTO: _judged,
    DataFormat.PREFERENCE: _pair,
    DataFormat.TEXT: _plain,
}


def _text(row: Row, name: str, role: str, checked: CheckedRow, *, is_required: bool = False) -> None:
    """Check a field that is a text; an optional one may also be null or empty."""
    if name not in row:
        return
    text, pointer = row[name], f"/{name}"
    if text is None and not is_required:
        return
    if not isinstance(text, str):
        message = f"The field `{name}` is {with_article(text)}; it has to be a text."
        checked.faults.append(Fault("wrong-type", message, "string", shape(text), pointer))
        return
    if is_required and not text.strip():
        message = f"The field `{name}` is empty."
        checked.faults.append(Fault("empty-turn", message, "a text", repr(text[:20]), pointer))
    if text or is_required:
        checked.turns.append(Turn(role, text, pointer))


def _history(value: Any, checked: CheckedRow) -> None:
    """Earlier questions with their answers, as alpaca files with several turns have them."""
    if not value:
        return
    is_list = isinstance(value, list)
    for at, pair in enumerate(value if is_list else [value]):
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        if not is_list or not is_pair:
            message = "`history` has to be an array of [question, answer]."
            place = f"/history/{at}" if is_list else "/history"
            checked.faults.append(Fault("wrong-type", message, "array of two texts", shape(pair), place))
            continue
        checked.turns.append(Turn("user", pair[0], f"/history/{at}/0"))
        checked.turns.append(Turn("assistant", pair[1], f"/history/{at}/1"))


@functools.lru_cache(maxsize=256)
def _near(name: str, spare: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, spare, 1) or list(spare if len(spare) == 1 else ())
    return f" There is `{shown(near[0], 60)}`: was that meant?" if near else ""
