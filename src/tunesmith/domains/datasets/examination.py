"""What a validation does in its thread: one pass of the doctor and a comparison of all rows, everything found written to files."""

from __future__ import annotations

import contextlib
import heapq
import threading
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.domains.datasets.clusters_file import DUPLICATES, DUPLICATES_INDEX, write_clusters
from tunesmith.domains.datasets.doctor import Finding, Limits, examine
from tunesmith.domains.datasets.doctor.distribution import Distribution
from tunesmith.domains.datasets.doctor.examine import Examined, Tally
from tunesmith.domains.datasets.doctor.findings import Later
from tunesmith.domains.datasets.doctor.near_rows import NearRows
from tunesmith.domains.datasets.duplicates import Stopped
from tunesmith.domains.datasets.findings_file import FINDINGS, INDEX, FindingsWriter, insert_findings, read_findings
from tunesmith.domains.datasets.formats import DataFormat, label_of
from tunesmith.domains.datasets.leakage import EvaluationSet, LeakCheck, LeakKind
from tunesmith.domains.datasets.lessons_file import LessonsWriter
from tunesmith.domains.datasets.row_index import ROW_INDEX, RowIndexWriter
from tunesmith.domains.datasets.row_scores import ROW_SCORES, RowScores
from tunesmith.domains.datasets.source import RowSource

OUTPUTS = (FINDINGS, INDEX, ROW_INDEX, ROW_SCORES, DUPLICATES, DUPLICATES_INDEX)
LESSONS = "lessons"
FIRST_FINDINGS = 100


@dataclass
class Examination:
    """One validation: what to read, how far it is (``tally``, read by another thread), and what it found first."""

    source: RowSource
    limits: Limits
    judges: list[EvaluationSet] = field(default_factory=list)
    """The validation and test parts that belong to it: its rows should not be in them."""
    tally: Tally = field(default_factory=Tally)
    first: list[Finding] = field(default_factory=list)
    scores: RowScores = field(default_factory=RowScores)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, folder: Path) -> None:
        """Examine the file and write ``OUTPUTS``, with a learner also ``LESSONS``, into ``folder``.

        Ends early, with half of them, when ``stop`` is set.
        """
        folder.mkdir(parents=True, exist_ok=True)
        places, lessons, answers = RowIndexWriter(), LessonsWriter(), Distribution()
        with NearRows(folder) as near, LeakCheck(folder, (LeakKind.PROMPT, LeakKind.CONVERSATION)) as leaks:
            with self.source.open() as data, FindingsWriter(folder) as findings:
                for examined in examine(data, self.source.format, self.limits, self.tally):
                    places.add(examined.record)
                    if examined.record.is_row:
                        lessons.add(examined.lesson)
                        self.scores.add(examined.findings)
                    for finding in examined.findings:
                        findings.write(finding)
                        if len(self.first) < FIRST_FINDINGS:
                            self.first.append(finding)
                    if self.limits.check_duplicates:
                        self._remember(examined, near, leaks)
                    self._note(examined, answers)
                    if self.stop.is_set():
                        return
            places.save(folder / ROW_INDEX)
            lessons.save(folder / LESSONS)
            with contextlib.suppress(Stopped):
                self._compare_rows(folder, near, leaks, answers, findings.rows)
            self.scores.save(folder / ROW_SCORES)

    def _note(self, examined: Examined, answers: Distribution) -> None:
        if examined.traits is None or examined.is_red:
            return
        row, line = examined.record.row, examined.record.line if self.source.has_lines else None
        label = label_of(examined.record.value["label"]) if self.source.format is DataFormat.KTO else None
        answers.add(row, line, examined.traits, label)

    def _remember(self, examined: Examined, near: NearRows, leaks: LeakCheck) -> None:
        if examined.checked is None or examined.is_red:
            return
        row, line = examined.record.row, examined.record.line if self.source.has_lines else None
        near.add(row, line, examined.checked, examined.findings)
        if self.judges:
            leaks.add(examined.checked, row, line)

    def _compare_rows(
        self, folder: Path, near: NearRows, leaks: LeakCheck, answers: Distribution, rows: array[int]
    ) -> None:
        """What only all rows together, or other datasets, show; its findings are put between the others."""
        threshold, should_stop = self.limits.similarity_threshold, self.stop.is_set
        later = [answers.findings()]
        clusters = None
        if self.limits.check_duplicates:
            clusters = near.clusters(threshold, should_stop)
            later.append(near.findings(clusters))
        if self.limits.check_duplicates and self.judges:
            for judge in self.judges:
                leaks.read(judge.source, should_stop, is_evaluation=True)
            leaks.compare(threshold, should_stop)
            later.append(leaks.findings([judge.title for judge in self.judges]))
        insert_findings(folder, rows, self._counted(heapq.merge(*later, key=lambda later: later.row)))
        write_clusters(folder, near if clusters is not None else None, clusters, threshold)
        self.first = read_findings(
            folder / FINDINGS, folder / INDEX, severity=None, code=None, offset=0, limit=FIRST_FINDINGS
        )[0]

    def _counted(self, found: Iterable[Later]) -> Iterator[Later]:
        for later in found:
            self.tally.counts.add_later(later, self.scores.worst_before(later))
            yield later
