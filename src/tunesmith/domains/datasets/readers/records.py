"""What a reader yields: one record of the file, with its place, and its fault when it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FileKind(StrEnum):
    """How the rows are written down."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"

    @property
    def is_table(self) -> bool:
        """Whether it is text with a header and columns."""
        return self in (FileKind.CSV, FileKind.TSV)


class Packing(StrEnum):
    """How the file is packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record begins: its row and first physical line (both from 1) and its byte offset."""

    row: int = 1
    line: int = 1
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record, or the space around it, is not as it should be; ``code`` is one of the doctor's codes."""

    code: str
    message: str
    expected: str | None = None
    found: str | None = None
    pointer: str = ""
    fix: str | None = None
    """A better fix than the code's own, when one is known."""


@dataclass(slots=True)
class Record:
    """One record. ``value`` is set when it could be read; ``fault`` otherwise.

    A blank line, and text around the records, is no row (``is_row`` false): it has a fault and the row it lies before.
    """

    row: int
    line: int
    offset: int
    value: Any = None
    fault: Fault | None = None
    note: Fault | None = None
    is_row: bool = True
