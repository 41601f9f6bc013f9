"""The pass that makes a version: rows out of the parent, through an operation, into a JSON Lines file and a row map."""

from __future__ import annotations

import json
import os
import sys
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tunesmith.domains.datasets.derivation.operation import Operation, Place, Row
from tunesmith.domains.datasets.derivation.parent import ParentRow, Passed, copy_span, encoded, parent_rows
from tunesmith.domains.datasets.derivation.report import Report
from tunesmith.domains.datasets.errors import PreprocessingError
from tunesmith.domains.datasets.pii import FindPii, find_pii
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource
from tunesmith.kit.errors import InvalidInput

SHOWN_BYTES = 1000
SAMPLE_ROWS = 100
ROWS, ROW_MAP = "rows.jsonl", "row_map.u8"


@dataclass
class Counts:
    """How the rows of the new version stand to those of its parent."""

    rows: int = 0
    parent_rows: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass
class Derivation:
    """One pass. ``passed`` says how far it is and is read by another thread; ``stop`` ends it early, with half a file."""

    source: RowSource
    operation: Operation
    tokenizer_folder: Path | None = None
    salt: bytes = b""
    find_pii: FindPii = find_pii
    passed: Passed = field(default_factory=Passed)
    counts: Counts = field(default_factory=Counts)
    report: Report = field(default_factory=Report)
    sample: list[Any] = field(default_factory=list)
    """The first rows of the new version."""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def makes_a_version(self) -> bool:
        """Whether the new rows differ from the parent's."""
        counts = self.counts
        return bool(counts.added or counts.removed or counts.changed or self.report.file_changed)

    def run(self, folder: Path, *, preview: bool = False) -> None:
        """Write ``ROWS`` and ``ROW_MAP`` into ``folder``; for a preview only count."""
        folder.mkdir(parents=True, exist_ok=True)
        place = Place(
            format=self.source.format,
            folder=folder,
            passed=self.passed,
            should_stop=self.stop.is_set,
            again=self._again,
            tokenizer_folder=self.tokenizer_folder,
            salt=self.salt,
            find_pii=self.find_pii,
        )
        row_map = array("Q")
        target = Path(os.devnull) if preview else folder / ROWS
        with self.source.open() as data, self.source.path.open("rb") as original, target.open("wb") as file:
            is_text = data.kind is not FileKind.JSONL
            rows = (Row(row) for row in self._watched(parent_rows(self.source, data, self.passed)))
            for row in self.operation.apply(rows, place, self.report):
                if self._write(row, original, file, is_text):
                    self.counts.changed += 1
                row_map.append(row.number)
                if len(self.sample) < SAMPLE_ROWS and row.is_readable:
                    self.sample.append(row.value)
                if self.stop.is_set():
                    return
        self._count(row_map)
        if preview:
            return
        if not row_map:
            raise PreprocessingError("No row would be left.", hint="Ask for less to be removed; nothing was changed.")
        save_row_map(folder / ROW_MAP, row_map)

    def _again(self) -> Iterator[Row]:
        with self.source.open() as data:
            for row in self._watched(parent_rows(self.source, data, Passed())):
                yield Row(row)

    def _watched(self, rows: Iterator[ParentRow]) -> Iterator[ParentRow]:
        for row in rows:
            if self.stop.is_set():
                return
            yield row

    def _count(self, row_map: array[int]) -> None:
        counts = self.counts
        counts.rows, counts.parent_rows = len(row_map), self.passed.rows
        counts.added = row_map.count(0)
        counts.removed = self.passed.rows - (len(row_map) - counts.added)
        self.report.see_file(self.passed)

    def _write(self, row: Row, original: BinaryIO, file: BinaryIO, is_text: bool) -> bool:
        """Write one row; whether it differs from the parent's."""
        parent = row.parent
        if parent is not None and not _differs(row, parent):
            if parent.raw is not None:
                file.write(parent.raw + b"\n")
            else:
                assert parent.span is not None
                self.report.kept_as_text += is_text
                copy_span(original, parent.span, file, as_text=is_text)
            return False
        line = encoded(row.value)
        if line is None:
            raise InvalidInput(f"Row {row.number} would hold a number that JSON cannot write.")
        file.write(line + b"\n")
        if parent is not None and parent.note is not None:
            message = "Of a key that was repeated the last value stays, as every reader takes it."
            self.report.step("duplicate-key").change(row.number, shown_json(parent), row.value, message)
        return parent is not None


def shown_json(parent: ParentRow) -> str:
    """The text of a row in the file, for an example."""
    return (parent.raw or b"")[:SHOWN_BYTES].decode(errors="replace")


def _differs(row: Row, parent: ParentRow) -> bool:
    if not row.touched:
        return False
    if parent.note is not None or not parent.is_readable:
        return True
    return canonical(row.value) != canonical(parent.value)


def canonical(value: Any) -> str:
    """One text for equal values, whatever the order of their keys; 1, 1.0 and true stay apart."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def save_row_map(path: Path, row_map: array[int]) -> None:
    """Write the parent's row behind each row, 8 bytes little-endian each."""
    if sys.byteorder == "big":
        row_map = array("Q", row_map)
        row_map.byteswap()
    with path.open("wb") as file:
        row_map.tofile(file)
