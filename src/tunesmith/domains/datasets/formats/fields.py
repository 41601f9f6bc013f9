"""The shapes that rows may have: the fields of each, and what training can do with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DataFormat(StrEnum):
    """The shape of the rows."""

    MESSAGES = "messages"
    ALPACA = "alpaca"
    PROMPT_COMPLETION = "prompt_completion"
    SHAREGPT = "sharegpt"
    PREFERENCE = "preference"
    KTO = "kto"
    TEXT = "text"
    QA = "qa"


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
    DataFormat.MESSAGES: Fields(("messages",), ("tools",)),
    DataFormat.ALPACA: Fields(("instruction", "output"), ("input", "system", "history")),
    DataFormat.PROMPT_COMPLETION: Fields(("prompt", "completion"), ("system", "tools")),
    DataFormat.SHAREGPT: Fields(("conversations",), ("system", "tools")),
    DataFormat.PREFERENCE: Fields(("chosen", "rejected"), ("prompt", "system", "tools")),
    DataFormat.KTO: Fields(("prompt", "completion", "label"), ("system", "tools")),
    DataFormat.TEXT: Fields(("text",)),
    DataFormat.QA: Fields(("question", "answer"), ("context", "system")),
}
SUPERVISED = frozenset(
    {DataFormat.MESSAGES, DataFormat.ALPACA, DataFormat.PROMPT_COMPLETION, DataFormat.SHAREGPT, DataFormat.QA}
)
"""Formats whose rows are conversations to imitate."""
TITLES = {
    DataFormat.MESSAGES: "conversations (messages)",
    DataFormat.ALPACA: "instructions (alpaca)",
    DataFormat.PROMPT_COMPLETION: "prompts with completions",
    DataFormat.SHAREGPT: "conversations (sharegpt)",
    DataFormat.PREFERENCE: "preference pairs (chosen, rejected)",
    DataFormat.KTO: "labelled answers (kto)",
    DataFormat.TEXT: "plain text",
    DataFormat.QA: "questions with answers",
}
