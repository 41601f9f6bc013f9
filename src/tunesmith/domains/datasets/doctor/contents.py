"""What a row holds: what it teaches, to compare rows by, and the faults of its texts, also of those that nothing reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tunesmith.domains.datasets.doctor.checked import CheckedRow
from tunesmith.domains.datasets.doctor.texts import personal_faults, text_faults
from tunesmith.domains.datasets.formats.pairs import label_of
from tunesmith.domains.datasets.pii import FindPii
from tunesmith.domains.datasets.readers import Fault
from tunesmith.domains.datasets.readers.values import escape_pointer

_LABELLED = frozenset({"prompt", "completion", "label"})


def taught(checked: CheckedRow, value: Mapping[str, Any]) -> list[str]:
    """What a row without red findings teaches, in parts; the mark of an answer is the last. Rows that differ in one are not the same."""
    parts = [part for turn in checked.turns for part in (turn.role, turn.text)]
    for _, thought in _thoughts(value):
        parts += ["reasoning", thought]
    if tools := value.get("tools"):
        parts += ["tools", json.dumps(tools, sort_keys=True)]
    if value.keys() >= _LABELLED:
        parts.append(str(label_of(value["label"])))
    return parts


def faults_of_texts(checked: CheckedRow, value: Any, find_pii: FindPii | None) -> Iterator[Fault]:
    """The faults of every turn; personal data also in what is no turn and goes with the data all the same: thoughts, unused fields."""
    for turn in checked.turns:
        for fault in text_faults(turn.text, find_pii):
            yield replace(fault, pointer=turn.pointer)
    for pointer, text in _unread_texts(checked, value):
        for fault in personal_faults(text, find_pii):
            yield replace(fault, pointer=pointer)


def _unread_texts(checked: CheckedRow, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield from _thoughts(value)
    for pointer, extra in checked.extra:
        yield from _texts(extra, pointer)


def _thoughts(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("messages", "conversations"):
        turns = value.get(name)
        for place, turn in enumerate(turns if isinstance(turns, list) else []):
            if isinstance(turn, dict) and isinstance(thought := turn.get("reasoning_content"), str):
                yield f"/{name}/{place}/reasoning_content", thought


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, f"{pointer}/{escape_pointer(name)}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _texts(part, f"{pointer}/{place}")
