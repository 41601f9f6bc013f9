"""Ask two models the same things and count. All scoring and generation goes through the runtime."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.domains.evaluation.errors import NothingToEvaluate
from tunesmith.domains.evaluation.schemas import Comparison, Metric, Side
from tunesmith.domains.evaluation.statistics import (
    mean,
    mean_difference,
    normalise_answer,
    perplexity,
    share,
    share_difference,
    token_loss,
    token_loss_difference,
)
from tunesmith.domains.runtime import ContextOverflow, GenerateRequest, RowScore, RuntimeHandle, ScoreRow

BATCH = 32

Row = dict[str, Any]
Tell = Callable[[int, str], Awaitable[None]]


@dataclass(frozen=True)
class Question:
    """A conversation up to the answer that is expected."""

    messages: list[Row]
    expected: str
    tools: list[Row] | None = None


@dataclass(frozen=True)
class Asked:
    """One question with what both models said."""

    question: Question
    base: str | None
    tuned: str

    def right(self, answer: str) -> bool:
        """Whether an answer is the expected one."""
        return normalise_answer(answer) == normalise_answer(self.question.expected)

    def to_plain(self, part: str, number: int) -> Row:
        """The row as it is kept."""
        row = {"part": part, "row": number, "messages": self.question.messages, "expected": self.question.expected}
        answers = {"tuned": self.tuned} | ({"base": self.base} if self.base is not None else {})
        for side, answer in answers.items():
            row |= {f"{side}_answer": answer, f"{side}_right": self.right(answer)}
        return row


@dataclass(frozen=True)
class RowFile:
    """The rows of a JSONL file, read as they are asked for: held-out data may be larger than memory."""

    path: Path
    rows: int

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Row]:
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    yield json.loads(line)


def questions_of(rows: Iterable[Row], most: int) -> list[Question]:
    """The first ``most`` rows that end with an answer, as questions; raises NothingToEvaluate when there is none."""
    found = list(itertools.islice((question for row in rows if (question := _question(row)) is not None), most))
    if not found:
        raise NothingToEvaluate("No row ends with an answer of the assistant after a question.")
    return found


def _question(row: Row) -> Question | None:
    messages = row["messages"]
    last = messages[-1] if messages else {}
    is_answer = last.get("role") == "assistant" and isinstance(last.get("content"), str) and not last.get("tool_calls")
    return Question(messages[:-1], last["content"], row.get("tools")) if is_answer and len(messages) > 1 else None


class Pair:
    """The tuned model and, beside it, the base (None when a model is looked at alone)."""

    def __init__(self, tuned: RuntimeHandle, base: RuntimeHandle | None, names: tuple[str, str], tell: Tell) -> None:
        self._tuned = tuned
        self._base = base
        self._names = names
        self._tell = tell
        self._done = 0

    async def held_out(self, rows: RowFile, into: Comparison) -> int:
        """Loss and perplexity on the rows; answers how many were left out because they are too long."""
        before: list[float] = []
        after: list[float] = []
        tokens: list[int] = []
        skipped = 0
        async for batch in self._batches(rows, "held-out loss"):
            asked = [ScoreRow(messages=row["messages"], tools=row.get("tools")) for row in batch]
            tuned = await _score(self._tuned, asked)
            base = await _score(self._base, asked) if self._base else [None] * len(asked)
            for left, right in zip(base, tuned, strict=True):
                if right is None or (self._base and left is None):
                    skipped += 1
                elif right.trained_tokens:
                    before += [left.loss_sum] if left is not None else []
                    after.append(right.loss_sum)
                    tokens.append(right.trained_tokens)
        if not tokens:
            raise NothingToEvaluate("No row has words of the assistant that fit the model's context.")
        _set_loss(into.tuned, token_loss(after, tokens))
        if self._base:
            _set_loss(into.base, token_loss(before, tokens))
            into.difference["loss"] = token_loss_difference(before, after, tokens)
        return skipped

    async def answers(self, questions: Sequence[Question], max_new_tokens: int, into: Comparison) -> list[Asked]:
        """Exact answers, greedy."""
        asked: list[Asked] = []
        async for batch in self._batches(questions, "questions"):
            requests = [
                GenerateRequest(
                    messages=question.messages, tools=question.tools, max_new_tokens=max_new_tokens, temperature=0.0
                )
                for question in batch
            ]
            tuned = await self._tuned.generate(requests)
            base = await self._base.generate(requests) if self._base else [None] * len(batch)
            asked += [
                Asked(question, left.text if left else None, right.text)
                for question, left, right in zip(batch, base, tuned, strict=True)
            ]
        after = [one.right(one.tuned) for one in asked]
        _set_answers(into.tuned, after)
        if self._base:
            before = [one.base is not None and one.right(one.base) for one in asked]
            _set_answers(into.base, before)
            into.difference["exact_match"] = share_difference(before, after)
        return asked

    async def preferences(self, rows: RowFile, into: Comparison) -> int:
        """Which answer of each pair is likelier by the mean of its tokens, so that its length does not decide.

        Answers how many pairs were left out because they are too long.
        """
        gaps: list[tuple[float | None, float]] = []
        async for batch in self._batches(rows, "pairs"):
            asked = [
                ScoreRow(messages=messages, tools=row.get("tools")) for row in batch for messages in _conversations(row)
            ]
            tuned = _gaps(batch, await _score(self._tuned, asked))
            base = _gaps(batch, await _score(self._base, asked)) if self._base else [None] * len(batch)
            gaps += [
                (left, right)
                for left, right in zip(base, tuned, strict=True)
                if right is not None and (left is not None or not self._base)
            ]
        if not gaps:
            raise NothingToEvaluate("No pair has two answers that fit the model's context.")
        after = [right for _, right in gaps]
        _set_preference(into.tuned, after)
        if self._base:
            before = [left for left, _ in gaps if left is not None]
            _set_preference(into.base, before)
            into.difference["preference_accuracy"] = share_difference(
                [gap > 0 for gap in before], [gap > 0 for gap in after]
            )
            into.difference["preference_margin"] = mean_difference(before, after)
        return len(rows) - len(gaps)

    def comparison(self) -> Comparison:
        """An empty one, with the names."""
        return Comparison(base=Side(name=self._names[0]) if self._base else None, tuned=Side(name=self._names[1]))

    async def _batches(self, items: RowFile | Sequence[Question], what: str) -> AsyncIterator[list[Any]]:
        started = self._done
        each = iter(items)
        while batch := await asyncio.to_thread(lambda: list(itertools.islice(each, BATCH))):
            await self._tell(self._done, f"{what} {self._done - started}/{len(items)}")
            yield batch
            self._done += len(batch)


async def _score(handle: RuntimeHandle, rows: list[ScoreRow]) -> Sequence[RowScore | None]:
    try:
        return await handle.score(rows)
    except ContextOverflow:
        if len(rows) == 1:
            return [None]
        return [(await _score(handle, [row]))[0] for row in rows]


def _conversations(row: Row) -> list[list[Row]]:
    """Both answers after the prompt and, where the prompt holds answers too, what ends with the last of those."""
    prompt = row["prompt"]
    answered = [at for at, message in enumerate(prompt, 1) if message["role"] == "assistant"]
    earlier = [prompt[: answered[-1]]] if answered else []
    return [[*prompt, *row["chosen"]], [*prompt, *row["rejected"]], *earlier]


def _gaps(rows: Sequence[Row], scores: Sequence[RowScore | None]) -> list[float | None]:
    """Mean log-probability of a token of the better answer minus that of the worse one; None for a pair that is too long."""
    found: list[float | None] = []
    each = iter(scores)
    for row in rows:
        better, worse, *earlier = [next(each) for _ in _conversations(row)]
        left, right = (_mean_of_answer(score, earlier[0] if earlier else None) for score in (better, worse))
        found.append(None if left is None or right is None else right - left)
    return found


def _mean_of_answer(score: RowScore | None, earlier: RowScore | None) -> float | None:
    """Loss of a token of the last answer; what the answers before it have is taken off."""
    if score is None:
        return None
    tokens = score.trained_tokens - (earlier.trained_tokens if earlier else 0)
    return (score.loss_sum - (earlier.loss_sum if earlier else 0.0)) / tokens if tokens > 0 else None


def _set_preference(side: Side | None, gaps: Sequence[float]) -> None:
    if side is not None:
        side.metrics["preference_accuracy"] = share(sum(gap > 0 for gap in gaps), len(gaps))
        side.metrics["preference_margin"] = mean(gaps)
        side.preference_accuracy = side.metrics["preference_accuracy"].value
        side.preference_margin = side.metrics["preference_margin"].value


def _set_loss(side: Side | None, loss: Metric) -> None:
    if side is not None:
        side.loss, side.metrics["loss"] = loss.value, loss
        side.metrics["perplexity"] = perplexity(loss)
        side.perplexity = side.metrics["perplexity"].value


def _set_answers(side: Side | None, right: Sequence[bool]) -> None:
    if side is not None:
        side.answers_right, side.answers_total = sum(right), len(right)
        side.metrics["exact_match"] = share(sum(right), len(right))
