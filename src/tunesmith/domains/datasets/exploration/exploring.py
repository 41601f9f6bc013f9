"""One pass over the rows of a dataset: every column is looked at, in batches and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.exploration.columns import Column, Path
from tunesmith.domains.datasets.exploration.missing import MissingPatterns
from tunesmith.domains.datasets.exploration.moments import Moments, Products
from tunesmith.domains.datasets.exploration.sample import MAX_CELLS, RowSample
from tunesmith.domains.datasets.schemas.values import writable
from tunesmith.domains.datasets.source import RowSource

Numbers = NDArray[np.float64]
Look = Callable[[int, int], None]
"""Called with rows and bytes that have been read; may raise to end the pass."""

MAX_COLUMNS = 200
MAX_DEPTH = 3
BATCH_ROWS = 4096
HEAD_ROWS = 1000
BATCH_BYTES = 16 << 20
MAX_CORRELATED = 120
ROW = "(row)"
"""The column of rows that are no objects."""


class Pass:
    """What one pass has seen."""

    def __init__(self, max_cells: int = MAX_CELLS) -> None:
        self.rows = 0
        self.unreadable = 0
        self.columns: dict[Path, Column] = {}
        self.left_out: dict[str, None] = {}
        self.measures: list[tuple[Column, str]] = []
        self.moments: list[Moments] = []
        self.sample = RowSample(max_cells)
        self.products = Products()
        self.patterns = MissingPatterns()
        self._measure_at: dict[tuple[Path, str], int] = {}
        self._batch_rows = 0

    def run(self, source: RowSource, look: Look = lambda rows, size: None, max_bytes: int | None = None) -> Pass:
        """Read all rows of ``source``; with ``max_bytes`` the first 1,000, or those that begin within so many bytes."""
        begin = 0
        with source.open() as data:
            for record in data.records():
                if not record.is_row:
                    continue
                if record.fault is not None:
                    self.unreadable += 1
                    continue
                self._add(record.value)
                if max_bytes is not None and (self._batch_rows >= HEAD_ROWS or record.offset >= max_bytes):
                    break
                if self._batch_rows >= BATCH_ROWS or record.offset - begin >= BATCH_BYTES:
                    begin = record.offset
                    self._flush()
                    look(self.rows, record.offset)
        self._flush()
        return self

    def take(self, rows: Iterable[Any]) -> Pass:
        """Look at a few rows that have been read already."""
        for row in rows:
            self._add(row)
        self._flush()
        return self

    def kept_columns(self) -> list[int]:
        """Numbers of the columns to show: a field that is null in some rows and an object in others is shown by its fields."""
        parents = {path[:depth] for path in self.columns for depth in range(1, len(path))}
        return [at for at, (path, column) in enumerate(self.columns.items()) if column.types or path not in parents]

    def find_measure(self, column: Column, measure: str) -> int | None:
        """The number of a measure; None when the column has none."""
        return self._measure_at.get((column.path, measure))

    def _add(self, value: Any) -> None:
        fields = value if isinstance(value, Mapping) else {ROW: value}
        for path, cell in _cells(fields, ()):
            column = self.columns.get(path) or self._new_column(path)
            if column is not None:
                column.add(self._batch_rows, cell)
        self._batch_rows += 1

    def _new_column(self, path: Path) -> Column | None:
        column = Column(path, self.rows)
        if len(self.columns) >= MAX_COLUMNS:
            if len(self.left_out) < MAX_COLUMNS:
                self.left_out[column.name[:200]] = None
            return None
        self.columns[path] = column
        return column

    def _flush(self) -> None:
        """Sum up the batch."""
        rows, self._batch_rows = self._batch_rows, 0
        if not rows:
            return
        missing = np.ones((rows, len(self.columns)), dtype=bool)
        for at, column in enumerate(self.columns.values()):
            missing[column.seen, at] = False
            for measure in column.numbers:
                if (column.path, measure) not in self._measure_at:
                    self._measure_at[column.path, measure] = len(self.measures)
                    self.measures.append((column, measure))
                    self.moments.append(Moments())
        table = np.full((rows, len(self.measures)), np.nan)
        for at, (column, measure) in enumerate(self.measures):
            places, numbers = column.numbers.get(measure, ([], []))
            table[places, at] = numbers
            self.moments[at].add(np.asarray(numbers, dtype=np.float64))
        self.patterns.add(missing)
        self.sample.add(table)
        self.products.add(table[:, :MAX_CORRELATED])
        self.rows += rows
        for column in self.columns.values():
            column.flush(rows)
            column.limit_to(len(self.columns))


def _cells(fields: Mapping[str, Any], above: Path) -> Iterator[tuple[Path, Any]]:
    """Path and value of each field; the fields of an object stand for it, three levels deep."""
    for key, value in fields.items():
        path = (*above, writable(str(key)))
        if isinstance(value, dict) and value and len(path) < MAX_DEPTH:
            yield from _cells(value, path)
        else:
            yield path, value
