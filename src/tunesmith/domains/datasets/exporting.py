"""Rows in the canonical shapes that training reads (``formats.to_example``), as JSON Lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.domains.datasets.doctor import Finding, Limits, examine
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.errors import DatasetFormatError, DatasetRedError
from tunesmith.domains.datasets.formats import TITLES, DataFormat, to_example
from tunesmith.domains.datasets.source import RowSource
from tunesmith.kit.paths import atomic_file

SHOWN_ROWS = 20
LISTED_ROWS = 100


@dataclass(frozen=True)
class MessagesFile:
    """A file of canonical rows, and the rows of the dataset that are not in it."""

    path: Path
    rows: int
    sha256: str
    skipped: list[int]


def export_rows(
    source: RowSource,
    target: Path,
    *,
    accepted: Collection[DataFormat],
    skip_invalid: bool = False,
    with_columns: bool = False,
) -> MessagesFile:
    """Write the trainable rows of ``source`` to ``target``: whole, or not at all.

    ``with_columns`` adds ``columns``: the row's own texts and numbers by name, for rules that compare with them.
    Raises DatasetRedError, naming the rows, when some cannot be trained on and ``skip_invalid`` is not asked for; and when
    none can. Raises DatasetFormatError when the rows are of another format than those accepted.
    """
    if source.format not in accepted:
        refuse_format(source.format, "The dataset", accepted)
    limits = Limits(check_pii=False, check_duplicates=False)
    tally = Tally()
    red: list[Finding] = []
    skipped: list[int] = []
    hashed = hashlib.sha256()
    rows = 0
    with source.open() as data, atomic_file(target) as file:
        for examined in examine(data, source.format, limits, tally):
            if examined.is_red:
                if len(red) < LISTED_ROWS:
                    red += [finding for finding in examined.findings if finding.severity == "red"]
                if examined.record.is_row:
                    skipped.append(examined.record.row)
            elif examined.checked is not None and not (red and not skip_invalid):
                example = to_example(examined.record.value, source.format)
                if with_columns:
                    example["columns"] = _columns(examined.record.value)
                line = json.dumps(example, ensure_ascii=False).encode() + b"\n"
                file.write(line)
                hashed.update(line)
                rows += 1
        if (red and not skip_invalid) or rows == 0:
            raise _refusal(red, tally)
    return MessagesFile(target, rows, hashed.hexdigest(), skipped)


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if isinstance(value, str | int | float)}


def refuse_format(
    fmt: DataFormat, name: str, accepted: Collection[DataFormat], learner: str = "this training", others: str = ""
) -> None:
    """Raise DatasetFormatError, naming format and choices, unless ``fmt`` is one of those that ``learner`` accepts."""
    if fmt not in accepted:
        wanted = ", ".join(sorted(accepted))
        raise DatasetFormatError(
            f"{name} holds {TITLES[fmt]}, and {learner} takes the formats {wanted}.",
            hint=f"Use data of one of the formats {wanted}, or map its columns to one of them."
            + (f" These rows suit method.objective {others}." if others else ""),
            format=fmt.value,
        )


def _refusal(red: list[Finding], tally: Tally) -> DatasetRedError:
    rows = list(dict.fromkeys(finding.row for finding in red))
    shown = ", ".join(str(row) for row in rows[:SHOWN_ROWS]) + (" …" if tally.red_rows > SHOWN_ROWS else "")
    return DatasetRedError(
        f"{tally.red_rows or len(rows)} of {tally.rows} rows cannot be trained on: rows {shown}.",
        errors=[
            {"location": f"row {finding.row}, line {finding.line}", "message": finding.message, "value": finding.found}
            for finding in red[:LISTED_ROWS]
        ],
        rows=rows[:LISTED_ROWS],
    )
