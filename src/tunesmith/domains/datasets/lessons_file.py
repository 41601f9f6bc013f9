"""What a model learns from each row of a dataset, on disk: a line of JSON with the sums, then one byte of flags a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tunesmith.domains.datasets.doctor.learning import Lesson, RowFlag


class LessonCounts(BaseModel):
    """Sums over all rows of a dataset, for one model and length."""

    rows: int = Field(0, description="Number of rows.")
    no_loss: int = Field(0, description="Rows of which no token carries loss.")
    end_untrained: int = Field(0, description="Rows with an answer whose end of turn carries no loss.")
    truncated_answers: int = Field(0, description="Rows with an answer that is cut off at the length.")
    too_long: int = Field(0, description="Rows with more tokens than are read.")
    refused: int = Field(0, description="Rows that the chat template does not take.")
    stops_in_padding: int = Field(0, description="Rows whose only end of turn is the padding token.")
    unreadable: int = Field(0, description="Rows with red findings of their own; they have no tokens.")
    trained_tokens: int = Field(0, description="Tokens that carry loss.")
    total_tokens: int = Field(0, description="Tokens, before anything is cut off.")


_COUNTED = {
    "no_loss": RowFlag.NO_LOSS,
    "end_untrained": RowFlag.END_UNTRAINED,
    "truncated_answers": RowFlag.ANSWER_CUT,
    "too_long": RowFlag.TOO_LONG,
    "refused": RowFlag.REFUSED,
    "stops_in_padding": RowFlag.STOPS_IN_PADDING,
    "unreadable": RowFlag.UNREADABLE,
}


class LessonsWriter:
    """Takes the rows in their order; a byte of memory each."""

    def __init__(self) -> None:
        self._flags = bytearray()
        self._trained = self._total = 0

    def add(self, lesson: Lesson | None) -> None:
        """The next row; None for one that is no example."""
        self._flags.append(RowFlag.UNREADABLE if lesson is None else lesson.flags)
        if lesson is not None:
            self._trained += lesson.trained_tokens
            self._total += lesson.total_tokens

    def counts(self) -> LessonCounts:
        """The sums so far."""
        flags = np.frombuffer(bytes(self._flags), dtype=np.uint8)
        sums = {name: int(np.count_nonzero(flags & flag)) for name, flag in _COUNTED.items()}
        return LessonCounts(rows=len(flags), trained_tokens=self._trained, total_tokens=self._total, **sums)

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(self.counts().model_dump_json().encode() + b"\n" + self._flags)


def read_counts(path: Path) -> LessonCounts:
    """The sums of a file."""
    with path.open("rb") as file:
        return LessonCounts.model_validate_json(file.readline())


def rows_with(path: Path, flags: RowFlag) -> NDArray[np.int64]:
    """The rows (from 1) that have any of ``flags``."""
    with path.open("rb") as file:
        file.readline()
        found = np.fromfile(file, dtype=np.uint8)
    return np.flatnonzero(found & flags) + 1
