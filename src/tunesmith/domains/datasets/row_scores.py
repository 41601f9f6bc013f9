"""The worst that was found in each row, a byte a row: what a row is worth is looked up at once, whatever the size of the file."""

from __future__ import annotations

from pathlib import Path

from tunesmith.domains.datasets.doctor import Finding, Severity
from tunesmith.domains.datasets.doctor.findings import Later

ROW_SCORES = "rows.worst"
_NUMBER = {Severity.GREEN: 1, Severity.AMBER: 2, Severity.RED: 3}
_SEVERITY = {number: severity for severity, number in _NUMBER.items()}


class RowScores:
    """Takes the rows in their order, and later findings about them."""

    def __init__(self) -> None:
        self._worst = bytearray()

    def add(self, findings: list[Finding]) -> None:
        """The next row with what was found in it."""
        self._worst.append(max((_NUMBER[finding.severity] for finding in findings), default=0))

    def worst_before(self, later: Later) -> Severity | None:
        """The worst that the row had before; from now on this finding counts, too."""
        before = self._worst[later.row - 1]
        if later.finding is not None:
            self._worst[later.row - 1] = max(before, _NUMBER[later.finding.severity])
        return _SEVERITY.get(before)

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(self._worst)


def read_worst(path: Path, first: int, many: int) -> list[Severity | None]:
    """The worst of ``many`` rows from row ``first`` (from 1) on; fewer at the end of the file."""
    with path.open("rb") as file:
        file.seek(first - 1)
        return [_SEVERITY.get(number) for number in file.read(many)]
