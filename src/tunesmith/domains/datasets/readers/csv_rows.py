"""Tables with a header (CSV and its relatives): a record may span lines; its place is its first one.

A quotation mark that is never closed would swallow the file. The parser is strict, and when it fails, reading goes on at the
first later line that is a whole record by itself.
"""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterator
from typing import BinaryIO

from tunesmith.domains.datasets.errors import EmptyDatasetError, FileValidationError
from tunesmith.domains.datasets.readers.dialect import Dialect
from tunesmith.domains.datasets.readers.jsonl import BLANK, skip_line, too_large
from tunesmith.domains.datasets.readers.records import Fault, Position, Record
from tunesmith.domains.datasets.readers.values import not_utf8


class _TooLarge(Exception):
    pass


class _Lines:
    """The physical lines of a file as text; it keeps those of the current record and can take some of them back."""

    def __init__(self, file: BinaryIO, max_row_bytes: int) -> None:
        self._file = file
        self._max_row_bytes = max_row_bytes
        self._returned: deque[bytes] = deque()
        self.taken: list[bytes] = []
        self.taken_bytes = 0
        self.not_utf8: Fault | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._returned.popleft() if self._returned else self._file.readline(self._max_row_bytes + 1)
        if not raw:
            raise StopIteration
        self.taken.append(raw)
        self.taken_bytes += len(raw)
        if self.taken_bytes > self._max_row_bytes:
            if not raw.endswith(b"\n"):
                self.taken_bytes += skip_line(self._file)
            raise _TooLarge
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            self.not_utf8 = self.not_utf8 or not_utf8(raw, error)
            return raw.decode(errors="replace")

    def begin(self) -> None:
        """A new record begins."""
        self.taken, self.taken_bytes, self.not_utf8 = [], 0, None

    def give_back(self, keep: int) -> None:
        """Only the first ``keep`` lines belong to the record; the others are read again."""
        returned = self.taken[keep:]
        self._returned.extendleft(reversed(returned))
        self.taken_bytes -= sum(len(raw) for raw in returned)
        del self.taken[keep:]


def read_header(file: BinaryIO, start: Position, max_row_bytes: int, dialect: Dialect) -> tuple[list[str], Position]:
    """The column names and where the first row begins; a header that cannot be used is refused."""
    _allow_fields_of(max_row_bytes)
    file.seek(start.offset)
    lines = _Lines(file, max_row_bytes)
    parser = dialect.parse(lines)
    cells: list[str] = []
    line, offset = start.line, start.offset
    try:
        while not any(cell.strip() for cell in cells):
            line, offset = line + len(lines.taken), offset + lines.taken_bytes
            lines.begin()
            cells = next(parser)
    except StopIteration:
        raise EmptyDatasetError("The CSV file has no header and no rows.") from None
    except (csv.Error, _TooLarge) as error:
        reason = str(error) or "it is too long"
        raise FileValidationError(f"Line {line}: the header of the CSV file cannot be read: {reason}.") from None
    columns = _with_names_at_the_ends([cell.strip() for cell in cells])
    _check_header(columns, line)
    return columns, Position(1, line + len(lines.taken), offset + lines.taken_bytes)


def _with_names_at_the_ends(columns: list[str]) -> list[str]:
    """Data frames leave the name of their index out, and spreadsheets write columns that were once used after the last."""
    named = [at for at, name in enumerate(columns) if name]
    first, last = (1, named[-1] + 1) if named else (0, 0)
    return [name or (f"column_{at}" if at == first or at > last else "") for at, name in enumerate(columns, start=1)]


def _check_header(columns: list[str], line: int) -> None:
    repeated = sorted(name for name, count in Counter(columns).items() if count > 1)
    if repeated and repeated != [""]:
        shown = ", ".join(repr(name[:80]) for name in repeated if name)
        raise FileValidationError(
            f"Line {line}: the header names {shown} more than once.", hint="Give every column a name of its own."
        )
    if "" in columns:
        raise FileValidationError(
            f"Line {line}: column {columns.index('') + 1} of the header has no name.",
            hint="Name every column in the header, or remove the empty column.",
        )


def _allow_fields_of(max_row_bytes: int) -> None:
    csv.field_size_limit(max(csv.field_size_limit(), max_row_bytes + 1))


def read_csv(
    file: BinaryIO, start: Position, max_row_bytes: int, columns: list[str], dialect: Dialect
) -> Iterator[Record]:
    """Read the records from ``start`` (after the header) to the end."""
    _allow_fields_of(max_row_bytes)
    file.seek(start.offset)
    lines = _Lines(file, max_row_bytes)
    parser = dialect.parse(lines)
    row, line, offset = start.row, start.line, start.offset
    while True:
        lines.begin()
        record = Record(row, line, offset)
        try:
            cells = next(parser)
        except StopIteration:
            return
        except _TooLarge:
            is_one_line = len(lines.taken) == 1
            record.fault = too_large(max_row_bytes) if is_one_line else _UNCLOSED
            lines.give_back(1 if is_one_line else _next_whole_record(lines.taken, len(columns), dialect))
        except csv.Error as error:
            record.fault = _fault_of(error)
            lines.give_back(_next_whole_record(lines.taken, len(columns), dialect))
        else:
            _fill(record, cells, columns, lines.not_utf8)
        yield record
        row += record.is_row
        line += len(lines.taken)
        offset += lines.taken_bytes


_UNCLOSED = Fault(
    "unclosed-quote",
    'A quotation mark that opens here is not closed where the field ends; a quotation mark inside a field is written "".',
    "a closing quotation mark",
    "none",
)


def _fault_of(error: csv.Error) -> Fault:
    if "new-line" in str(error):
        message = "There is a carriage return in the middle of a line."
        return Fault("unclosed-quote", message, "a quoted field around line breaks", "a bare carriage return")
    return _UNCLOSED


def _fill(record: Record, cells: list[str], columns: list[str], encoding: Fault | None) -> None:
    if encoding is not None:
        record.fault = encoding
    elif not cells:
        record.fault, record.is_row = BLANK, False
    elif len(cells) != len(columns):
        message = f"The header has {len(columns)} columns and this record has {len(cells)}."
        record.fault = Fault("column-count", message, f"{len(columns)} columns", f"{len(cells)} columns")
    else:
        record.value = dict(zip(columns, cells, strict=True))


def _next_whole_record(taken: list[bytes], columns: int, dialect: Dialect) -> int:
    """How many lines a broken record keeps: up to the first later line that parses by itself to as many columns."""
    for index, raw in enumerate(taken[1:], start=1):
        try:
            rows = list(dialect.parse([raw.decode(errors="replace")]))
        except csv.Error:
            continue
        if len(rows) == 1 and len(rows[0]) == columns:
            return index
    return len(taken)
