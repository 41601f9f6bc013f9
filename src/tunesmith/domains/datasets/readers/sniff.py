"""What kind of rows a plain text holds: JSON and JSON Lines are told apart by looking."""

from __future__ import annotations

import codecs
import json
import re
from typing import BinaryIO

from tunesmith.domains.datasets.errors import FileValidationError
from tunesmith.domains.datasets.readers.layout import HEAD_BYTES
from tunesmith.domains.datasets.readers.records import FileKind

BOM = codecs.BOM_UTF8
LOOKED_AT_LINES = 20
_ARRAY_OF_OBJECTS = re.compile(rb"\[\s*\{")


def head_of(file: BinaryIO) -> bytes:
    """The first bytes, at most a mebibyte."""
    file.seek(0)
    return file.read(HEAD_BYTES)


def kind_of_content(head: bytes, promised: FileKind) -> FileKind:
    """The kind that the content of a plain text has; raises FileValidationError where it cannot be what is promised."""
    if promised.is_table:
        if b"\r" in head and b"\n" not in head:
            raise FileValidationError(
                "The lines of the file end with a carriage return only, so it looks like a single line.",
                hint="Save it with line feeds (LF or CRLF) and upload it again.",
            )
        return promised
    text = head.removeprefix(BOM).lstrip(b" \t\r\n")
    if _ARRAY_OF_OBJECTS.match(text) and not text.partition(b"\n")[2].strip():
        return FileKind.JSON  # all rows in one line, whatever the name says
    if text.startswith(b"[") and not (promised is FileKind.JSONL and _is_json(text.split(b"\n", 1)[0], head)):
        return FileKind.JSON
    if promised is FileKind.JSON:
        if text.startswith(b"{") and _has_lines_of_objects(text, head):
            return FileKind.JSONL
        found = "an object" if text.startswith(b"{") else "something else"
        raise FileValidationError(
            f"A JSON file must hold an array of objects; this one begins with {found}.",
            hint="Put the rows between [ and ], or write one object a line and name the file .jsonl.",
            errors=[{"location": "line 1", "message": "expected [", "value": text[:40].decode(errors="replace")}],
        )
    return FileKind.JSONL


def _has_lines_of_objects(text: bytes, head: bytes) -> bool:
    """Whether the first lines are objects; the very first may be a broken one, if the others look like lines of objects."""
    first, *others = text.split(b"\n", LOOKED_AT_LINES)[:LOOKED_AT_LINES]
    if _is_json(first, head):
        return True
    lines = [line.strip() for line in others if line.strip()]
    return all(line.startswith(b"{") for line in lines) and any(_is_json(line, head) for line in lines)


def _is_json(line: bytes, head: bytes) -> bool:
    """Whether the first line is a whole JSON value (or so long that it goes on after the head)."""
    if len(line) >= len(head.lstrip()) and len(head) == HEAD_BYTES:
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
