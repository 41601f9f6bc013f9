"""One pass over a version: how many rows, how long, how many tokens. Memory: 4 bytes a row, and only when tokens are counted."""

from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.domains.datasets.derivation.parent import Passed, parent_rows
from tunesmith.domains.datasets.doctor import RowChecker
from tunesmith.domains.datasets.doctor.checked import CheckedRow
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.pii import mask
from tunesmith.domains.datasets.schemas.outputs import FileStatistics, TokenBin, TokenDistribution
from tunesmith.domains.datasets.source import RowSource
from tunesmith.text import TextTokenizer

EXAMPLES = 5
BARS = 20
COUNTED_AT_ONCE = 512
_PERCENTILES = (5, 25, 50, 75, 90, 95, 99)


class Lengths:
    """Sums over rows that can be trained on."""

    def __init__(self) -> None:
        self.rows = 0
        self._asked = self._answered = 0

    def add(self, checked: CheckedRow) -> None:
        """Count one row."""
        self.rows += 1
        for turn in checked.turns:
            if turn.role == "user":
                self._asked += len(turn.text)
            elif turn.role == "assistant":
                self._answered += len(turn.text)

    @property
    def asked(self) -> float:
        """Mean characters of what is asked."""
        return round(self._asked / self.rows, 2) if self.rows else 0.0

    @property
    def answered(self) -> float:
        """Mean characters of what is answered."""
        return round(self._answered / self.rows, 2) if self.rows else 0.0


@dataclass
class StatisticsPass:
    """Computes the statistics of one version; ``tokenizer`` is (name of the model, its folder)."""

    source: RowSource
    tokenizer: tuple[str, Path] | None = None
    passed: Passed = field(default_factory=Passed)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> FileStatistics:
        """The figures."""
        checker, lengths = RowChecker(self.source.format), Lengths()
        counter = _Tokens(self.tokenizer[1]) if self.tokenizer else None
        examples: list[Any] = []
        with self.source.open() as data:
            for row in parent_rows(self.source, data, self.passed):
                if self.stop.is_set():
                    break
                if not row.is_readable:
                    continue
                if len(examples) < EXAMPLES:
                    examples.append(masked(row.value))
                checked = checker.check(row.value)
                if is_trainable(checked):
                    lengths.add(checked)
                    if counter is not None:
                        counter.add("\n".join(turn.text for turn in checked.turns))
        return FileStatistics(
            total_samples=self.passed.rows,
            avg_instruction_length=lengths.asked,
            avg_output_length=lengths.answered,
            token_distribution=counter.distribution(self.tokenizer[0]) if counter and self.tokenizer else None,
            sample_examples=examples,
        )


def is_trainable(checked: CheckedRow) -> bool:
    """Whether a row has no fault that forbids training."""
    return not any(CODES[fault.code].severity == "red" for fault in checked.faults)


def masked(value: Any) -> Any:
    """A row with the personal data in its texts masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: masked(item) for name, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


class _Tokens:
    def __init__(self, folder: Path) -> None:
        self._tokenizer = TextTokenizer.from_folder(folder)
        self._waiting: list[str] = []
        self._counts = array("I")

    def add(self, text: str) -> None:
        self._waiting.append(text)
        if len(self._waiting) == COUNTED_AT_ONCE:
            self._count()

    def _count(self) -> None:
        self._counts.extend(self._tokenizer.count(self._waiting))
        self._waiting.clear()

    def distribution(self, model: str) -> TokenDistribution | None:
        self._count()
        if not self._counts:
            return None
        counts = np.frombuffer(self._counts, dtype=np.uint32).astype(np.int64)
        low, high = int(counts.min()), int(counts.max())
        width = max(1, -(-(high - low + 1) // BARS))
        rows = np.bincount((counts - low) // width)
        return TokenDistribution(
            model=model,
            total=int(counts.sum()),
            mean=round(float(counts.mean()), 2),
            minimum=low,
            maximum=high,
            percentiles={f"p{q}": float(np.percentile(counts, q)) for q in _PERCENTILES},
            histogram=[
                TokenBin(start=low + at * width, end=low + (at + 1) * width, rows=int(n)) for at, n in enumerate(rows)
            ],
        )
