"""Two answers to one prompt: tokenised, cut and laid into batches as preference objectives read them.

A batch of n pairs has 2 n lines: first the better answers, then the worse. Targets are the answer's tokens only, whatever
the assistant has said earlier in the prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tunesmith.kit.errors import TunesmithError
from tunesmith.ml.failures import data_failure
from tunesmith.ml.objectives.objective import Tell, Texts
from tunesmith.ml.policy import Batch
from tunesmith.ml.rows import read_rows
from tunesmith.text import IGNORED

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Answered:
    """Token ids of a prompt with its answer; the answer begins at ``start``."""

    ids: list[int]
    start: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def answer_tokens(self) -> int:
        """Tokens of the answer, end of turn included."""
        return len(self.ids) - self.start

    def cut(self, prompt_kept: int, answer_kept: int) -> Answered:
        """The last ``prompt_kept`` tokens of the prompt and the first ``answer_kept`` of the answer."""
        first = max(0, self.start - prompt_kept)
        return Answered(self.ids[first : self.start + answer_kept], self.start - first)


def tokenize_answer(prompt: Messages, answer: Messages, texts: Texts, tools: Sequence[Any] | None = None) -> Answered:
    """A prompt with its answer through the chat template. Raises what rendering raises, and RunFailure without an answer."""
    given = {"tools": tools} if tools else {}
    rendered = texts.template.render_with_spans([*prompt, *answer], **given)
    turns = sum(1 for message in answer if message.get("role") == "assistant")
    spans = rendered.trained_spans[-turns:] if turns else []
    if not spans:
        raise data_failure("the answer has no turn of the assistant", "Give the answer as the assistant's message.")
    encoded = texts.tokenizer.encode(rendered.text[: spans[-1][1]])
    start = next((at for at, (_, end) in enumerate(encoded.offsets) if end > spans[0][0]), len(encoded.ids))
    return Answered(encoded.ids, start)


def fit(answers: Sequence[Answered], max_length: int) -> tuple[list[Answered], bool]:
    """Answers to one prompt cut to ``max_length``, and whether any was.

    The beginning of the answer stays: the prompt gives way first, from its own beginning and down to half the length,
    and only then the answer's end. All answers keep the same prompt.
    """
    if all(len(answer) <= max_length for answer in answers):
        return list(answers), False
    longest = max(answer.answer_tokens for answer in answers)
    prompt = max(answer.start for answer in answers)
    kept = max(min(prompt, max_length - longest), min(prompt, max_length // 2), 1)
    return [answer.cut(kept, max_length - min(kept, answer.start)) for answer in answers], True


@dataclass
class Lines:
    """Tokenised answers by number, and how to lay some of them into tensors."""

    answers: list[Answered] = field(default_factory=list)

    def tensors(self, numbers: Sequence[int], pad_id: int) -> Batch:
        """Lines of tokens; padding is a document of its own at every place, as in ``rows.Batches``."""
        chosen = [self.answers[number] for number in numbers]
        shape = (len(chosen), max(len(answer) for answer in chosen))
        input_ids = torch.full(shape, pad_id, dtype=torch.long)
        position_ids = torch.zeros(shape, dtype=torch.long)
        targets = torch.full(shape, IGNORED, dtype=torch.long)
        for line, answer in enumerate(chosen):
            ids = torch.from_numpy(np.asarray(answer.ids, dtype=np.int64))
            input_ids[line, : len(ids)] = ids
            position_ids[line, : len(ids)] = torch.arange(len(ids))
            targets[line, answer.start - 1 : len(ids) - 1] = ids[answer.start :]
        return {
            "input_ids": input_ids,
            "position_ids": position_ids,
            "targets": targets,
            "lengths": torch.tensor([len(answer) for answer in chosen]),
            "tokens": sum(len(answer) for answer in chosen),
        }


class Pairs:
    """Pairs of a better and a worse answer."""

    def __init__(self, chosen: list[Answered], rejected: list[Answered], pad_id: int, cut: int = 0) -> None:
        self.cut = cut
        self._count = len(chosen)
        self._lines = Lines([*chosen, *rejected])
        self._pad_id = pad_id

    def __len__(self) -> int:
        return self._count

    @property
    def lengths(self) -> list[int]:
        """Tokens of both answers with their prompts."""
        every = self._lines.answers
        return [len(every[i]) + len(every[self._count + i]) for i in range(self._count)]

    def collate(self, examples: Iterable[dict[str, int]]) -> Batch:
        """All better answers, then all worse ones."""
        numbers = [example["sequence"] for example in examples]
        batch = self._lines.tensors([*numbers, *(self._count + n for n in numbers)], self._pad_id)
        trained = int((batch["targets"] != IGNORED).sum())
        chosen = int((batch["targets"][: len(numbers)] != IGNORED).sum())
        return batch | {"counts": {"tokens": trained, "pairs": len(numbers), "chosen_tokens": chosen}}


def read_pairs(file: Path, texts: Texts, max_length: int, tell: Tell) -> Pairs:
    """The pairs of a file. Rows whose two answers are the same are left out and named."""
    chosen: list[Answered] = []
    rejected: list[Answered] = []
    cut, alike = 0, []
    for number, row in read_rows(file):
        better, worse = (answer_of(number, row, name, texts) for name in ("chosen", "rejected"))
        (better, worse), was_cut = fit((better, worse), max_length)
        if better.ids == worse.ids:
            alike.append(number)
            continue
        cut += was_cut
        chosen.append(better)
        rejected.append(worse)
    if not chosen:
        raise data_failure(
            f"There is nothing to learn: no pair of {file.name} has two different answers within {max_length} tokens.",
            "Rows need a chosen and a rejected answer that differ; if they differ late, raise training.max_length.",
        )
    trained = sum(answer.answer_tokens for answer in (*chosen, *rejected))
    tell(
        f"{file.name}: {len(chosen)} pairs, {sum(map(len, (*chosen, *rejected)))} tokens, {trained} of them compared; "
        f"{cut} pairs cut to {max_length} tokens (the prompt's beginning first, then the answer's end)",
        "info",
    )
    if alike:
        tell(f"{len(alike)} pairs have the same answer twice and are left out: {_named(alike)}", "warning")
    return Pairs(chosen, rejected, texts.pad_id, cut)


def answer_of(number: int, row: dict[str, Any], name: str, texts: Texts) -> Answered:
    """One answer of a row with its prompt; a row that cannot be read is named."""
    try:
        return tokenize_answer(row["prompt"], row[name], texts, row.get("tools"))
    except TunesmithError as error:
        raise data_failure(f"Row {number}: {error.message}", error.hint) from error


def _named(rows: list[int]) -> str:
    return ", ".join(map(str, rows[:10])) + (" …" if len(rows) > 10 else "")
