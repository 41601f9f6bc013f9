"""Opening a data file: look at its head, then read its records, from the start or from a known place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from tunesmith.domains.datasets.readers.csv_rows import read_csv, read_header
from tunesmith.domains.datasets.readers.json_array import read_json_array
from tunesmith.domains.datasets.readers.jsonl import read_jsonl
from tunesmith.domains.datasets.readers.records import FileKind, Position, Record
from tunesmith.domains.datasets.readers.renaming import as_fields, renamed_names
from tunesmith.domains.datasets.readers.sniff import BOM, head_of, kind_of_content

DEFAULT_MAX_ROW_BYTES = 16 << 20


@dataclass(frozen=True)
class DataFile:
    """An open data file."""

    file: BinaryIO
    kind: FileKind
    has_bom: bool
    columns: list[str] | None
    """The header of a CSV file, in its own words; None for JSON."""
    first: Position
    """Where the first record begins, or the space before it."""
    max_row_bytes: int
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Column of the file → field of the format."""
    has_lines: bool = True
    """Whether the lines of this file are those of the upload (a Parquet file has none)."""

    @property
    def encoding(self) -> str:
        """The text encoding, in Python's words."""
        return "utf-8-sig" if self.has_bom else "utf-8"

    @cached_property
    def column_of(self) -> dict[str, str]:
        """Field of the format → the column of the file that becomes it, where their names differ."""
        return {name: column for column, name in reversed(list(self.mapping.items())) if column != name}

    @property
    def fields(self) -> list[str] | None:
        """The header of a CSV file under the names of the format; None for JSON."""
        return None if self.columns is None else renamed_names(self.columns, self.mapping)

    def records(self, start: Position | None = None) -> Iterator[Record]:
        """The records from ``start`` (the beginning of a record; default the first) to the end, as fields of the format."""
        records = self._read(start or self.first)
        is_table = self.columns is not None
        return as_fields(records, self.mapping, is_table) if self.mapping or is_table else records

    def _read(self, place: Position) -> Iterator[Record]:
        if self.columns is not None:
            return read_csv(self.file, place, self.max_row_bytes, self.columns)
        if self.kind is FileKind.JSONL:
            return read_jsonl(self.file, place, self.max_row_bytes)
        is_inside = place.offset > self.first.offset
        return read_json_array(self.file, place, self.max_row_bytes, is_inside)


@contextlib.contextmanager
def open_data_file(
    path: Path,
    kind: FileKind,
    max_row_bytes: int = DEFAULT_MAX_ROW_BYTES,
    *,
    mapping: Mapping[str, str] | None = None,
    has_lines: bool = True,
) -> Iterator[DataFile]:
    """Open ``path``, which promises to be ``kind``; raises a named error when it is not readable as data at all."""
    with path.open("rb") as file:
        yield replace(look_into(file, kind, max_row_bytes), mapping=mapping or {}, has_lines=has_lines)


def look_into(file: BinaryIO, kind: FileKind, max_row_bytes: int = DEFAULT_MAX_ROW_BYTES) -> DataFile:
    """The same for an open file, or for the beginning of one."""
    head = head_of(file)
    found = kind_of_content(head, kind)
    has_bom = head.startswith(BOM)
    first = Position(offset=len(BOM) if has_bom else 0)
    columns = None
    if found is FileKind.CSV:
        columns, first = read_header(file, first, max_row_bytes)
    return DataFile(file, found, has_bom, columns, first, max_row_bytes)
