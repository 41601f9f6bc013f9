"""Taking personal data out of every row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.domains.datasets.derivation.operation import Place, Row
from tunesmith.domains.datasets.derivation.report import Report
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.pii import NAMES, PiiAction, Pseudonyms, apply_pii
from tunesmith.domains.datasets.schemas.personal import PiiApplyRequest


class ApplyPii:
    """Applies what a ``PiiApplyRequest`` asks for; the report has a step for each kind."""

    name = "pii"
    model = None

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._asked = PiiApplyRequest.model_validate(parameters)
        self._actions = self._asked.all_actions()

    def apply(self, rows: Iterator[Row], place: Place, report: Report) -> Iterator[Row]:
        """The rows without personal data of the kinds that were named; a row that cannot be read is named, and stays."""
        pseudonyms = Pseudonyms(place.salt) if PiiAction.PSEUDONYMISE in self._actions.values() else None
        for row in rows:
            if not row.is_readable:
                report.step("unreadable").leave(row.number, "The row cannot be read, so it is not known what it holds.")
                yield row
                continue
            applied = apply_pii(
                row.value, self._actions, pseudonyms, at_least=self._asked.min_confidence, find=place.find_pii
            )
            kinds = list(dict.fromkeys(change.entity for change in applied.changes))
            if applied.is_dropped:
                names = ", ".join(NAMES[kind] for kind in kinds)
                report.step(kinds[-1].value).remove(row.number, None, f"The row holds {names}.")
                continue
            for kind in kinds:
                report.step(kind.value).change(row.number, row.value, applied.value, f"It holds {NAMES[kind]}.")
            if kinds:
                row.value = applied.value
            yield row

    def format_after(self, fmt: DataFormat, sample: Sequence[Any]) -> DataFormat:
        """The same."""
        return fmt

    def summary(self) -> dict[str, Any]:
        """What was asked for."""
        return self._asked.model_dump(mode="json", exclude={"preview"})
