"""Rows as the canonical conversations that training reads: JSON Lines of ``{"messages": […], "tools"?: […]}``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tunesmith.domains.datasets.doctor import Finding, Limits, examine
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.errors import DatasetFormatError, DatasetRedError
from tunesmith.domains.datasets.formats import SUPERVISED, TITLES, DataFormat, to_example
from tunesmith.domains.datasets.source import RowSource
from tunesmith.kit.paths import atomic_file

SHOWN_ROWS = 20
LISTED_ROWS = 100


@dataclass(frozen=True)
class MessagesFile:
    """A file of conversations, and the rows of the dataset that are not in it."""

    path: Path
    rows: int
    sha256: str
    skipped: list[int]


def export_messages(source: RowSource, target: Path, *, skip_invalid: bool) -> MessagesFile:
    """Write the trainable rows of ``source`` to ``target``: whole, or not at all.

    Raises DatasetRedError, naming the rows, when some cannot be trained on and ``skip_invalid`` is not asked for; and when
    none can. Raises DatasetFormatError when its rows are no conversations.
    """
    refuse_unsupervised(source.format, "The dataset")
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
                line = json.dumps(example, ensure_ascii=False).encode() + b"\n"
                file.write(line)
                hashed.update(line)
                rows += 1
        if (red and not skip_invalid) or rows == 0:
            raise _refusal(red, tally)
    return MessagesFile(target, rows, hashed.hexdigest(), skipped)


def refuse_unsupervised(fmt: DataFormat, name: str) -> None:
    """Raise DatasetFormatError, naming the format, unless its rows are conversations to imitate."""
    if fmt not in SUPERVISED:
        trained = ", ".join(sorted(SUPERVISED))
        raise DatasetFormatError(
            f"{name} holds {TITLES[fmt]}, and supervised fine-tuning learns from conversations.",
            hint=f"Use data of one of the formats {trained}, or map its columns to one of them.",
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
