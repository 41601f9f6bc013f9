"""How a table separates its columns and quotes its fields, told from its first lines."""

from __future__ import annotations

import csv
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
    """``quote`` is None where quotation marks are letters like others; ``escape`` stands before one inside a field."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None

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
        )


def dialect_of(head: bytes, promised: FileKind, is_whole: bool) -> Dialect:
    """The dialect in which the first records have as many columns as the header, and most of them; a comma in doubt."""
    looked_at = head[:LOOKED_AT_BYTES]
    text = looked_at.decode(errors="replace")
    lines = text.splitlines(keepends=True)
    if not is_whole or len(looked_at) < len(head):
        lines = lines[:-1] or lines  # the last one is cut
    usual = "\t" if promised is FileKind.TSV else ","
    best, highest = Dialect(usual), 0.0
    for delimiter in sorted(DELIMITERS, key=lambda mark: mark != usual):
        for dialect in _quotings(delimiter, text):
            share = _share_of_header_width(lines, dialect)
            if share > highest + (0.0 if dialect.quote == '"' and dialect.escape is None else 0.05):
                best, highest = dialect, share
    return best


def _quotings(delimiter: str, text: str) -> Iterator[Dialect]:
    """The ways of quoting that the text shows a reason for."""
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
    records = dialect.parse(lines)
    widths: list[int] = []
    try:
        for record in records:
            if record:
                widths.append(len(record))
            if len(widths) == LOOKED_AT_RECORDS:
                break
    except csv.Error:
        widths.append(0)
    if not widths or widths[0] < 2:
        return 0.0
    return sum(width == widths[0] for width in widths) / len(widths)
