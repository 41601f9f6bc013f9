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


def insert_findings(folder: Path, rows: array[int], later: Iterable[Finding]) -> None:
    """Put findings that were made after the pass, in the order of their rows, behind those of the same rows."""
    number = {code: number for number, code in enumerate(CODES)}
    before = np.frombuffer(rows, dtype=np.uint64) if rows else np.zeros(0, dtype=np.uint64)
    with (folder / INDEX).open("rb") as file:
        header, entries = file.readline(), np.fromfile(file, dtype=_ENTRY)
    at = written = 0
    lines, index = folder / f"{FINDINGS}.merged", folder / f"{INDEX}.merged"
    with (folder / FINDINGS).open("rb") as old, lines.open("wb") as new, index.open("wb") as new_index:
        new_index.write(header)

        def copy(until: int) -> None:
            nonlocal at, written
            end = int(entries["offset"][until]) if until < len(entries) else (folder / FINDINGS).stat().st_size
            moved = entries[at:until].copy()
            moved["offset"] += np.uint64(written - old.tell())
            new_index.write(moved.tobytes())
            while (left := end - old.tell()) > 0:
                written += new.write(old.read(min(left, _COPIED_BYTES)))
            at = until

        for finding in later:
            copy(int(np.searchsorted(before, finding.row, side="right")))
            new_index.write(written.to_bytes(8, "little") + bytes((number[finding.code],)))
            written += new.write(finding.model_dump_json().encode() + b"\n")
        copy(len(entries))
    lines.replace(folder / FINDINGS)
    index.replace(folder / INDEX)


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
