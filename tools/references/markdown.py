"""Small pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable


def generated(source: str) -> str:
    """The line that says where a page comes from."""
    return f"<!-- Written by `make reference` from {source}; do not edit. -->\n"


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text as code; empty stays empty."""
    return f"`{cell(text)}`" if text else ""


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """A table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
