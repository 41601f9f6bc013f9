"""A few rows to look at: at any place of a file that has been examined, near the beginning of one that is still packed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tunesmith.domains.datasets.errors import DatasetNotReadyError
from tunesmith.domains.datasets.plain import PlainCopy
from tunesmith.domains.datasets.readers import DataFile, Position, plain_pieces
from tunesmith.domains.datasets.readers.layout import first_bytes
from tunesmith.domains.datasets.readers.reading import look_into
from tunesmith.domains.datasets.row_index import find_place
from tunesmith.domains.datasets.row_scores import read_worst
from tunesmith.domains.datasets.schemas.dataset import PreviewRow
from tunesmith.domains.datasets.source import RowSource
from tunesmith.settings import ScoreWeights

EARLY_BYTES = 8 << 20


def preview(source: RowSource, index: Path | None, offset: int, limit: int) -> list[PreviewRow]:
    """``limit`` rows after the first ``offset``."""
    with source.open() as data:
        return _rows(data, find_place(index, offset + 1) if index else None, offset, limit)


def early_preview(
    copy: PlainCopy, mapping: Mapping[str, str], max_row_bytes: int, offset: int, limit: int
) -> list[PreviewRow]:
    """The same from the first mebibytes of a file without a plain copy; raises DatasetNotReadyError for rows behind them."""
    head, is_all = first_bytes(plain_pieces(copy.path, copy.layout, copy.limits), EARLY_BYTES)
    data = replace(
        look_into(io.BytesIO(head), copy.layout.plain_kind, max_row_bytes),
        mapping=mapping,
        has_lines=copy.layout.has_lines,
    )
    rows = _rows(data, None, offset, limit + 1)
    if len(rows) <= limit and not is_all:  # the last one may be cut
        raise DatasetNotReadyError("These rows can be shown when the file has been unpacked.")
    return rows[:limit]


def judge_rows(rows: list[PreviewRow], worst: Path, weights: ScoreWeights) -> None:
    """Say of rows that follow each other what the last validation found in them."""
    costs = weights.model_dump()
    for shown, severity in zip(rows, read_worst(worst, rows[0].row, len(rows)), strict=False):
        shown.worst, shown.score = severity, round(1 - (costs[severity] if severity else 0), 4)


def _rows(data: DataFile, place: Position | None, offset: int, limit: int) -> list[PreviewRow]:
    rows = (record for record in data.records(place) if record.is_row and record.row > offset)
    return [
        PreviewRow(
            row=record.row,
            line=record.line if data.has_lines else None,
            data=record.value,
            error=record.fault.message if record.fault else None,
        )
        for record in islice(rows, limit)
    ]
