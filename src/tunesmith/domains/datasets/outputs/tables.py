"""Rows as JSON Lines, CSV, Parquet: written in pieces, whatever the size of the file."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tunesmith.domains.datasets.derivation.parent import ParentRow, Passed, copy_span, encoded, parent_rows
from tunesmith.domains.datasets.errors import DatasetRedError
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.source import RowSource

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 2000
BATCH_BYTES = 16 << 20
LISTED_ROWS = 100
SHOWN_ROWS = 20
MAX_COLUMNS = 5000
MAX_FIELDS = 50


@dataclass
class TableWriter:
    """Writes one version in another form; ``passed`` and ``stop`` are for another thread."""

    source: RowSource
    passed: Passed = field(default_factory=Passed)
    stop: threading.Event = field(default_factory=threading.Event)

    def write_jsonl(self, path: Path) -> int:
        """JSON Lines; rows that cannot be read stay as they are. Answers the number of rows."""
        with self.source.open() as data, self.source.path.open("rb") as original, path.open("wb") as file:
            is_text = data.kind is not FileKind.JSONL
            for row in self._rows(parent_rows(self.source, data, self.passed)):
                if row.raw is not None:
                    file.write(row.raw + b"\n")
                elif row.span is not None:
                    copy_span(original, row.span, file, as_text=is_text)
        return self.passed.rows

    def write_csv(self, path: Path) -> int:
        """CSV in UTF-8 with a header of all fields; what is no text is written as JSON. Raises DatasetRedError."""
        columns = self._columns()
        with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
            table = csv.writer(_UnixLines(file))
            table.writerow(columns)
            for row in self._objects():
                table.writerow([_cell(row.get(name)) for name in columns])
        return self.passed.rows

    def write_parquet(self, path: Path) -> int:
        """Parquet; a column whose values have several types holds JSON texts, as do tools. Raises DatasetRedError."""
        import pyarrow.parquet as pq

        schema = self._schema()
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for rows in self._batches():
                writer.write_table(_table(rows, schema))
        return self.passed.rows

    def _columns(self) -> list[str]:
        names: dict[str, None] = {}
        for row in self._objects():
            names.update(dict.fromkeys(row))
            _check_width(len(names))
        return list(names)

    def _schema(self) -> pa.Schema:
        """The types of the columns, from a pass over all rows."""
        import pyarrow as pa

        known: dict[str, Any] = {}
        for rows in self._batches():
            for name in dict.fromkeys(name for row in rows for name in row):
                known.setdefault(name, pa.null())
            _check_width(len(known))
            for name, kind in known.items():
                if kind is not None:
                    known[name] = _unified(kind, [row.get(name) for row in rows])
        return pa.schema([(name, _storable(kind)) for name, kind in known.items()])

    def _batches(self) -> Iterator[list[dict[str, Any]]]:
        rows: list[dict[str, Any]] = []
        size = 0
        for row in self._objects():
            rows.append(row := {name: _with_free_objects_as_text(value, name) for name, value in row.items()})
            size += len(encoded(row) or b"")
            if len(rows) >= BATCH_ROWS or size > BATCH_BYTES:
                yield rows
                rows, size = [], 0
        if rows:
            yield rows

    def _objects(self) -> Iterator[dict[str, Any]]:
        """The rows; raises DatasetRedError, with their numbers, when some cannot be read: a table cannot hold them."""
        bad: list[int] = []
        count = 0
        self.passed = Passed()
        with self.source.open() as data:
            for row in self._rows(parent_rows(self.source, data, self.passed)):
                if isinstance(row.value, dict):
                    if not bad:
                        yield row.value
                else:
                    count += 1
                    if len(bad) < LISTED_ROWS:
                        bad.append(row.number)
        if bad:
            shown = ", ".join(str(row) for row in bad[:SHOWN_ROWS]) + (" …" if count > SHOWN_ROWS else "")
            raise DatasetRedError(
                f"{count} rows cannot be read, so they have no place in a table: rows {shown}.",
                hint="Correct or delete them, or download the dataset as jsonl or original.",
                rows=bad,
            )

    def _rows(self, rows: Iterator[ParentRow]) -> Iterator[ParentRow]:
        for row in rows:
            if self.stop.is_set():
                return
            yield row


class _UnixLines:
    """Takes rows that end with CR LF, so that the writer quotes a carriage return in a field, and ends them with LF."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + "\n")


_FREE_OBJECTS = frozenset({"arguments", "parameters"})
_FREE_LISTS = frozenset({"tools", "functions"})


def _with_free_objects_as_text(value: Any, name: str = "") -> Any:
    """``value`` with the arguments of calls and the definitions of tools as JSON texts, which our readers read as well.

    Each of them has keys of its own. A column gives every row the keys of all: a call would get arguments that it never had.
    """
    if isinstance(value, dict):
        return {
            key: _cell(item)
            if key in _FREE_OBJECTS and isinstance(item, dict)
            else _with_free_objects_as_text(item, key)
            for key, item in value.items()
        }
    if isinstance(value, list):
        if name in _FREE_LISTS and value and all(isinstance(item, dict) for item in value):
            return _cell(value)
        return [_with_free_objects_as_text(item) for item in value]
    return value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else (encoded(value) or b"").decode()


def _check_width(columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise DatasetRedError(
            f"The rows have more than {MAX_COLUMNS:,} different fields, which is no table.",
            hint="Download it as jsonl.",
        )


def _unified(known: Any, values: list[Any]) -> Any:
    """The type of a column so far and of some more values; None when there is no such type."""
    import pyarrow as pa

    try:
        found = pa.array(values).type
        both = pa.schema([("x", known)]), pa.schema([("x", found)])
        unified = pa.unify_schemas(both, promote_options="permissive").field("x").type
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError, OverflowError):
        return None
    return unified if _is_writable(unified) else None


def _is_writable(kind: Any) -> bool:
    """Whether Parquet can hold it: no object without fields, and none that threw many shapes together."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        fields = [kind.field(at).type for at in range(kind.num_fields)]
        return 0 < len(fields) <= MAX_FIELDS and all(_is_writable(field) for field in fields)
    return not pa.types.is_list(kind) or _is_writable(kind.value_type)


def _storable(kind: Any) -> Any:
    """The type of a column; a text where the values have several types, or there are none."""
    import pyarrow as pa

    return pa.string() if kind is None or pa.types.is_null(kind) else kind


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns = []
    for column in schema:
        values = [row.get(column.name) for row in rows]
        try:
            columns.append(pa.array(values, type=column.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
            texts = [None if v is None else _cell(v).encode("utf-8", "replace").decode() for v in values]
            columns.append(pa.array(texts, type=pa.string()))
    return pa.Table.from_arrays(columns, schema=schema)
