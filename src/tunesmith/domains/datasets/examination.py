"""What a validation does in its thread: one pass of the doctor and a comparison of all rows, everything found written to files."""

from __future__ import annotations

import contextlib
import threading
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.domains.datasets.clusters_file import DUPLICATES, DUPLICATES_INDEX, write_clusters
from tunesmith.domains.datasets.doctor import Finding, Limits, examine
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.doctor.near_rows import NearFinding, NearRows
from tunesmith.domains.datasets.duplicates import Stopped
from tunesmith.domains.datasets.findings_file import FINDINGS, INDEX, FindingsWriter, insert_findings, read_findings
from tunesmith.domains.datasets.row_index import ROW_INDEX, RowIndexWriter
from tunesmith.domains.datasets.source import RowSource

OUTPUTS = (FINDINGS, INDEX, ROW_INDEX, DUPLICATES, DUPLICATES_INDEX)
FIRST_FINDINGS = 100


@dataclass
class Examination:
    """One validation: what to read, how far it is (``tally``, read by another thread), and what it found first."""

    source: RowSource
    limits: Limits
    tally: Tally = field(default_factory=Tally)
    first: list[Finding] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, folder: Path) -> None:
        """Examine the file and write ``OUTPUTS`` into ``folder``; ends early, with half of them, when ``stop`` is set."""
        folder.mkdir(parents=True, exist_ok=True)
        places = RowIndexWriter()
        with NearRows(folder) as near:
            with self.source.open() as data, FindingsWriter(folder) as findings:
                for examined in examine(data, self.source.format, self.limits, self.tally):
                    places.add(examined.record)
                    for finding in examined.findings:
                        findings.write(finding)
                        if len(self.first) < FIRST_FINDINGS:
                            self.first.append(finding)
                    if self.limits.check_duplicates and examined.checked is not None and not examined.is_red:
                        record = examined.record
                        near.add(record.row, record.line, examined.checked.turns, examined.findings)
                    if self.stop.is_set():
                        return
            places.save(folder / ROW_INDEX)
            with contextlib.suppress(Stopped):
                self._compare_rows(folder, near, findings.rows)

    def _compare_rows(self, folder: Path, near: NearRows, rows: array[int]) -> None:
        """What only all rows together show; its findings are put between the others."""
        threshold = self.limits.similarity_threshold
        if not self.limits.check_duplicates:
            write_clusters(folder, None, None, threshold)
            return
        clusters = near.clusters(threshold, self.stop.is_set)
        insert_findings(folder, rows, self._counted(near.findings(clusters)))
        write_clusters(folder, near, clusters, threshold)
        self.first = read_findings(
            folder / FINDINGS, folder / INDEX, severity=None, code=None, offset=0, limit=FIRST_FINDINGS
        )[0]

    def _counted(self, found: Iterable[NearFinding]) -> Iterator[Finding]:
        for finding, worst_before in found:
            self.tally.counts.add_to_row(finding, worst_before)
            yield finding
