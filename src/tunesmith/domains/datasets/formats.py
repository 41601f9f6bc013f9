"""The shapes that rows may have, how to tell them apart, and how each becomes messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tunesmith.domains.datasets.errors import MissingColumnsError, UnsupportedFormatError

Messages = list[dict[str, str]]


class DataFormat(StrEnum):
    """The shape of the rows."""

    MESSAGES = "messages"
    ALPACA = "alpaca"
    PROMPT_COMPLETION = "prompt_completion"


@dataclass(frozen=True)
class Fields:
    """The fields of a format: those that a row must have, those that it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.required, *self.optional))


FIELDS = {
    DataFormat.MESSAGES: Fields(("messages",)),
    DataFormat.ALPACA: Fields(("instruction", "output"), ("input",)),
    DataFormat.PROMPT_COMPLETION: Fields(("prompt", "completion")),
}
ROLES = ("system", "user", "assistant")
ROLE_ALIASES = {
    "human": "user",
    "customer": "user",
    "client": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "chatbot": "assistant",
    "agent": "assistant",
}
_LATER = {
    frozenset({"conversations"}): "ShareGPT conversations",
    frozenset({"chosen", "rejected"}): "preference pairs (chosen, rejected)",
    frozenset({"text"}): "plain text",
}
_QUESTIONS = ("question", "query", "prompt", "instruction", "input", "질문")
_ANSWERS = ("answer", "response", "completion", "output", "reply", "답변", "응답")


@dataclass(frozen=True)
class Detected:
    """Which format the first rows have, and in which share of them it was seen."""

    format: DataFormat
    confidence: float


def detect(rows: Sequence[Any]) -> Detected:
    """The format of most of ``rows``; refuses, naming the columns and a renaming that helps, when none fits."""
    objects = [row for row in rows if isinstance(row, Mapping)]
    counts = {fmt: sum(all(name in row for name in FIELDS[fmt].required) for row in objects) for fmt in DataFormat}
    best = max(counts, key=lambda fmt: counts[fmt])
    if counts[best]:
        return Detected(best, round(counts[best] / len(rows), 3))
    columns = list(dict.fromkeys(str(name) for row in objects for name in row))
    partial = _partial(objects)
    if partial is not None:
        return partial
    raise _refusal(columns)


def check_columns(columns: Collection[str], wanted: DataFormat | None) -> None:
    """Refuse a CSV header that cannot carry ``wanted`` (or, without a wish, any format)."""
    fits = [fmt for fmt in DataFormat if fmt is not DataFormat.MESSAGES and set(FIELDS[fmt].required) <= set(columns)]
    if not fits or (wanted is not None and wanted not in fits):
        raise _refusal(list(columns), wanted)


def _partial(objects: Sequence[Mapping[str, Any]]) -> Detected | None:
    """A format of which some rows have one required field: the faults are then found row by row."""
    best, share = None, 0.0
    for fmt in DataFormat:
        seen = sum(any(name in row for name in FIELDS[fmt].required) for row in objects)
        names = {name for row in objects for name in row}
        if set(FIELDS[fmt].required) <= names and objects and seen / len(objects) > share:
            best, share = fmt, seen / len(objects)
    return Detected(best, round(share / 2, 3)) if best is not None else None


def _refusal(columns: list[str], wanted: DataFormat | None = None) -> MissingColumnsError | UnsupportedFormatError:
    shown = ", ".join(f"`{name[:60]}`" for name in columns[:12]) or "no named fields"
    for names, title in _LATER.items():
        if names <= set(columns):
            return UnsupportedFormatError(
                f"The rows look like {title} ({shown}); messages, alpaca and prompt/completion can be read.",
                hint="Write each row as {'messages': [{'role': 'user', 'content': …}, {'role': 'assistant', 'content': …}]}.",
            )
    missing = [name for name in FIELDS[wanted or DataFormat.ALPACA].required if name not in columns]
    lowered = {name.strip().lower(): name for name in columns}
    question = next((lowered[name] for name in _QUESTIONS if name in lowered), None)
    answer = next((lowered[name] for name in _ANSWERS if name in lowered and lowered[name] != question), None)
    hint = None
    if question is not None and answer is not None:
        hint = (
            f"Rename the columns: `{question}` to `prompt` and `{answer}` to `completion`, then upload the file again."
        )
    return MissingColumnsError(
        f"The columns {', '.join(f'`{name}`' for name in missing)} are missing; the file has {shown}.",
        hint=hint,
        missing=missing,
        columns=[name[:60] for name in columns[:50]],
    )


def to_messages(row: Mapping[str, Any], fmt: DataFormat) -> Messages:
    """A row without red findings as messages."""
    if fmt is DataFormat.MESSAGES:
        return [{"role": turn["role"], "content": turn["content"]} for turn in row["messages"]]
    if fmt is DataFormat.PROMPT_COMPLETION:
        asked, answered = row["prompt"], row["completion"]
    else:
        asked, answered = row["instruction"], row["output"]
        if row.get("input"):
            asked = f"{asked}\n\n{row['input']}"
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
