"""JSON Lines: a record is a physical line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tunesmith.domains.datasets.readers.records import Fault, Position, Record
from tunesmith.domains.datasets.readers.values import JsonValues

SKIP_BYTES = 1 << 20


def read_jsonl(file: BinaryIO, start: Position, max_row_bytes: int) -> Iterator[Record]:
    """Read from ``start`` to the end, a line at a time; a line that cannot be read is a record with a fault."""
    file.seek(start.offset)
    values = JsonValues()
    row, line, offset = start.row, start.line, start.offset
    while raw := file.readline(max_row_bytes + 1):
        begin, size = offset, len(raw)
        if size > max_row_bytes and not raw.endswith(b"\n"):
            size += skip_line(file)
            yield Record(row, line, begin, fault=too_large(max_row_bytes))
            row += 1
        elif not (text := raw.strip(b" \t\r\n")):
            yield Record(row, line, begin, fault=BLANK, is_row=False)
        else:
            value, fault = values.decode(text)
            yield Record(row, line, begin, value, fault, values.note)
            row += 1
        offset += size
        line += 1


BLANK = Fault("blank-line", "The line is empty; it is passed over.", "one record", "an empty line")


def too_large(max_row_bytes: int) -> Fault:
    """The fault of a record over the limit."""
    message = f"The record is larger than {max_row_bytes:,} bytes and was passed over."
    return Fault("row-too-large", message, f"at most {max_row_bytes} bytes", "more")


def skip_line(file: BinaryIO) -> int:
    """Read to the end of the line; answers how many bytes that was."""
    skipped = 0
    while piece := file.readline(SKIP_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped
