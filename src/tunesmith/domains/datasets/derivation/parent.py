"""The rows of the version that another is made from: each with its text as it stands in the file, decoded only when asked.

A row that nobody touches is copied, not written anew: nothing that a parser swallows (a repeated key, the digits of a number)
is lost on the way, and a large file passes at the speed of copying.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from tunesmith.domains.datasets.readers import DataFile, Fault, FileKind, Record
from tunesmith.domains.datasets.readers.jsonl import skip_line, too_large
from tunesmith.domains.datasets.readers.values import JsonValues
from tunesmith.domains.datasets.source import RowSource

SPACE = b" \t\r\n"
MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the parent's file."""

    offset: int
    size_bytes: int


class ParentRow:
    """One row of the parent. ``fault`` says why it cannot be read; then ``value`` is None."""

    __slots__ = ("_decoded", "_values", "fault", "note", "number", "raw", "span", "value_")

    def __init__(self, number: int, *, raw: bytes | None = None, span: Span | None = None) -> None:
        self.number = number
        self.raw = raw
        """The row as JSON text, to be copied; None when it has to be written anew."""
        self.span = span
        """Where a row that cannot be read lies in the parent's file."""
        self.value_: Any = None
        self.fault: Fault | None = None
        self.note: Fault | None = None
        self._values: JsonValues | None = None
        self._decoded = True

    @classmethod
    def of_line(cls, number: int, raw: bytes, values: JsonValues) -> ParentRow:
        """A line of JSON, not decoded yet."""
        row = cls(number, raw=raw)
        row._values, row._decoded = values, False
        return row

    @classmethod
    def of_record(cls, record: Record, span: Span) -> ParentRow:
        """A record of a CSV or JSON file."""
        row = cls(record.row, span=span if record.fault else None)
        row.value_, row.fault, row.note = record.value, record.fault, record.note
        return row

    def read(self) -> ParentRow:
        """Decode it, if that has not been done."""
        if not self._decoded:
            assert self._values is not None
            assert self.raw is not None
            self.value_, self.fault = self._values.decode(self.raw)
            self.note = self._values.note
            self._decoded = True
        return self

    @property
    def value(self) -> Any:
        """What the row holds."""
        return self.read().value_

    @property
    def is_readable(self) -> bool:
        """Whether it could be decoded."""
        return self.read().fault is None


@dataclass
class Passed:
    """How far a pass over the parent is, and what of the file is no row."""

    bytes_read: int = 0
    rows: int = 0
    blank_lines: int = 0
    has_bom: bool = False
    others: list[str] = field(default_factory=list)
    """Text around the rows, such as something after the end of a JSON array: why it is no row."""
    others_count: int = 0

    def see(self, record: Record) -> None:
        """Note something that is no row."""
        assert record.fault is not None
        if record.fault.code == "blank-line":
            self.blank_lines += 1
            return
        self.others_count += 1
        if len(self.others) < MAX_LISTED:
            self.others.append(f"line {record.line}: {record.fault.message}")


def parent_rows(source: RowSource, data: DataFile, passed: Passed) -> Iterator[ParentRow]:
    """The rows of ``data``, which is ``source`` opened; keeps ``passed``."""
    passed.has_bom = data.has_bom
    is_plain = data.kind is FileKind.JSONL and not source.mapping
    rows = _lines(data, passed) if is_plain else _records(data, passed)
    for row in rows:
        passed.rows += 1
        yield row


def _lines(data: DataFile, passed: Passed) -> Iterator[ParentRow]:
    """JSON Lines, under the same rules as their reader."""
    file, limit = data.file, data.max_row_bytes
    values = JsonValues()
    offset = data.first.offset
    file.seek(offset)
    number = 1
    while raw := file.readline(limit + 1):
        size = len(raw)
        if size > limit and not raw.endswith(b"\n"):
            size += skip_line(file)
            row = ParentRow(number, span=Span(offset, size))
            row.fault = too_large(limit)
            yield row
            number += 1
        elif text := raw.strip(SPACE):
            yield ParentRow.of_line(number, text, values)
            number += 1
        else:
            passed.blank_lines += 1
        offset += size
        passed.bytes_read = offset


def _records(data: DataFile, passed: Passed) -> Iterator[ParentRow]:
    """Any other file, a record behind the reader: where one ends is where the next begins."""
    waiting: Record | None = None
    for record in data.records():
        if waiting is not None:
            yield from _as_row(data, waiting, record.offset, passed)
        waiting = record
    if waiting is not None:
        data.file.seek(0, 2)
        yield from _as_row(data, waiting, data.file.tell(), passed)


def _as_row(data: DataFile, record: Record, end: int, passed: Passed) -> Iterator[ParentRow]:
    passed.bytes_read = end
    if not record.is_row:
        passed.see(record)
        return
    row = ParentRow.of_record(record, Span(record.offset, end - record.offset))
    if row.fault is None:
        row.raw = None if row.note is not None else encoded(row.value_)
        row.raw = row.raw or _element(data, record.offset, end)
    yield row


def _element(data: DataFile, start: int, end: int) -> bytes:
    """One element of a JSON array on one line, as it is written: repeated keys stay, and numbers that no float holds."""
    at = data.file.tell()
    data.file.seek(start)
    text = data.file.read(min(end - start, data.max_row_bytes)).decode(errors="ignore")
    data.file.seek(at)
    _, stop = json.JSONDecoder().raw_decode(text)
    return text[:stop].replace("\n", " ").replace("\r", " ").encode()


def encoded(value: Any) -> bytes | None:
    """``value`` as one line of JSON, without its end; None for what JSON cannot say (an infinite number)."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair stays what it is, as an escape
        return json.dumps(value, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None


def copy_span(source: BinaryIO, span: Span, target: BinaryIO, *, as_text: bool) -> None:
    """Write what lies at ``span`` as one line: JSON Lines as it is, anything else as one JSON text."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    source.seek(span.offset)
    left = span.size_bytes
    if as_text:
        target.write(b'"')
    while left and (piece := source.read(min(left, 1 << 20))):
        left -= len(piece)
        if as_text:
            text = decoder.decode(piece, final=not left)
            target.write(json.dumps(text if left else text.rstrip("\r\n"), ensure_ascii=False).encode()[1:-1])
        else:
            target.write(piece if left else piece.rstrip(b"\r\n"))
    target.write(b'"\n' if as_text else b"\n")
