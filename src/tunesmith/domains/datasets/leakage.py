"""Leakage: which rows of a dataset are, exactly or nearly, in the datasets that it is judged by.

Three texts of each row are compared with those of the other side: the prompt (what is said up to the last question), the answer
(what the assistant says) and the conversation (both). The system's turn is left out. Answers with fewer than
``SHORTEST_ANSWER`` different tokens are left out, too: "Yes." is in every dataset.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.doctor import CODES, Finding, Limits, examine
from tunesmith.domains.datasets.doctor.checked import CheckedRow
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.doctor.findings import Later
from tunesmith.domains.datasets.doctor.near_rows import conversation, percent, prompt_of
from tunesmith.domains.datasets.duplicates import NearDuplicates, Nearest, ShouldStop, Stopped
from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.source import RowSource

SHORTEST_ANSWER = 8


class LeakKind(StrEnum):
    """Which text of two rows is the same or nearly so."""

    PROMPT = "prompt"
    ANSWER = "answer"
    CONVERSATION = "conversation"


ALL_KINDS = tuple(LeakKind)


@dataclass(frozen=True)
class EvaluationSet:
    """A dataset that models are judged by."""

    dataset_id: int
    title: str
    source: RowSource


class Place(NamedTuple):
    """A row of one of the datasets: 0 is the one that is trained on."""

    dataset: int
    row: int
    line: int | None


class Leak(NamedTuple):
    """Two rows of which a text is the same or nearly so."""

    kind: LeakKind
    trained: Place
    evaluation: Place
    similarity: float


@dataclass
class Overlap:
    """How many rows of one evaluation set have a text that is trained on; exact: with the same set of tokens."""

    rows: int = 0
    rows_skipped: int = 0
    leaked: set[int] = field(default_factory=set)
    exact: dict[LeakKind, int] = field(default_factory=lambda: dict.fromkeys(LeakKind, 0))
    near: dict[LeakKind, int] = field(default_factory=lambda: dict.fromkeys(LeakKind, 0))


class LeakCheck:
    """Takes the rows of the training data and of the evaluation sets, in this order; then says what is in both."""

    def __init__(self, folder: Path, kinds: Sequence[LeakKind] = ALL_KINDS) -> None:
        self._stack = ExitStack()
        self._near = {kind: self._stack.enter_context(NearDuplicates(folder)) for kind in kinds}
        self._nearest: dict[LeakKind, Nearest] = {}
        self._datasets = array("H")
        self._rows = array("Q")
        self._lines = array("Q")
        self.overlaps: list[Overlap] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def is_exact(self) -> bool:
        """Whether nothing at or above the threshold can have been missed."""
        return all(nearest.is_exact for nearest in self._nearest.values())

    def add(self, checked: CheckedRow, row: int, line: int | None, dataset: int = 0) -> None:
        """Take one row."""
        at = len(self._rows)
        texts = {
            LeakKind.PROMPT: "\n".join(prompt_of(checked)),
            LeakKind.ANSWER: "\n".join(turn.text for turn in checked.turns if turn.role == "assistant"),
            LeakKind.CONVERSATION: conversation(checked.turns),
        }
        for kind, near in self._near.items():
            near.add(at, texts[kind])
        self._datasets.append(dataset)
        self._rows.append(row)
        self._lines.append(line or 0)

    def read(self, source: RowSource, should_stop: ShouldStop, *, is_evaluation: bool) -> int:
        """Take the rows of a file; answers how many cannot be read and were passed over. Raises Stopped."""
        dataset = len(self.overlaps) + 1 if is_evaluation else 0
        overlap, tally = Overlap(), Tally()
        with source.open() as data:
            for examined in examine(data, source.format, Limits(check_pii=False, check_duplicates=False), tally):
                if examined.checked is not None and not examined.is_red:
                    line = examined.record.line if source.has_lines else None
                    self.add(examined.checked, examined.record.row, line, dataset)
                if should_stop():
                    raise Stopped
        overlap.rows, overlap.rows_skipped = tally.rows, tally.red_rows
        if is_evaluation:
            self.overlaps.append(overlap)
        return tally.red_rows

    def compare(self, threshold: float, should_stop: ShouldStop) -> None:
        """Find the nearest of each text, and count. Raises Stopped."""
        datasets = np.frombuffer(self._datasets, dtype=np.uint16) if self._datasets else np.zeros(0, dtype=np.uint16)
        side = (datasets > 0).astype(np.uint8)
        for kind, near in self._near.items():
            nearest = near.nearest_across(side, threshold, should_stop)
            if kind is LeakKind.ANSWER:
                nearest.place[near.sizes < SHORTEST_ANSWER] = -1
            self._nearest[kind] = nearest
            for at in np.flatnonzero((nearest.place >= 0) & (side == 1)).tolist():
                overlap = self.overlaps[self._datasets[at] - 1]
                overlap.leaked.add(self._rows[at])
                counts = overlap.exact if nearest.similarity[at] == 1 else overlap.near
                counts[kind] += 1

    def leaks(self, *, of_evaluation: bool) -> Iterator[Leak]:
        """The nearest pair of each text of one side, by row: of the evaluation sets, or of the training data."""
        for at, dataset in enumerate(self._datasets):
            if (dataset > 0) != of_evaluation:
                continue
            for kind, nearest in self._nearest.items():
                other = int(nearest.place[at])
                if other >= 0:
                    mine, its = self._place(at), self._place(other)
                    trained, evaluation = (its, mine) if of_evaluation else (mine, its)
                    yield Leak(kind, trained, evaluation, float(nearest.similarity[at]))

    def findings(self, titles: Sequence[str]) -> Iterator[Later]:
        """A finding for each row of the training data that leaks, in the order of the rows: its most similar text."""
        for row, leaks in groupby(self.leaks(of_evaluation=False), key=lambda leak: leak.trained.row):
            leak = max(leaks, key=lambda leak: leak.similarity)
            yield Later(row, _finding(leak, titles[leak.evaluation.dataset - 1]))

    def rows_of_training(self) -> int:
        """How many rows of the training data are in an evaluation set with any of their texts."""
        leaking: NDArray[np.bool_] = np.zeros(len(self._rows), dtype=bool)
        for nearest in self._nearest.values():
            leaking |= nearest.place >= 0
        return int(sum(1 for at in np.flatnonzero(leaking).tolist() if self._datasets[at] == 0))

    def _place(self, at: int) -> Place:
        return Place(self._datasets[at], self._rows[at], self._lines[at] or None)


def _finding(leak: Leak, title: str) -> Finding:
    code = CODES["leaks-into-evaluation"]
    there = f"row {leak.evaluation.row} of {shown(title)}"
    same = "the same" if leak.similarity == 1 else f"{percent(leak.similarity)} the same"
    return Finding(
        code=code.slug,
        severity=code.severity,
        row=leak.trained.row,
        line=leak.trained.line,
        pointer="",
        expected="no row of the data that models are judged by",
        found=f"{same} as {there}",
        fix=code.fix,
        message=f"The {leak.kind} is {same} as that of {there}.",
    )
