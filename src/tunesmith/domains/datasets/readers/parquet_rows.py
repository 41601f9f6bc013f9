"""Parquet as JSON Lines, a batch of rows at a time. Its library is loaded by whoever meets such a file."""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.domains.datasets.errors import EmptyDatasetError, FileValidationError, PackedFileError
from tunesmith.domains.datasets.readers.unpacking import RATIO_FROM_BYTES, UnpackLimits

if TYPE_CHECKING:
    import pyarrow.parquet as parquet

BATCH_ROWS = 512
MAX_COLUMNS = 10_000
MAX_HEADER_BYTES = 64 << 20
UNREADABLE_ROW = b'{"unreadable": "\xff"}\n'
"""A row whose text is no text: the reader finds it as such, in its place."""


def parquet_lines(path: Path, limits: UnpackLimits) -> Iterator[bytes]:
    """The rows as JSON Lines, some at a time; raises FileValidationError where the file cannot be read further."""
    import pyarrow

    try:
        file = _opened(path)
        if file.metadata.num_rows == 0:
            raise EmptyDatasetError("The Parquet file has no rows.")
        _check_sizes(file, path.stat().st_size, limits)
        for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
            try:
                yield b"".join(_line(row) for row in batch.to_pylist())
            except UnicodeDecodeError:
                yield b"".join(_lines_one_by_one(batch))
    except (pyarrow.ArrowException, OSError, MemoryError, RecursionError, OverflowError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise FileValidationError(
            f"The Parquet file cannot be read: {reason}", hint="Write the file again, or save the rows as JSONL."
        ) from None


def parquet_columns(path: Path) -> list[str]:
    """The names of its columns; raises FileValidationError."""
    import pyarrow

    try:
        return list(_opened(path).schema_arrow.names)
    except (pyarrow.ArrowException, OSError) as error:
        raise FileValidationError(f"The Parquet file cannot be read: {str(error)[:300]}") from None


def _opened(path: Path) -> parquet.ParquetFile:
    from pyarrow import parquet

    file = parquet.ParquetFile(
        path,
        pre_buffer=False,
        buffer_size=1 << 20,
        thrift_string_size_limit=MAX_HEADER_BYTES,
        thrift_container_size_limit=1 << 20,
    )
    names = file.schema_arrow.names
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated or len(names) > MAX_COLUMNS:
        fault = f"names the column {repeated[0][:80]!r} twice" if repeated else f"has {len(names):,} columns"
        raise FileValidationError(f"The Parquet file {fault}.", hint="Give every column a name of its own.")
    return file


def _check_sizes(file: parquet.ParquetFile, size_bytes: int, limits: UnpackLimits) -> None:
    """What the file itself says will come out of it."""
    metadata = file.metadata
    plain = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    if plain > limits.max_bytes or (plain > RATIO_FROM_BYTES and plain > limits.max_ratio * size_bytes):
        raise PackedFileError(
            f"The Parquet file of {size_bytes:,} bytes would become {plain:,}; it is not read.",
            hint="Upload the rows as JSONL, or raise TUNESMITH_DATASETS__MAX_UNPACKED_RATIO.",
        )


def _line(row: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False, default=_plain).encode() + b"\n"
    except ValueError:  # a number that JSON does not have
        return json.dumps(_finite(row), ensure_ascii=False, default=_plain).encode() + b"\n"


def _lines_one_by_one(batch: Any) -> Iterator[bytes]:
    for at in range(batch.num_rows):
        try:
            yield _line(batch.slice(at, 1).to_pylist()[0])
        except UnicodeDecodeError:
            yield UNREADABLE_ROW


def _finite(value: Any) -> Any:
    """``value`` with null for numbers that are none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    return value.total_seconds() if isinstance(value, timedelta) else str(value)
