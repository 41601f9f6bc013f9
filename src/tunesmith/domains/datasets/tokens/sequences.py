"""A row as training reads it: bare texts by role, and the texts of its sequences with the chat template around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.rows import RowChecker
from tunesmith.domains.datasets.exploration.conversations import is_conversation, turns_of
from tunesmith.domains.datasets.formats import DataFormat, to_messages
from tunesmith.text import ChatTemplate, TextTokenizer


@dataclass(frozen=True)
class Tokenization:
    """A model's tokenizer and chat template; a model without one reads the bare texts, each turn after the other."""

    tokenizer: TextTokenizer
    template: ChatTemplate | None

    def written(self, messages: list[dict[str, str]]) -> str:
        """The conversation as the trainer writes it. Raises ChatTemplateError when the template refuses it."""
        if self.template is None:
            return "\n".join(message["content"] for message in messages) + self.tokenizer.eos_token
        return self.template.render(messages)


class Trainable:
    """Tells rows that can be trained on from those that cannot, as the doctor does."""

    def __init__(self, fmt: DataFormat) -> None:
        self._format = fmt
        self._checker = RowChecker(fmt)

    def messages(self, value: Any) -> list[dict[str, str]] | None:
        """The row as messages; None when it has a red finding."""
        if any(CODES[fault.code].severity == "red" for fault in self._checker.check(value).faults):
            return None
        return to_messages(value, self._format)


def column_texts(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a row by column; a conversation gives one for each turn."""
    for name, value in row.items():
        if isinstance(value, str):
            yield str(name), value
        elif is_conversation(value):
            for _, text in turns_of(value):
                yield str(name), text
