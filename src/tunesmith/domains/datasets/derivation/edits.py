"""Edits that a person made: values set, rows deleted and inserted. Row numbers are those of the parent."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.domains.datasets.derivation.operation import Place, Row
from tunesmith.domains.datasets.derivation.pointers import PointerMissing, replaced
from tunesmith.domains.datasets.derivation.report import Report, StepTally
from tunesmith.domains.datasets.derivation.writing import canonical
from tunesmith.domains.datasets.errors import RowNotFoundError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.schemas.derivation import RowsEdit, RowSet

SHOWN_ROWS = 20
LISTED_ROWS = 1000


class Edit:
    """Applies one ``RowsEdit``."""

    name = "edit"
    model = None

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._edit = RowsEdit.model_validate(json.loads(parameters["edits"]))
        self._sets: dict[int, list[RowSet]] = defaultdict(list)
        for edit in self._edit.set:
            self._sets[edit.row].append(edit)
        self._deleted = set(self._edit.delete)
        self._inserted: dict[int, list[Any]] = defaultdict(list)
        for insert in self._edit.insert:
            self._inserted[insert.after_row].append(insert.value)

    @staticmethod
    def parameters(edit: RowsEdit) -> dict[str, Any]:
        """The edits as one ASCII text: their values may hold characters that a database cannot keep."""
        return {"edits": json.dumps(edit.model_dump(mode="json", exclude={"sha256"}))}

    def apply(self, rows: Iterator[Row], place: Place, report: Report) -> Iterator[Row]:
        """Raises RowNotFoundError when a row that is named is not there, with all that are not."""
        sets, deletions, insertions = (report.step(name) for name in ("set", "delete", "insert"))
        yield from self._new_after(0, insertions)
        last = 0
        for row in rows:
            last = row.number
            if last in self._deleted:
                deletions.remove(last, row.value)
            else:
                if last in self._sets:
                    self._set(row, sets)
                yield row
            yield from self._new_after(last, insertions)
        if not place.should_stop():
            self.check_rows(last)

    def check_rows(self, count: int) -> None:
        """Raise RowNotFoundError for rows that a dataset of ``count`` rows does not have."""
        missing = sorted(row for row in {*self._sets, *self._deleted, *self._inserted} if row > count)
        if missing:
            shown = ", ".join(str(row) for row in missing[:SHOWN_ROWS]) + (" …" if len(missing) > SHOWN_ROWS else "")
            raise RowNotFoundError(
                f"The dataset has {count:,} rows; there is no row {shown}.", rows=missing[:LISTED_ROWS]
            )

    def format_after(self, fmt: DataFormat, sample: Sequence[Any]) -> DataFormat:
        """The same."""
        return fmt

    def summary(self) -> dict[str, Any]:
        """Which rows; the diff has what they hold."""
        return {
            "set": sorted(self._sets)[:LISTED_ROWS],
            "delete": sorted(self._deleted)[:LISTED_ROWS],
            "insert": sorted(self._inserted)[:LISTED_ROWS],
        }

    def _new_after(self, number: int, tally: StepTally) -> Iterator[Row]:
        for value in self._inserted.get(number, ()):
            tally.add(number, value)
            yield Row(None, value)

    def _set(self, row: Row, tally: StepTally) -> None:
        before, value = row.value, row.value
        for edit in self._sets[row.number]:
            if edit.pointer and not row.is_readable:
                raise RowNotFoundError(
                    f"Row {row.number} cannot be read, so {edit.pointer} cannot be set in it.",
                    hint="Set the whole row, without a pointer.",
                    rows=[row.number],
                )
            try:
                value = replaced(value, edit.pointer or "", edit.value)
            except PointerMissing as error:
                raise RowNotFoundError(
                    f"Row {row.number} has no place {edit.pointer}: {error}.",
                    hint="Look at the row, and name a place that it has, or set the whole row.",
                    rows=[row.number],
                ) from None
            row.value = value
        if not row.is_readable or canonical(before) != canonical(value):
            tally.change(row.number, before, value)
