"""Opening a data file: look at its head, then read its records, from the start or from a known place."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from tunesmith.domains.datasets.readers.csv_rows import read_csv, read_header
from tunesmith.domains.datasets.readers.dialect import Dialect, dialect_of, named_separator
from tunesmith.domains.datasets.readers.json_array import read_json_array
from tunesmith.domains.datasets.readers.jsonl import read_jsonl
from tunesmith.domains.datasets.readers.layout import HEAD_BYTES, Layout, layout_of, plain_pieces
from tunesmith.domains.datasets.readers.records import Fault, FileKind, Position, Record
from tunesmith.domains.datasets.readers.renaming import as_fields, renamed_names
from tunesmith.domains.datasets.readers.sniff import BOM, head_of, kind_of_content
from tunesmith.domains.datasets.readers.unpacking import UnpackLimits

DEFAULT_MAX_ROW_BYTES = 16 << 20


@dataclass(frozen=True)
class DataFile:
    """An open data file."""

    file: BinaryIO
    kind: FileKind
    has_bom: bool
    columns: list[str] | None
    """The header of a table, in its own words; None for JSON."""
    first: Position
    """Where the first record begins, or the space before it."""
    max_row_bytes: int
    dialect: Dialect = field(default_factory=Dialect)
    """How a table separates and quotes."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Column of the file → field of the format."""
    has_lines: bool = True
    """Whether the lines of this file are those of the upload (a Parquet file has none)."""
    ending: Fault | None = None
    """What is wrong with the end of the file."""

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
        """The header of a table under the names of the format; None for JSON."""
        return None if self.columns is None else renamed_names(self.columns, self.mapping)

    def records(self, start: Position | None = None) -> Iterator[Record]:
        """The records from ``start`` (the beginning of a record; default the first) to the end, as fields of the format."""
        records = self._read(start or self.first)
        is_table = self.columns is not None
        return as_fields(records, self.mapping, is_table) if self.mapping or is_table else records

    def _read(self, place: Position) -> Iterator[Record]:
        if self.columns is not None:
            return read_csv(self.file, place, self.max_row_bytes, self.columns, self.dialect)
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
    ending: Fault | None = None,
) -> Iterator[DataFile]:
    """Open the plain text at ``path``, which promises to be ``kind``; raises FileValidationError when it is not."""
    with path.open("rb") as file:
        data = look_into(file, kind, max_row_bytes)
        yield replace(data, mapping=mapping or {}, has_lines=has_lines, ending=ending)


def look_into(file: BinaryIO, kind: FileKind, max_row_bytes: int = DEFAULT_MAX_ROW_BYTES) -> DataFile:
    """The same for an open file, or for the beginning of one."""
    head = head_of(file)
    found = kind_of_content(head, kind)
    has_bom = head.startswith(BOM)
    first = Position(offset=len(BOM) if has_bom else 0)
    if not found.is_table:
        return DataFile(file, found, has_bom, None, first, max_row_bytes)
    separator = None
    if named := named_separator(head[first.offset :]):
        separator, size = named
        first = Position(line=2, offset=first.offset + size)
    dialect = dialect_of(head[first.offset :], found, is_whole=len(head) < HEAD_BYTES, separator=separator)
    columns, first = read_header(file, first, max_row_bytes, dialect)
    return DataFile(file, found, has_bom, columns, first, max_row_bytes, dialect)


@contextlib.contextmanager
def open_file(
    path: Path,
    file_name: str,
    max_row_bytes: int = DEFAULT_MAX_ROW_BYTES,
    *,
    mapping: Mapping[str, str] | None = None,
    limits: UnpackLimits | None = None,
) -> Iterator[tuple[DataFile, Layout]]:
    """Open a file of any layout; one that is not plain text is made so in a temporary file.

    Raises a named error when it is not readable as data at all.
    """
    layout, _ = layout_of(path, file_name, limits)
    with contextlib.ExitStack() as stack:
        file: BinaryIO
        if layout.is_plain:
            file = stack.enter_context(path.open("rb"))
        else:
            file = stack.enter_context(tempfile.TemporaryFile())
            for piece in plain_pieces(path, layout, limits):
                file.write(piece)
        data = look_into(file, layout.plain_kind, max_row_bytes)
        yield replace(data, mapping=mapping or {}, has_lines=layout.has_lines), layout
