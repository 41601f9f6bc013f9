"""What a model would learn from the rows: tokens that carry loss, ends of turn, answers that are cut. In batches, on all cores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.readers import Fault
from tunesmith.kit.errors import InvalidInput
from tunesmith.text import ChatTemplate, TextTokenizer, TokenizedRow, tokenize_row, tokenize_rows

DEFAULT_MAX_LENGTH = 2048
BATCH_ROWS = 512
BATCH_CHARACTERS = 1 << 20


class RowFlag(IntFlag):
    """What is wrong with a row for this model, in one byte."""

    NO_LOSS = 1
    END_UNTRAINED = 2
    ANSWER_CUT = 4
    TOO_LONG = 8
    REFUSED = 16
    """The template cannot show the conversation."""
    STOPS_IN_PADDING = 32
    UNREADABLE = 64
    """The row is no example at all; it has red findings of its own."""


class Lesson(NamedTuple):
    """What one row teaches."""

    flags: RowFlag
    trained_tokens: int = 0
    total_tokens: int = 0
    cut_tokens: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Learner:
    """The tokenizer and template of a model, by ``name``, and how many tokens of a row it reads."""

    name: str
    tokenizer: TextTokenizer
    template: ChatTemplate
    max_length: int

    @classmethod
    def from_folder(cls, folder: Path, name: str, max_length: int) -> Learner:
        """The learner of a model's folder; raises TokenizerError and ChatTemplateError."""
        return cls(name, TextTokenizer.from_folder(folder), ChatTemplate.from_folder(folder), max_length)

    def key(self) -> str:
        """A digest of everything that decides what it answers."""
        template = {"source": self.template.source, "tokens": dict(self.template.special_tokens)}
        parts = [self.tokenizer.content_sha256, template, self.tokenizer.pad_id, self.max_length]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def row(self, example: Any) -> TokenizedRow:
        """One row, token by token, as the trainer sees it."""
        return tokenize_row(example, self.tokenizer, self.template, self.max_length)

    def lessons(self, examples: Sequence[Any]) -> list[Lesson]:
        """What each of several rows teaches."""
        made = tokenize_rows(examples, self.tokenizer, self.template, self.max_length)
        return [
            Lesson(RowFlag.REFUSED | RowFlag.NO_LOSS, reason=row.message)
            if isinstance(row, InvalidInput)
            else _lesson(row)
            for row in made
        ]

    def faults(self, lesson: Lesson) -> Iterator[Fault]:
        """What a person should know about a lesson; the fault that explains the others stands alone."""
        flags, limit = lesson.flags, self.max_length
        if flags & RowFlag.REFUSED:
            message = f"The chat template of {self.name} does not take this conversation: {lesson.reason}"
            yield Fault("template-refuses", message, "a conversation that the template shows", shown(lesson.reason))
        elif flags & RowFlag.TOO_LONG and flags & RowFlag.NO_LOSS:
            message = f"The prompt fills all {limit:,} tokens that are read ({self.name}), so nothing of the answer is learned."
            yield Fault("prompt-too-long", message, f"an answer within {limit} tokens", f"{lesson.total_tokens} tokens")
        elif flags & RowFlag.ANSWER_CUT:
            message = (
                f"The row has {lesson.total_tokens:,} tokens ({self.name}) and {limit:,} are read: the last "
                f"{lesson.cut_tokens:,} are cut off, within an answer, so its end is not learned."
            )
            yield Fault("truncated-answer", message, f"at most {limit} tokens", f"{lesson.total_tokens} tokens")
        elif flags & RowFlag.TOO_LONG:
            message = (
                f"The row has {lesson.total_tokens:,} tokens ({self.name}); {limit:,} are read, the rest is cut off."
            )
            yield Fault("too-long", message, f"at most {limit} tokens", f"{lesson.total_tokens} tokens")
        elif flags & RowFlag.NO_LOSS:
            message = f"No token of the row carries loss under the template of {self.name}: there is nothing to learn."
            yield Fault("no-trained-tokens", message, "an answer that is trained on", "0 trained tokens")
        elif flags & RowFlag.STOPS_IN_PADDING:
            message = (
                f"{self.name} ends a turn with its padding token; what leaves padding out never teaches it to stop."
            )
            yield Fault("padding-ends-turn", message, "an end of turn that is not padding", self._pad_token())
        elif flags & RowFlag.END_UNTRAINED:
            message = f"An answer of the row does not end in a special token that {self.name} is trained on."
            yield Fault("end-of-turn-untrained", message, "a trained end of turn", "an answer without it")

    def _pad_token(self) -> str:
        pad = self.tokenizer.pad_id
        return self.tokenizer.decode([pad], skip_special_tokens=False) if pad is not None else ""


def _lesson(row: TokenizedRow) -> Lesson:
    flags = RowFlag(0)
    if not row.trained_tokens:
        flags |= RowFlag.NO_LOSS
    if not row.end_of_turn_trained:
        flags |= RowFlag.END_UNTRAINED
    if row.is_answer_cut:
        flags |= RowFlag.ANSWER_CUT
    if row.truncated:
        flags |= RowFlag.TOO_LONG
    if row.stops_in_padding:
        flags |= RowFlag.STOPS_IN_PADDING
    return Lesson(flags, row.trained_tokens, row.total_tokens, row.total_tokens - len(row.input_ids))


def batched(examples: Iterator[tuple[int, Any]]) -> Iterator[list[Any]]:
    """Batches of what comes with its number of characters: so many rows, or so much text, that memory stays small."""
    batch: list[Any] = []
    characters = 0
    for size, item in examples:
        batch.append(item)
        characters += size
        if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
