"""What Axolotl prints, as points on our curves. It speaks as the Trainer below it does: dictionaries, and a bar of progress."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, field

METRICS = re.compile(r"\{[^{}]*'(?:loss|eval_loss|train_runtime|train_loss)'[^{}]*\}")
BAR = re.compile(r"^\s*\d+%\|[^|]*\|\s*(\d+)/(\d+) \[")
NAMES = {
    "loss": "loss",
    "eval_loss": "eval_loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "tokens/train_per_sec_per_gpu": "tokens_per_second",
}


@dataclass
class Point:
    """Values at one step."""

    step: int
    epoch: float | None
    values: dict[str, float]


@dataclass
class LogReader:
    """Reads lines in their order. ``first_step`` is the step that a resumed run went on from."""

    logging_steps: int = 1
    total_steps: int | None = None
    first_step: int = 0
    step: int = 0
    trained_tokens: int = 0
    losses: list[float] = field(default_factory=list)
    eval_loss: float | None = None
    is_over: bool = False

    def __post_init__(self) -> None:
        self.step = self.first_step

    def read(self, line: str) -> Point | None:
        """The point that a line tells, if it tells one; progress is noted in ``step`` and ``total_steps``."""
        if found := BAR.match(line):
            self._bar(int(found[1]), int(found[2]))
        for text in METRICS.findall(line):
            if point := self._metrics(text):
                return point
        return None

    def _bar(self, done: int, total: int) -> None:
        if self.total_steps is None and not self.losses:
            self.total_steps = total
        if total == self.total_steps and not self.is_over:  # a bar with another total is that of an evaluation
            self.step = max(self.step, done)

    def _metrics(self, text: str) -> Point | None:
        try:
            told = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return None
        values = {ours: found for theirs, ours in NAMES.items() if (found := as_number(told.get(theirs))) is not None}
        if "train_runtime" in told or "train_loss" in told:
            self.is_over = True
            return None
        if not values:
            return None
        if "loss" in values:
            self.losses.append(values["loss"])
            logged = self.first_step // self.logging_steps + len(self.losses)  # it logs at multiples of the cadence
            self.step = logged * self.logging_steps
            if self.total_steps is not None:
                self.step = min(self.step, self.total_steps)
        self.trained_tokens = int(as_number(told.get("tokens/trainable")) or self.trained_tokens)
        self.eval_loss = values.get("eval_loss", self.eval_loss)
        return Point(self.step, as_number(told.get("epoch")), values)


def as_number(value: object) -> float | None:
    """A number that was printed, by some versions as text; None for what is none."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None
