"""The pass that prepares a file: every row converted, or listed with the reason why not."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.domains.datasets.derivation.parent import Passed, encoded
from tunesmith.domains.datasets.doctor import RowChecker
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.errors import EmptyDatasetError, MissingColumnsError, PreprocessingError
from tunesmith.domains.datasets.formats import SUPERVISED, DataFormat, detect, missing_columns
from tunesmith.domains.datasets.outputs.conversion import NotConvertible, converted
from tunesmith.domains.datasets.outputs.statistics import EXAMPLES, Lengths, masked
from tunesmith.domains.datasets.readers import Fault, Record
from tunesmith.domains.datasets.schemas.outputs import FileStatistics, PreprocessFault, PreprocessFormat
from tunesmith.domains.datasets.source import RowSource

LISTED_FAULTS = 1000
SHOWN_ROWS = 20
DETECTION_ROWS = 100
_OF_CONTENT = frozenset({"empty-turn", "wrong-role-order", "last-turn-not-assistant", "tool-call-mismatch"})
"""Faults of rows that can be converted all the same: looked for only when the rows are to be validated."""


@dataclass
class Preparation:
    """One preparation. With ``validate`` a row has to be fit for training; without, only to be convertible."""

    source: RowSource
    target: PreprocessFormat
    validate: bool
    skip_invalid: bool
    passed: Passed = field(default_factory=Passed)
    stop: threading.Event = field(default_factory=threading.Event)
    faults: list[PreprocessFault] = field(default_factory=list)
    skipped: int = 0
    lengths: Lengths = field(default_factory=Lengths)
    examples: list[Any] = field(default_factory=list)

    def run(self, path: Path) -> None:
        """Write the prepared rows to ``path``. Raises MissingColumnsError, PreprocessingError and EmptyDatasetError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.source.open() as data, path.open("wb") as file:
            fmt = format_of([record.value for record in islice(data.records(), DETECTION_ROWS)], self.source.format)
            checker = RowChecker(fmt)
            for record in data.records():
                if self.stop.is_set():
                    return
                self.passed.bytes_read = record.offset
                if record.is_row:
                    self.passed.rows += 1
                    line = self._prepared(record, checker, data.has_lines)
                    if line is not None:
                        file.write(line + b"\n")
        self._judge()

    def statistics(self) -> FileStatistics:
        """Figures over what was written."""
        return FileStatistics(
            total_samples=self.lengths.rows,
            avg_instruction_length=self.lengths.asked,
            avg_output_length=self.lengths.answered,
            sample_examples=self.examples,
        )

    def _prepared(self, record: Record, checker: RowChecker, has_lines: bool) -> bytes | None:
        fault = record.fault
        checked = None if fault is not None else checker.check(record.value)
        if checked is not None:
            fault = next((found for found in checked.faults if self._forbids(found)), None)
        if fault is None and checked is not None:
            try:
                row = converted(record.value, checker.format, self.target)
                line = encoded(row)
            except NotConvertible as error:
                fault = Fault("wrong-type", str(error))
            except (KeyError, TypeError, AttributeError):  # not validated, and of another shape than it should be
                fault = Fault("wrong-type", "The row has not the fields or types that its format asks for.")
            else:
                self.lengths.add(checked)
                if len(self.examples) < EXAMPLES:
                    self.examples.append(masked(row))
                return line
        assert fault is not None
        self.skipped += 1
        if len(self.faults) < LISTED_FAULTS:
            place = record.line if has_lines else None
            self.faults.append(
                PreprocessFault(row=record.row, line=place, field=fault.pointer, message=masked(fault.message))
            )
        return None

    def _forbids(self, fault: Fault) -> bool:
        return CODES[fault.code].severity == "red" and (self.validate or fault.code not in _OF_CONTENT)

    def _judge(self) -> None:
        if self.passed.rows == 0:
            raise EmptyDatasetError("The file has no rows.")
        if self.skipped and not self.skip_invalid:
            rows = ", ".join(str(fault.row) for fault in self.faults[:SHOWN_ROWS])
            more = " …" if self.skipped > SHOWN_ROWS else ""
            raise PreprocessingError(
                f"{self.skipped} of {self.passed.rows} rows cannot be prepared: rows {rows}{more}.",
                hint="Correct them, or send `skip_invalid: true` to leave them out.",
                errors=[
                    {"location": f"row {fault.row}, line {fault.line}", "field": fault.field, "message": fault.message}
                    for fault in self.faults[:100]
                ],
            )
        if self.lengths.rows == 0:
            raise EmptyDatasetError(
                f"None of the {self.passed.rows} rows can be prepared.", hint=self.faults[0].message
            )


def check_columns_of(source: RowSource) -> None:
    """Raise MissingColumnsError when the first rows of ``source`` cannot be prepared."""
    with source.open() as data:
        format_of([record.value for record in islice(data.records(), DETECTION_ROWS)], source.format)


def format_of(rows: list[Any], known: DataFormat) -> DataFormat:
    """The format of rows that can be prepared; raises MissingColumnsError, with the mapping that would help."""
    objects = [row for row in rows if isinstance(row, dict)]
    found = _detected(objects)
    fmt = found if found in SUPERVISED else known
    if fmt in SUPERVISED:
        return fmt
    columns = list(dict.fromkeys(str(name) for row in objects for name in row))
    raise with_mapping(missing_columns(columns, DataFormat.ALPACA), columns)


def _detected(objects: list[dict[str, Any]]) -> DataFormat | None:
    try:
        return detect(objects).format if objects else None
    except MissingColumnsError:
        return None


def with_mapping(error: MissingColumnsError, columns: list[str]) -> MissingColumnsError:
    """The refusal with a mapping that could be sent: the first two columns that are not taken."""
    spare = [name for name in columns if name not in ("instruction", "output")]
    wanted = [name for name in ("instruction", "output") if name not in columns]
    if len(spare) >= len(wanted):
        mapping = dict(zip(spare, wanted, strict=False))
        shown = ", ".join(f'"{column[:60]}": "{name}"' for column, name in mapping.items())
        error.hint = f"Send the columns that hold them, for example column_mapping: {{{shown}}}."
    return error


def mapped(source: RowSource, mapping: Mapping[str, str] | None) -> RowSource:
    """``source`` read under a mapping of columns; raises MissingColumnsError for columns that the first rows do not have."""
    if not mapping:
        return source
    with source.open() as data:
        rows = [record.value for record in islice(data.records(), DETECTION_ROWS)]
    columns = dict.fromkeys(str(name) for row in rows if isinstance(row, dict) for name in row)
    to_field = {source.field_of(name): field for name, field in mapping.items()}
    if not any(name in columns for name in to_field):
        turned = {source.field_of(column): field for field, column in mapping.items()}
        to_field = turned if all(name in columns for name in turned) else to_field
    missing = [name for name in to_field if name not in columns]
    if missing:
        shown = ", ".join(f"`{name[:60]}`" for name in list(columns)[:12])
        raise MissingColumnsError(
            f"The file has no column {', '.join(f'`{name[:60]}`' for name in missing)}; it has {shown}.",
            hint="Write the mapping as column of the file → field.",
            missing=missing,
            columns=[name[:60] for name in list(columns)[:50]],
        )
    return replace(source, mapping=composed_mapping(source.mapping, to_field))


def composed_mapping(first: Mapping[str, str], then: Mapping[str, str]) -> dict[str, str]:
    """One mapping for two that follow each other."""
    made = {column: then.get(name, name) for column, name in first.items()}
    return made | {
        column: name for column, name in then.items() if column not in first.values() and column not in first
    }
