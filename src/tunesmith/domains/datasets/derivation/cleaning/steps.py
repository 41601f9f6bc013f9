"""The steps of a cleaning: each takes rows and yields rows. A row that cannot be read passes them all as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from tunesmith.domains.datasets.derivation.cleaning.normalising import rules_of
from tunesmith.domains.datasets.derivation.operation import Row
from tunesmith.domains.datasets.derivation.pointers import PointerMissing, replaced, steps_of, value_at
from tunesmith.domains.datasets.derivation.report import Report, StepTally
from tunesmith.domains.datasets.derivation.writing import canonical
from tunesmith.domains.datasets.doctor import RowChecker
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.contents import taught
from tunesmith.domains.datasets.doctor.digests import FirstRows, digest
from tunesmith.domains.datasets.readers import escape_pointer
from tunesmith.domains.datasets.schemas.cleaning import ColumnRules, LengthRule, MissingRule, TextRules

COUNTED_AT_ONCE = 256
Counter = Callable[[list[str]], list[int]]


def is_missing(value: Any) -> bool:
    """Whether there is nothing."""
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, list | dict) and not value)
    )


def select_columns(rows: Iterable[Row], rules: ColumnRules, report: Report) -> Iterator[Row]:
    """Rows without the columns that go."""
    dropped, kept = frozenset(rules.drop), frozenset(rules.keep)
    tally = report.step("columns")
    for row in rows:
        value = row.value
        if isinstance(value, dict):
            made = {k: v for k, v in value.items() if (k in kept if kept else k not in dropped)}
            if len(made) < len(value):
                tally.change(row.number, value, made)
                row.value = made
        yield row


def rename_columns(rows: Iterable[Row], rules: ColumnRules, report: Report) -> Iterator[Row]:
    """Rows with their columns renamed; one whose new name is taken by a column that stays keeps its old one, and is named."""
    tally = report.step("rename")
    for row in rows:
        value = row.value
        if isinstance(value, dict) and any(name in value for name in rules.rename):
            staying = value.keys() - rules.rename.keys()
            taken = [old for old, new in rules.rename.items() if old in value and new in staying]
            names = {old: new for old, new in rules.rename.items() if old not in taken}
            made = {names.get(name, name): item for name, item in value.items()}
            for name in taken:
                tally.leave(
                    row.number, f"There is a column {rules.rename[name]!r} already, so {name!r} keeps its name."
                )
            if made.keys() != value.keys():
                tally.change(row.number, value, made)
                row.value = made
        yield row


def normalise_texts(rows: Iterable[Row], rules: TextRules, checker: RowChecker, report: Report) -> Iterator[Row]:
    """Rows with normalised texts; the words that say who speaks are no texts."""
    wanted = frozenset(rules.columns)
    applied = rules_of(rules)
    for name in applied:
        report.step(name)
    for row in rows:
        if row.is_readable and isinstance(row.value, dict):
            places = [p for p in text_places(row.value, checker) if not wanted or steps_of(p)[0] in wanted]
            for name, rule in applied.items():
                before = value = row.value
                for place in places:
                    text = value_at(value, place)
                    made = rule(text)
                    if made != text:
                        value = replaced(value, place, made)
                if value is not before:
                    report.step(name).change(row.number, before, value)
                    row.value = value
        yield row


def text_places(value: dict[str, Any], checker: RowChecker) -> list[str]:
    """Where the texts of a row are: what training reads, and every field that is a text."""
    places = [f"/{escape_pointer(name)}" for name, item in value.items() if isinstance(item, str)]
    places += [turn.pointer for turn in checker.check(value).turns]
    return [place for place in dict.fromkeys(places) if _is_text(value, place)]


def _is_text(value: Any, place: str) -> bool:
    try:
        return isinstance(value_at(value, place), str)
    except PointerMissing:
        return False


def treat_missing(
    rows: Iterable[Row], rules: list[MissingRule], required: tuple[str, ...], report: Report
) -> Iterator[Row]:
    """Rows with their missing values filled, without those whose missing values make them worthless."""
    tally = report.step("missing")
    for row in rows:
        if not isinstance(row.value, dict) or not _misses(row, rules, required, tally):
            yield row


def _misses(row: Row, rules: list[MissingRule], required: tuple[str, ...], tally: StepTally) -> bool:
    """Fill what is to be filled; whether the row goes."""
    for rule in rules:
        missing = [name for name in rule.columns or required if is_missing(row.value.get(name))]
        if missing and rule.action == "drop":
            names = ", ".join(f"`{name[:60]}`" for name in missing[:5])
            tally.remove(row.number, row.value, f"There is no value in {names}.")
            return True
        if missing:
            made = row.value | dict.fromkeys(missing, rule.value)
            tally.change(row.number, row.value, made)
            row.value = made
    return False


def filter_length(
    rows: Iterable[Row], rule: LengthRule, checker: RowChecker, count: Counter, report: Report
) -> Iterator[Row]:
    """Rows that are neither too short nor too long; lengths are counted for some hundred rows at once."""
    tally = report.step("length")
    waiting = iter(rows)
    while some := list(islice(waiting, COUNTED_AT_ONCE)):
        texts = [_counted(row, rule, checker) for row in some]
        lengths = iter(count([text for text in texts if text is not None]))
        for row, text in zip(some, texts, strict=True):
            length = None if text is None else next(lengths)
            if length is not None and rule.minimum is not None and length < rule.minimum:
                tally.remove(row.number, row.value, f"{length:,} {rule.unit}, fewer than {rule.minimum:,}.")
            elif length is not None and rule.maximum is not None and length > rule.maximum:
                tally.remove(row.number, row.value, f"{length:,} {rule.unit}, more than {rule.maximum:,}.")
            else:
                yield row


def _counted(row: Row, rule: LengthRule, checker: RowChecker) -> str | None:
    """The text whose length counts; None for a row that cannot be read."""
    if not row.is_readable or not isinstance(row.value, dict):
        return None
    if rule.column is not None:
        value = row.value.get(rule.column)
        return value if isinstance(value, str) else "" if value is None else canonical(value)
    return "\n".join(turn.text for turn in checker.check(row.value).turns)


def characters(texts: list[str]) -> list[int]:
    """Characters of each text."""
    return [len(text) for text in texts]


def drop_repeated(rows: Iterable[Row], checker: RowChecker, report: Report) -> Iterator[Row]:
    """Rows that teach something that no earlier row taught."""
    tally, seen = report.step("exact-duplicates"), FirstRows()
    for row in rows:
        first = seen.first(_key(row, checker), row.number) if row.is_readable else 0
        if first:
            tally.remove(row.number, row.value, f"The row repeats row {first}.")
        else:
            yield row


def _key(row: Row, checker: RowChecker) -> int:
    """A digest of what a row teaches; of everything it holds when it cannot be trained on."""
    checked = checker.check(row.value)
    if any(CODES[fault.code].severity == "red" for fault in checked.faults):
        parts = ["", canonical(row.value)]
    else:
        parts = taught(checked, row.value)
    return digest(*(part.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for part in parts))
