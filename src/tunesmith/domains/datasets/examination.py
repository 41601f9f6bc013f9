"""What a validation does in its thread: one pass of the doctor, everything that it finds written to files."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.domains.datasets.doctor import Finding, Limits, examine
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.findings_file import FINDINGS, INDEX, FindingsWriter
from tunesmith.domains.datasets.row_index import ROW_INDEX, RowIndexWriter
from tunesmith.domains.datasets.source import RowSource

OUTPUTS = (FINDINGS, INDEX, ROW_INDEX)
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
        with self.source.open() as data, FindingsWriter(folder) as findings:
            for examined in examine(data, self.source.format, self.limits, self.tally):
                places.add(examined.record)
                for finding in examined.findings:
                    findings.write(finding)
                    if len(self.first) < FIRST_FINDINGS:
                        self.first.append(finding)
                if self.stop.is_set():
                    return
        places.save(folder / ROW_INDEX)
