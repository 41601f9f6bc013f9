"""Preference pairs: where the prompt is, when it is a field of its own and when the two answers share it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.domains.datasets.formats.turns import Messages, as_turns, plain_messages

_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):[ \t]?")
_YES = frozenset({"true", "1", "yes", "y", "1.0", "good", "positive", "desirable", "참", "예", "좋음", "긍정"})
_NO = frozenset({"false", "0", "no", "n", "0.0", "bad", "negative", "undesirable", "거짓", "아니오", "나쁨", "부정"})


@dataclass(frozen=True)
class Pair:
    """One comparison: what was asked, and the two answers to it."""

    prompt: Messages
    chosen: Messages
    rejected: Messages


def pair_of(row: Mapping[str, Any]) -> Pair | None:
    """The comparison of a row of checked fields; None when the two answers share no prompt and none is given.

    Without a prompt, the turns that ``chosen`` and ``rejected`` begin with in common are it; texts are then read as the
    transcripts of ``Human:`` and ``Assistant:`` that the first such data sets were.
    """
    prompt: Any = row.get("prompt")
    chosen, rejected = row["chosen"], row["rejected"]
    if isinstance(chosen, str) and isinstance(rejected, str):
        if _is_given(prompt):
            return Pair(_asked(prompt, row), as_turns(chosen, "assistant"), as_turns(rejected, "assistant"))
        chosen, rejected = transcript(chosen), transcript(rejected)
        if chosen is None or rejected is None:
            return None
    first, second = plain_messages(chosen), plain_messages(rejected)
    if _is_given(prompt) and all(turns and turns[0]["role"] == "assistant" for turns in (first, second)):
        return Pair(_asked(prompt, row), first, second)
    shared = shared_turns(first, second)
    if not shared or not first[shared:] or not second[shared:]:
        return None
    return Pair(_asked(first[:shared], row), first[shared:], second[shared:])


def shared_turns(first: Messages, second: Messages) -> int:
    """How many turns both begin with; answers that are equal throughout keep their last one for themselves."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    longest = min(len(first), len(second)) - 1
    count = min(count, max(0, longest))
    while count and first[count - 1]["role"] == "assistant":
        count -= 1  # an answer belongs to the answers, even where both give the same
    return count


def transcript(text: str) -> Messages | None:
    """A text of ``Human:`` and ``Assistant:`` as turns; None when it is not one."""
    marks = list(_SPEAKER.finditer(text))
    if not marks or text[: marks[0].start()].strip() or marks[0][1] != "Human":
        return None
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    roles = {"Human": "user", "Assistant": "assistant"}
    return [
        {"role": roles[mark[1]], "content": text[mark.end() : end].strip()}
        for mark, end in zip(marks, ends, strict=True)
    ]


def label_of(value: Any) -> bool | None:
    """Whether an answer is good, from the ways that files say it; None when it cannot be told."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _YES else False if word in _NO else None
    return None


def _is_given(prompt: Any) -> bool:
    return bool(prompt.strip()) if isinstance(prompt, str) else isinstance(prompt, list) and bool(prompt)


def _asked(prompt: str | Messages, row: Mapping[str, Any]) -> Messages:
    system = row.get("system")
    turns = as_turns(prompt, "user")
    return [{"role": "system", "content": system}, *turns] if isinstance(system, str) and system.strip() else turns
