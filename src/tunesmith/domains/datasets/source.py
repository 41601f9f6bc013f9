"""The rows of one dataset version as every pass over them takes them: where they lie and how they are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import DataFile, Fault, FileKind, open_data_file


@dataclass(frozen=True)
class RowSource:
    """A local UTF-8 file of rows. ``mapping`` renames columns of the file to fields of the format before anything looks."""

    path: Path
    kind: FileKind
    format: DataFormat
    max_row_bytes: int
    mapping: Mapping[str, str] = field(default_factory=dict)
    has_lines: bool = True
    """Whether the lines of this file are those of the upload; a Parquet file has none, and its findings no line."""
    ending: Fault | None = None
    """What is wrong with the end of the file: it was packed and could not be unpacked further."""

    def field_of(self, column: str) -> str:
        """What a column of the file is read as; the name of a field stays."""
        return column if column in self.mapping.values() else self.mapping.get(column, column)

    def open(self) -> AbstractContextManager[DataFile]:
        """The file, open at its first record; raises a named error when it is not readable as data at all."""
        return open_data_file(
            self.path, self.kind, self.max_row_bytes, mapping=self.mapping, has_lines=self.has_lines, ending=self.ending
        )
