"""The operation that applies fixes: each row is examined, mended, and examined again until nothing more can be mended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.domains.datasets.derivation.fixing.fixers import FIXERS
from tunesmith.domains.datasets.derivation.fixing.turns import REMOVED
from tunesmith.domains.datasets.derivation.operation import Place, Row
from tunesmith.domains.datasets.derivation.report import Report
from tunesmith.domains.datasets.derivation.writing import canonical
from tunesmith.domains.datasets.doctor import RowChecker
from tunesmith.domains.datasets.doctor.checked import CheckedRow
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.contents import faults_of_texts, taught
from tunesmith.domains.datasets.doctor.digests import FirstRows, digest
from tunesmith.domains.datasets.doctor.fixable import FIXABLE
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.pii import find_pii
from tunesmith.domains.datasets.readers import Fault
from tunesmith.domains.datasets.schemas.fixes import FixRequest

MAX_ROUNDS = 50
_LEFT = "It cannot be told what was meant; the row stays as it is."


class Fix:
    """Applies what a ``FixRequest`` asks for."""

    name = "fix"
    model = None

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._asked = FixRequest.model_validate(parameters)
        self._codes = frozenset(self._asked.codes) or FIXABLE
        self._rows = frozenset(self._asked.rows)
        self._findings = {(found.row, found.code, found.pointer) for found in self._asked.findings}
        self._found_rows = {found.row for found in self._asked.findings}
        self._seen = FirstRows()

    def apply(self, rows: Iterator[Row], place: Place, report: Report) -> Iterator[Row]:
        """The rows, mended."""
        checker = RowChecker(place.format)
        for row in rows:
            is_asked = self._concerns(row.number)
            if is_asked and not self._mended(row, checker, report):
                continue
            if self._repeats(row, checker, report, is_asked):
                continue
            yield row
        self._mend_file(place, report)

    def format_after(self, fmt: DataFormat, sample: Sequence[Any]) -> DataFormat:
        """The same."""
        return fmt

    def summary(self) -> dict[str, Any]:
        """What was asked for."""
        return self._asked.model_dump(mode="json", exclude_defaults=True, exclude={"preview"})

    def _concerns(self, row: int) -> bool:
        if self._findings or self._rows:
            return row in self._rows or row in self._found_rows
        return True

    def _wants(self, row: int, code: str, pointer: str) -> bool:
        if row in self._rows or not (self._rows or self._findings):
            return code in self._codes
        return (row, code, pointer) in self._findings or (row, code, None) in self._findings

    def _mended(self, row: Row, checker: RowChecker, report: Report) -> bool:
        """Mend one row; whether it stays."""
        if not row.is_readable and not self._decoded(row, report):
            return True
        left: set[tuple[str, str]] = set()
        for _ in range(MAX_ROUNDS):
            fault = self._next_fault(row, checker, left)
            if fault is None:
                break
            tally = report.step(fault.code)
            made = FIXERS[fault.code](row.value, fault, checker.format)
            if made is REMOVED:
                tally.remove(row.number, row.value, fault.message)
                return False
            if made is None or (fault.code != "duplicate-key" and canonical(made) == canonical(row.value)):
                left.add((fault.code, fault.pointer))
                tally.leave(row.number, f"{fault.message} {_LEFT}")
            else:
                if fault.code != "duplicate-key":  # told by the pass, whatever the row is written anew for
                    tally.change(row.number, row.value, made, fault.message)
                row.value = made
        return True

    def _next_fault(self, row: Row, checker: RowChecker, left: set[tuple[str, str]]) -> Fault | None:
        """The first fault that is asked for and was not given up."""
        for fault in faults_of(row, checker.check(row.value)):
            is_open = fault.code in FIXERS and (fault.code, fault.pointer) not in left
            if is_open and self._wants(row.number, fault.code, fault.pointer):
                return fault
        return None

    def _decoded(self, row: Row, report: Report) -> bool:
        """Read a line that is Korean in the old encoding among lines in UTF-8; whether that worked."""
        parent = row.parent
        if parent is None or parent.fault is None or parent.raw is None or parent.fault.code != "invalid-encoding":
            return False
        if not self._wants(row.number, "invalid-encoding", parent.fault.pointer):
            return False
        try:
            text = parent.raw.decode("cp949")
            value = json.loads(text)
        except (ValueError, RecursionError):
            value, text = None, ""
        if not any("가" <= character <= "힣" for character in text):
            report.step("invalid-encoding").leave(row.number, f"{parent.fault.message} {_LEFT}")
            return False
        report.step("invalid-encoding").change(row.number, None, value, "The line is CP949 (EUC-KR).")
        row.value = value
        return True

    def _repeats(self, row: Row, checker: RowChecker, report: Report, is_asked: bool) -> bool:
        """Whether the row repeats an earlier one that stays, and goes for that."""
        if "exact-duplicate" not in self._codes and not self._findings:
            return False
        key = row_key(row, checker)
        first = self._seen.first(key, row.number) if key else 0
        if not first or not is_asked or not self._wants(row.number, "exact-duplicate", ""):
            return False
        report.step("exact-duplicate").remove(row.number, row.value, f"The row repeats row {first} exactly.")
        return True

    def _mend_file(self, place: Place, report: Report) -> None:
        """Blank lines and a byte order mark are in no version that is made here; say so when that was the point."""
        if self._rows or (self._findings and not self._found_rows):
            return
        codes = {found.code for found in self._asked.findings} if self._findings else self._codes
        for code, count in (("blank-line", place.passed.blank_lines), ("encoding-bom", int(place.passed.has_bom))):
            if code in codes and count:
                report.step(code).changed += count
                report.file_changed = True


def faults_of(row: Row, checked: CheckedRow) -> Iterator[Fault]:
    """What the doctor would find in a row, looked at alone."""
    parent = row.parent
    if not row.touched and parent is not None and parent.note is not None:
        yield parent.note
    yield from checked.faults
    yield from faults_of_texts(checked, row.value, find_pii)
    try:
        "".join(turn.text for turn in checked.turns).encode()
    except UnicodeEncodeError:
        yield Fault("invalid-encoding", "A text holds half of a surrogate pair, which is no character.")


def row_key(row: Row, checker: RowChecker) -> int | None:
    """A digest of what a row teaches, the same as the doctor's; None for a row that cannot be trained on."""
    if not row.is_readable:
        return None
    checked = checker.check(row.value)
    if any(CODES[fault.code].severity == "red" for fault in checked.faults):
        return None
    try:
        return digest(*taught(checked, row.value))
    except UnicodeEncodeError:
        return None
