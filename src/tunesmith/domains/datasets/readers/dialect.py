"""How a table separates its columns and quotes its fields, told from its first lines."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunesmith.domains.datasets.readers.records import FileKind

LOOKED_AT_RECORDS = 60
LOOKED_AT_BYTES = 1 << 18
DELIMITERS = (",", "\t", ";", "|")
NAMES = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar"}


@dataclass(frozen=True)
class Dialect:
    """``quote`` is None where quotation marks are letters like others; ``escape`` stands before one inside a field.

    ``is_spaced``: blanks after a delimiter do not belong to the field (``"a", "b"``).
    """

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    is_spaced: bool = False

    def parse(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The records of ``lines``; raises csv.Error."""
        return csv.reader(
            lines,
            strict=True,
            delimiter=self.delimiter,
            quotechar=self.quote,
            quoting=csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL,
            escapechar=self.escape,
            doublequote=self.escape is None,
            skipinitialspace=self.is_spaced,
        )


_QUOTED_AFTER_BLANKS = re.compile(' +"(?!")')
_SEPARATOR_LINE = re.compile(rb'"?sep=([,;|\t])"?\r?\n', re.IGNORECASE)


def named_separator(head: bytes) -> tuple[str, int] | None:
    """The separator that a spreadsheet names in a line of its own before the table (``sep=;``), and that line's bytes."""
    named = _SEPARATOR_LINE.match(head)
    return (named[1].decode(), named.end()) if named else None


def dialect_of(head: bytes, promised: FileKind, is_whole: bool, separator: str | None = None) -> Dialect:
    """The dialect in which the first records have as many columns as the header, and most of them.

    A comma (a tab for a TSV file) in doubt; no other than ``separator`` where one is named.
    """
    looked_at = head[:LOOKED_AT_BYTES]
    text = looked_at.decode(errors="replace")
    lines = text.splitlines(keepends=True)
    if not is_whole or len(looked_at) < len(head):
        lines = lines[:-1] or lines  # the last one is cut
    usual = separator or ("\t" if promised is FileKind.TSV else ",")
    best, highest = Dialect(usual), 0.0
    for delimiter in [separator] if separator else sorted(DELIMITERS, key=lambda mark: mark != usual):
        for dialect in _quotings(delimiter, text, lines):
            share = _share_of_header_width(lines, dialect)
            if share > highest + (0.0 if dialect.quote == '"' and dialect.escape is None else 0.05):
                best, highest = dialect, share
    return best


def _quotings(delimiter: str, text: str, lines: list[str]) -> Iterator[Dialect]:
    """The ways of quoting that the text shows a reason for."""
    quoted_after_blanks = len(re.findall(f'{re.escape(delimiter)} +"(?!")', text))
    if quoted_after_blanks:
        cells = [cell for record in _first_records(lines, Dialect(delimiter)) for cell in record]
        if 0 < sum(_QUOTED_AFTER_BLANKS.match(cell) is not None for cell in cells) <= quoted_after_blanks:
            yield Dialect(delimiter, is_spaced=True)
    yield Dialect(delimiter)
    if '\\"' in text:
        yield Dialect(delimiter, '"', "\\")
    starts = {mark: len(re.findall(f"(?m)(?:^|{re.escape(delimiter)}){mark}", text)) for mark in ("'", '"')}
    if starts["'"] > max(1, 2 * starts['"']):
        yield Dialect(delimiter, "'")
    if delimiter == "\t":
        yield Dialect(delimiter, None)


def _share_of_header_width(lines: list[str], dialect: Dialect) -> float:
    """The share of the first records that have the width of the header, if that is two or more; broken ones count."""
    widths = [len(record) for record in _first_records(lines, dialect)]
    if not widths or widths[0] < 2:
        return 0.0
    return sum(width == widths[0] for width in widths) / len(widths)


def _first_records(lines: list[str], dialect: Dialect) -> Iterator[list[str]]:
    """The first records that are not empty; one that is broken comes without fields, and is the last."""
    records = filter(None, dialect.parse(lines))
    try:
        yield from itertools.islice(records, LOOKED_AT_RECORDS)
    except csv.Error:
        yield []
