"""Near duplicates among the rows of a pass: collected while the rows go by, known when the last one has.

What is compared is the conversation without the system's turn, which many rows share and which would make them alike.
"""

from __future__ import annotations

import functools
import tempfile
from array import array
from collections.abc import Iterator
from operator import or_
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from tunesmith.domains.datasets.doctor.checked import CheckedRow, Turn
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.digests import digest
from tunesmith.domains.datasets.doctor.findings import Finding, Later
from tunesmith.domains.datasets.duplicates import Clusters, NearDuplicates, ShouldStop
from tunesmith.domains.datasets.pii import shown

EXCERPT_CHARACTERS = 160
_FLAGS = {"exact-duplicate": 1, "contradictory-answers": 2, "control-character": 4, "mojibake": 4}
_SAID_ALREADY = _FLAGS["exact-duplicate"] | _FLAGS["mojibake"]


def conversation(turns: list[Turn]) -> str:
    """What the user and the assistant say, one text."""
    return "\n".join(turn.text for turn in turns if turn.role != "system")


def prompt_of(checked: CheckedRow) -> list[str]:
    """What is asked, without the system's turn; everything where nothing is asked."""
    asked = [turn.text for turn in checked.prompt if turn.role != "system"]
    return asked or [turn.text for turn in checked.turns if turn.role != "system"]


class Member(NamedTuple):
    """A row of a cluster."""

    row: int
    line: int | None
    similarity: float
    like_row: int
    like_similarity: float
    excerpt: str


class NearRows:
    """Some 60 bytes of memory a row; the tokens and the first characters of each row lie in temporary files."""

    def __init__(self, folder: Path) -> None:
        self._near = NearDuplicates(folder)
        self._excerpts = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed in __exit__)
        self._ends = array("Q")
        self._rows = array("Q")
        self._lines = array("Q")
        self._codes = bytearray()
        self._prompts = array("Q")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._near.__exit__(kind, error, trace)
        self._excerpts.close()

    def add(self, row: int, line: int | None, checked: CheckedRow, findings: list[Finding]) -> None:
        """Take the next row, which is fit for training, with what was found in it so far."""
        text = conversation(checked.turns)
        self._near.add(len(self._rows), text)
        self._rows.append(row)
        self._lines.append(line or 0)
        self._codes.append(functools.reduce(or_, (_FLAGS.get(finding.code, 0) for finding in findings), 0))
        self._prompts.append(digest(*prompt_of(checked)))
        raw = text[:EXCERPT_CHARACTERS].encode(errors="replace")
        self._excerpts.write(raw)
        self._ends.append((self._ends[-1] if self._ends else 0) + len(raw))

    def clusters(self, threshold: float, should_stop: ShouldStop) -> Clusters:
        """The clusters, their texts numbered from 0 in the order in which the rows came; raises Stopped."""
        return self._near.clusters(threshold, should_stop)

    def findings(self, clusters: Clusters) -> Iterator[Later]:
        """A finding for each row that is nearly another, in the order of the rows, but for the first of a cluster.

        A row that repeats an earlier one exactly has a finding for that, and one whose text has to be repaired first has one for
        that: after the repair it is looked at again. Where the prompts are the same, the answers differ a little rather than
        contradict each other.
        """
        is_first = np.diff(clusters.cluster, prepend=-1) > 0
        at = np.flatnonzero(~is_first)
        for place in at[np.argsort(clusters.text[at], kind="stable")].tolist():
            text, like = int(clusters.text[place]), int(clusters.like[place])
            codes = self._codes[text]
            is_same_prompt = like < text and self._prompts[like] == self._prompts[text]
            void = "contradictory-answers" if is_same_prompt and codes & _FLAGS["contradictory-answers"] else None
            if not codes & _SAID_ALREADY:
                finding = _finding(self._place(text), self._rows[like], float(clusters.like_similarity[place]))
                yield Later(finding.row, finding, void)
            elif void:
                yield Later(self._rows[text], None, void)

    def members(self, clusters: Clusters, start: int, end: int) -> Iterator[Member]:
        """The entries ``start`` to ``end`` of ``clusters`` for people to look at."""
        for at in range(start, end):
            text, like = int(clusters.text[at]), int(clusters.like[at])
            row, line = self._place(text)
            yield Member(
                row,
                line,
                round(float(clusters.similarity[at]), 4),
                self._rows[like],
                round(float(clusters.like_similarity[at]), 4),
                self._excerpt(text),
            )

    def _place(self, text: int) -> tuple[int, int | None]:
        return self._rows[text], self._lines[text] or None

    def _excerpt(self, text: int) -> str:
        begin = self._ends[text - 1] if text else 0
        self._excerpts.seek(begin)
        return shown(self._excerpts.read(self._ends[text] - begin).decode(), EXCERPT_CHARACTERS)


def percent(similarity: float) -> str:
    """97.8 % is 97 %: what is not the same is never called 100 %."""
    return f"{int(100 * similarity + 1e-9)} %"


def _finding(place: tuple[int, int | None], like: int, similarity: float) -> Finding:
    code = CODES["near-duplicate"]
    same = f"{percent(similarity)} the same as row {like}"
    return Finding(
        code=code.slug,
        severity=code.severity,
        row=place[0],
        line=place[1],
        pointer="",
        expected="each example once",
        found=same,
        fix=code.fix,
        message=f"The row is {same}, but for case, spaces and punctuation.",
    )
