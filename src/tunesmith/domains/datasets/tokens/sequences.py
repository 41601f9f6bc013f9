"""A row as training reads it: bare texts by role, and the texts of its sequences with the chat template around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.rows import RowChecker
from tunesmith.domains.datasets.exploration.conversations import is_conversation, turns_of
from tunesmith.domains.datasets.formats import DataFormat, Messages, to_example
from tunesmith.text import ChatTemplate, TextTokenizer

Example = Mapping[str, Any]
"""``{messages}``, ``{prompt, chosen, rejected}``, ``{prompt, completion, label}``, each with ``tools?``, or ``{text}``."""
ANSWERS = ("chosen", "rejected", "completion")
TEXT = "text"


@dataclass(frozen=True)
class Tokenization:
    """A model's tokenizer and chat template; a model without one reads the bare texts, each turn after the other."""

    tokenizer: TextTokenizer
    template: ChatTemplate | None

    def sequences(self, example: Example) -> list[str]:
        """The texts that training reads: one, or two for a pair. Raises ChatTemplateError when the template refuses it."""
        if TEXT in example:
            return [self.tokenizer.added_beginning + example[TEXT] + self.tokenizer.eos_token]
        if "messages" in example:
            return [self._written(example["messages"], example.get("tools"))]
        answers = [example[name] for name in ANSWERS if name in example]
        return [self._written([*example["prompt"], *answer], example.get("tools")) for answer in answers]

    def _written(self, messages: Messages, tools: Sequence[Any] | None) -> str:
        if self.template is None:
            return "\n".join(str(message.get("content") or "") for message in messages) + self.tokenizer.eos_token
        return self.template.render(messages, tools=tools) if tools else self.template.render(messages)


class Trainable:
    """Tells rows that can be trained on from those that cannot, as the doctor does."""

    def __init__(self, fmt: DataFormat) -> None:
        self._format = fmt
        self._checker = RowChecker(fmt)

    def example(self, value: Any) -> Example | None:
        """The row as training takes it; None when it has a red finding."""
        if any(CODES[fault.code].severity == "red" for fault in self._checker.check(value).faults):
            return None
        return to_example(value, self._format)


def spoken(example: Example) -> Iterator[tuple[int, str, str]]:
    """Place (from 0), role and bare text of every turn; both answers of a pair stand at the same place."""
    if TEXT in example:
        yield 0, TEXT, example[TEXT]
        return
    asked = example.get("messages") or example["prompt"]
    yield from ((at, message["role"], message.get("content") or "") for at, message in enumerate(asked))
    for name in ANSWERS:
        for at, message in enumerate(example.get(name) or (), len(asked)):
            yield at, name if name != "completion" else message["role"], message.get("content") or ""


def column_texts(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a row by column; a conversation gives one for each turn."""
    for name, value in row.items():
        if isinstance(value, str):
            yield str(name), value
        elif is_conversation(value):
            for _, text in turns_of(value):
                yield str(name), text
