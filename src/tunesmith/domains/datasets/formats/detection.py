"""Which format rows have: told from their fields and from what these hold, with the reasons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.domains.datasets.errors import MissingColumnsError
from tunesmith.domains.datasets.formats.fields import FIELDS, TITLES, DataFormat
from tunesmith.domains.datasets.formats.pairs import label_of

Row = Mapping[str, Any]
_MOST_SPECIFIC_FIRST = (
    DataFormat.PREFERENCE,
    DataFormat.KTO,
    DataFormat.MESSAGES,
    DataFormat.SHAREGPT,
    DataFormat.ALPACA,
    DataFormat.PROMPT_COMPLETION,
    DataFormat.QA,
    DataFormat.TEXT,
)
"""A row that fits several formats is read as the first of them."""


@dataclass(frozen=True)
class Detected:
    """Which format the first rows have, in which share of them it was seen, and why."""

    format: DataFormat
    confidence: float
    reasons: list[str] = field(default_factory=list)


def detect(rows: Sequence[Any]) -> Detected:
    """The format of most of ``rows``; raises MissingColumnsError, naming the columns, when none fits."""
    objects = [row for row in rows if isinstance(row, Mapping)]
    counts = {fmt: sum(_fits(row, fmt) for row in objects) for fmt in _MOST_SPECIFIC_FIRST}
    judged = sum(_fits(row, DataFormat.KTO) and _PLAUSIBLE[DataFormat.KTO](row) for row in objects)
    if judged * 2 < counts[DataFormat.KTO]:
        counts[DataFormat.KTO] = 0  # a `label` may also be the class of a text
    best = max(counts, key=lambda fmt: counts[fmt])  # the first of equals
    if counts[best]:
        share = counts[best] / len(rows)
        plausible = sum(_fits(row, best) and _PLAUSIBLE[best](row) for row in objects) / len(rows)
        others = [fmt.value for fmt, count in counts.items() if fmt is not best and count == counts[best]]
        return Detected(best, round((share + plausible) / 2, 3), _reasons(best, counts[best], len(rows), others))
    found = _partial(objects)
    if found is not None:
        return found
    raise missing_columns(list(dict.fromkeys(str(name) for row in objects for name in row)))


def check_columns(columns: Collection[str], wanted: DataFormat | None) -> None:
    """Refuse a header that cannot carry ``wanted`` (or, without a wish, any format)."""
    given = set(columns)
    fits = [fmt for fmt in DataFormat if set(FIELDS[fmt].required) <= given]
    if not fits or (wanted is not None and wanted not in fits):
        raise missing_columns(list(columns), wanted)


def missing_columns(columns: Sequence[str], wanted: DataFormat | None = None) -> MissingColumnsError:
    """The refusal of rows with these columns: names what is missing for ``wanted``, or for the format that is nearest."""
    fmt = wanted or _nearest(columns)
    missing = [name for name in FIELDS[fmt].required if name not in columns]
    shown = ", ".join(f"`{name[:60]}`" for name in columns[:12]) or "no named fields"
    return MissingColumnsError(
        f"The columns {', '.join(f'`{name}`' for name in missing)} are missing; the file has {shown}.",
        missing=missing,
        columns=[name[:60] for name in columns[:50]],
    )


def _nearest(columns: Collection[str]) -> DataFormat:
    """The format of which the largest share of the required fields is there; alpaca when there is none."""
    shares = {
        fmt: sum(name in columns for name in FIELDS[fmt].required) / len(FIELDS[fmt].required) for fmt in DataFormat
    }
    best = max(_MOST_SPECIFIC_FIRST, key=lambda fmt: shares[fmt])
    return best if shares[best] else DataFormat.ALPACA


def _fits(row: Row, fmt: DataFormat) -> bool:
    return all(name in row for name in FIELDS[fmt].required)


def _reasons(fmt: DataFormat, count: int, rows: int, others: list[str]) -> list[str]:
    fields = " and ".join(f"`{name}`" for name in FIELDS[fmt].required)
    reasons = [f"{count} of the first {rows} rows have {fields}: {TITLES[fmt]}."]
    if others:
        reasons.append(f"They would also fit {', '.join(others)}.")
    return reasons


def _partial(objects: Sequence[Row]) -> Detected | None:
    """A format of which some rows have one required field: the faults are then found row by row."""
    best, most = None, 0
    names = {name for row in objects for name in row}
    for fmt in _MOST_SPECIFIC_FIRST:
        seen = sum(any(name in row for name in FIELDS[fmt].required) for row in objects)
        if set(FIELDS[fmt].required) <= names and seen > most:
            best, most = fmt, seen
    if best is None:
        return None
    reason = f"{most} of the first {len(objects)} rows have some of the fields of {TITLES[best]}, none has all."
    return Detected(best, round(most / len(objects) / 2, 3), [reason])


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _is_said(value: Any) -> bool:
    return isinstance(value, str) or _is_conversation(value)


_PLAUSIBLE: dict[DataFormat, Callable[[Row], bool]] = {
    DataFormat.MESSAGES: lambda row: _is_conversation(row["messages"]),
    DataFormat.ALPACA: lambda row: isinstance(row["instruction"], str) and isinstance(row["output"], str),
    DataFormat.PROMPT_COMPLETION: lambda row: _is_said(row["prompt"]) and _is_said(row["completion"]),
    DataFormat.SHAREGPT: lambda row: _is_conversation(row["conversations"]),
    DataFormat.PREFERENCE: lambda row: _is_said(row["chosen"]) and _is_said(row["rejected"]),
    DataFormat.KTO: lambda row: label_of(row["label"]) is not None,
    DataFormat.TEXT: lambda row: isinstance(row["text"], str),
    DataFormat.QA: lambda row: isinstance(row["question"], str) and isinstance(row["answer"], str),
}
