"""Findings on disk: a JSON Lines file, and beside it an index (9 bytes a finding) that makes any page of any filter quick."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.doctor import CODES, Finding, Severity
from tunesmith.domains.datasets.doctor.findings import Later

FINDINGS = "findings.jsonl"
INDEX = "findings.index"
_COPIED_BYTES = 1 << 20
_ENTRY = np.dtype([("offset", "<u8"), ("code", "u1")])


class FindingsWriter:
    """Writes findings as they are found; memory does not grow with them."""

    def __init__(self, folder: Path) -> None:
        self._lines = (folder / FINDINGS).open("wb")
        self._index = (folder / INDEX).open("wb")
        self._number = {code: number for number, code in enumerate(CODES)}
        header = [[code.slug, code.severity.value] for code in CODES.values()]
        self._index.write(json.dumps(header).encode() + b"\n")
        self._offset = 0
        self.rows = array("Q")
        """The row of each finding."""

    def write(self, finding: Finding) -> None:
        """Append one finding."""
        line = finding.model_dump_json().encode() + b"\n"
        self._lines.write(line)
        self._index.write(self._offset.to_bytes(8, "little") + bytes((self._number[finding.code],)))
        self._offset += len(line)
        self.rows.append(finding.row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._index.close()


def insert_findings(folder: Path, rows: array[int], found: Iterable[Later]) -> None:
    """Put findings that were made after the pass, in the order of their rows, behind those of the same rows."""
    number = {code: number for number, code in enumerate(CODES)}
    of_row = np.frombuffer(rows, dtype=np.uint64) if rows else np.zeros(0, dtype=np.uint64)
    with _Merge(folder) as merge:
        for row, finding, instead_of in found:
            end = int(np.searchsorted(of_row, row, side="right"))
            if instead_of is not None:
                begin = int(np.searchsorted(of_row, row, side="left"))
                merge.pass_over(begin + int(np.argmax(merge.codes[begin:end] == number[instead_of])))
            merge.copy(end)
            if finding is not None:
                merge.write(finding, number[finding.code])
    for name in (FINDINGS, INDEX):
        (folder / f"{name}.merged").replace(folder / name)


class _Merge:
    """Copies findings and their index to new files, with others between them; lines are moved, not read."""

    def __init__(self, folder: Path) -> None:
        with (folder / INDEX).open("rb") as file:
            header, self._entries = file.readline(), np.fromfile(file, dtype=_ENTRY)
        self.codes = self._entries["code"]
        self._old = (folder / FINDINGS).open("rb")
        self._end = (folder / FINDINGS).stat().st_size
        self._lines = (folder / f"{FINDINGS}.merged").open("wb")
        self._index = (folder / f"{INDEX}.merged").open("wb")
        self._index.write(header)
        self._at = self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.copy(len(self._entries))
        for file in (self._old, self._lines, self._index):
            file.close()

    def copy(self, until: int) -> None:
        """Copy the findings before number ``until`` that have not been copied."""
        if until <= self._at:
            return
        self._old.seek(start := self._start_of(self._at))
        moved = self._entries[self._at : until].copy()
        moved["offset"] = moved["offset"].astype(np.int64) + (self._written - start)
        self._index.write(moved.tobytes())
        left = self._start_of(until) - start
        while left > 0:
            copied = self._lines.write(self._old.read(min(left, _COPIED_BYTES)))
            left -= copied
            self._written += copied
        self._at = until

    def pass_over(self, one: int) -> None:
        """Leave one finding out."""
        self.copy(one)
        self._at = one + 1

    def write(self, finding: Finding, code: int) -> None:
        """Put a finding here."""
        self._index.write(self._written.to_bytes(8, "little") + bytes((code,)))
        self._written += self._lines.write(finding.model_dump_json().encode() + b"\n")

    def _start_of(self, number: int) -> int:
        return int(self._entries["offset"][number]) if number < len(self._entries) else self._end


def read_findings(
    findings: Path, index: Path, *, severity: Severity | None, code: str | None, offset: int, limit: int
) -> tuple[list[Finding], int]:
    """One page of the findings that match, and how many match."""
    with index.open("rb") as file:
        codes: list[list[str]] = json.loads(file.readline())
        entries: NDArray[np.void] = np.fromfile(file, dtype=_ENTRY)
    wanted = [
        number
        for number, (slug, of_severity) in enumerate(codes)
        if (code is None or slug == code) and (severity is None or of_severity == severity)
    ]
    offsets = entries["offset"] if len(wanted) == len(codes) else entries["offset"][np.isin(entries["code"], wanted)]
    page = []
    with findings.open("rb") as file:
        for at in offsets[offset : offset + limit]:
            file.seek(int(at))
            page.append(Finding.model_validate_json(file.readline()))
    return page, len(offsets)
