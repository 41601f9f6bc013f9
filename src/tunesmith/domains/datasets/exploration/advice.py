"""What a person should act on, told from the figures of an exploration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tunesmith.domains.datasets.exploration.document import Document
from tunesmith.domains.datasets.schemas.exploration import (
    ColumnStatistics,
    ExplorationWarning,
    LengthSummary,
    MissingColumn,
)

Severity = Literal["red", "amber", "green"]
SEVERITIES: tuple[Severity, ...] = ("red", "amber", "green")
FEW_ROWS = 100
MANY_MISSING = 0.05
MOSTLY_MISSING = 0.5
LONGEST_TAIL = 20
SECOND_LANGUAGE = 0.05
DOMINANT = 0.9
REPEATED = 0.5
STRONG = 0.95


@dataclass(frozen=True)
class Advice:
    """One kind of warning; ``message`` takes the figures."""

    severity: Severity
    message: str
    hint: str


ADVICE = {
    "no-rows": Advice("red", "No row can be read.", "Look at the doctor's findings and correct the file."),
    "unreadable-rows": Advice(
        "red", "{count} of {total} rows cannot be read.", "Look at the doctor's findings and correct those rows."
    ),
    "few-rows": Advice(
        "amber", "There are only {rows} rows.", "A model learns a style from hundreds of rows; add more, or train few epochs."
    ),
    "empty-column": Advice("amber", "The column `{column}` has no value at all.", "Drop the column."),
    "mostly-missing": Advice(
        "amber", "The column `{column}` is missing in {percent} % of the rows.", "Fill it, or drop the column."
    ),
    "missing-values": Advice(
        "green", "The column `{column}` is missing in {percent} % of the rows.", "Drop those rows, or fill the values."
    ),
    "na-like-values": Advice(
        "amber",
        "The column `{column}` has {count} words for nothing (`NA`, `null`, `-` …) that training would take for text.",
        "Write them as empty, then clean the missing values.",
    ),
    "constant-column": Advice(
        "green", "The column `{column}` has one value only.", "It says nothing about a row; drop it."
    ),
    "mixed-types": Advice(
        "amber", "The column `{column}` mixes types: {kinds}.", "Write all values of the column in the same way."
    ),
    "identifier": Advice(
        "green", "Every value of `{column}` is different: it looks like an identifier.", "Do not train on it; keep it for look-ups."
    ),
    "one-value-dominates": Advice(
        "amber",
        "{percent} % of `{column}` are the same value.",
        "Add examples of the other values, or a model will answer that one always.",
    ),
    "repeated-texts": Advice(
        "amber",
        "Only {percent} % of the texts in `{column}` are different.",
        "Look for duplicates and templates; remove what repeats.",
    ),
    "long-tail": Advice(
        "amber",
        "The longest text of `{column}` has {longest} characters, the middle one {median}.",
        "Long rows are cut off or fill batches alone: see the token analysis, then filter by length.",
    ),
    "mixed-languages": Advice(
        "green", "The texts of `{column}` are in several languages: {kinds}.", "Fine if meant; else filter by language."
    ),
    "strong-correlation": Advice(
        "green", "`{column}` and `{other}` say nearly the same (r = {r}).", "One of them is enough to stratify or filter by."
    ),
    "columns-left-out": Advice(
        "green", "{count} columns beyond the first 200 were not looked at.", "Drop columns that training does not need."
    ),
}  # fmt: skip


def warnings_of(document: Document) -> list[ExplorationWarning]:
    """All warnings, the most severe first, then in the order of the columns."""
    found = [*_of_dataset(document)]
    for column, missing in zip(document.statistics.columns, document.missing.columns, strict=True):
        found += _of_column(column, missing, document.statistics.rows)
        found += _of_values(column, document)
    found += _of_pairs(document)
    return sorted(found, key=lambda warning: SEVERITIES.index(warning.severity))


def _warning(code: str, column: str | None = None, **values: float | int | str) -> ExplorationWarning:
    advice = ADVICE[code]
    return ExplorationWarning(
        code=code,
        severity=advice.severity,
        column=column,
        message=advice.message.format(column=column, **values),
        hint=advice.hint,
        values=values,
    )


def _of_dataset(document: Document) -> Iterator[ExplorationWarning]:
    rows, unreadable = document.statistics.rows, document.statistics.unreadable_rows
    if not rows:
        yield _warning("no-rows")
    if unreadable:
        yield _warning("unreadable-rows", count=unreadable, total=rows + unreadable)
    if 0 < rows < FEW_ROWS:
        yield _warning("few-rows", rows=rows)
    if document.statistics.columns_left_out:
        yield _warning("columns-left-out", count=len(document.statistics.columns_left_out))


def _of_column(column: ColumnStatistics, missing: MissingColumn, rows: int) -> Iterator[ExplorationWarning]:
    name = column.column
    if column.type == "empty":
        yield _warning("empty-column", name)
        return
    percent = round(100 * column.missing_share, 1)
    if column.missing_share >= MOSTLY_MISSING:
        yield _warning("mostly-missing", name, percent=percent)
    elif column.missing_share >= MANY_MISSING:
        yield _warning("missing-values", name, percent=percent)
    if missing.na_like:
        yield _warning("na-like-values", name, count=missing.na_like)
    if column.type == "mixed":
        yield _warning("mixed-types", name, kinds=", ".join(f"{kind} {n}" for kind, n in column.types.items()))
    lengths = column.text.characters if column.text else None
    if lengths is not None and _has_tail(lengths):
        yield _warning("long-tail", name, longest=lengths.max, median=round(lengths.median))
    text = column.text or (column.conversation.text if column.conversation else None)
    spoken = [share for share in text.languages if share.language not in ("none", "latin", "other")] if text else []
    if sum(share.share >= SECOND_LANGUAGE for share in spoken) > 1:
        shown = ", ".join(f"{share.language} {100 * share.share:.0f} %" for share in spoken[:5])
        yield _warning("mixed-languages", name, kinds=shown)


def _of_values(column: ColumnStatistics, document: Document) -> Iterator[ExplorationWarning]:
    name, different = column.column, column.distinct.value
    if column.count < 2:
        return
    top = next(found.top for found in document.distributions if found.column == name)
    if different == 1:
        yield _warning("constant-column", name)
    elif top and top[0].share >= DOMINANT:
        yield _warning("one-value-dominates", name, percent=round(100 * top[0].share, 1))
    elif column.type == "text" and column.count >= FEW_ROWS and different > 50 and different < REPEATED * column.count:
        yield _warning("repeated-texts", name, percent=round(100 * different / column.count, 1))
    is_whole = column.numbers is not None and column.numbers.integers
    is_word = column.text is not None and column.text.words.max == 1 and column.text.characters.max <= 64
    if column.distinct.exact and different == column.count >= FEW_ROWS and (is_whole or is_word):
        yield _warning("identifier", name)


def _of_pairs(document: Document) -> Iterator[ExplorationWarning]:
    for pair in document.correlations["pearson"].strongest:
        if abs(pair.coefficient) >= STRONG and pair.n >= FEW_ROWS:
            yield _warning("strong-correlation", pair.a, other=pair.b, r=round(pair.coefficient, 3))


def _has_tail(lengths: LengthSummary) -> bool:
    return lengths.count >= FEW_ROWS and lengths.max > LONGEST_TAIL * max(lengths.median, 20)
