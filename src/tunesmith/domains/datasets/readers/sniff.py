"""What a file is, told from its first bytes: text or not, which encoding, which kind of rows."""

from __future__ import annotations

import codecs
import json
from pathlib import PurePath
from typing import BinaryIO

from tunesmith.domains.datasets.errors import (
    EmptyDatasetError,
    FileValidationError,
    UnsupportedEncodingError,
    UnsupportedFormatError,
)
from tunesmith.domains.datasets.readers.records import FileKind

HEAD_BYTES = 1 << 20
MAX_BROKEN_SHARE = 0.2
"""More lines than this that are not UTF-8: the file is something else."""
BOM = codecs.BOM_UTF8
EXTENSIONS = {f".{kind.value}": kind for kind in FileKind}
LATER = (".tsv", ".parquet", ".gz", ".zst")
_MAGIC = (
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"PK\x03\x04", "a ZIP archive (a spreadsheet is one, too)"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "a PNG picture"),
)
_UTF16 = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


def kind_of_name(file_name: str) -> FileKind:
    """The kind that the extension promises; another extension is refused."""
    suffix = PurePath(file_name).suffix.lower()
    if suffix in EXTENSIONS:
        return EXTENSIONS[suffix]
    seen = f"the extension {suffix!r}" if suffix else "a file name without an extension"
    later = " This kind arrives in a later version." if suffix in LATER else ""
    raise UnsupportedFormatError(f"{file_name!r} has {seen}; .jsonl, .json and .csv can be read.{later}")


def head_of(file: BinaryIO) -> bytes:
    """The first bytes, at most a mebibyte."""
    file.seek(0)
    return file.read(HEAD_BYTES)


def kind_of_content(head: bytes, promised: FileKind) -> FileKind:
    """The kind that the content has: JSON and JSON Lines are told apart by looking. Refuses what is not UTF-8 text."""
    check_text(head)
    text = head.removeprefix(BOM).lstrip(b" \t\r\n")
    if promised is FileKind.CSV:
        if b"\r" in head and b"\n" not in head:
            raise FileValidationError(
                "The lines of the file end with a carriage return only, so it looks like a single line.",
                hint="Save it with line feeds (LF or CRLF) and upload it again.",
            )
        return FileKind.CSV
    if text.startswith(b"[") and not (promised is FileKind.JSONL and _is_json(text.split(b"\n", 1)[0], head)):
        return FileKind.JSON
    if promised is FileKind.JSON:
        if text.startswith(b"{") and _is_json(text.split(b"\n", 1)[0], head):
            return FileKind.JSONL
        found = "an object" if text.startswith(b"{") else "something else"
        raise FileValidationError(
            f"A JSON file must hold an array of objects; this one begins with {found}.",
            hint="Put the rows between [ and ], or write one object a line and name the file .jsonl.",
            errors=[{"location": "line 1", "message": "expected [", "value": text[:40].decode(errors="replace")}],
        )
    return FileKind.JSONL


def check_text(head: bytes) -> None:
    """Refuse an empty file, other encodings and binary files, naming what was seen and where."""
    if not head.removeprefix(BOM).strip():
        raise EmptyDatasetError("The file is empty.")
    for magic, name in _MAGIC:
        if head.startswith(magic):
            raise UnsupportedFormatError(
                f"The content is {name}, whatever the file is called; .jsonl, .json and .csv work."
            )
    for magic, name in _UTF16:
        if head.startswith(magic):
            raise UnsupportedEncodingError(
                f"The file is {name}; UTF-8 (with or without a byte order mark) can be read."
            )
    decoder = codecs.getincrementaldecoder("utf-8")()
    nul = head.find(b"\x00")
    try:
        decoder.decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError as error:
        if nul < 0 and _looks_korean(head):
            raise UnsupportedEncodingError(
                f"The file looks like CP949 (EUC-KR); UTF-8 can be read. {_place(head, error.start)} is not UTF-8."
            ) from None
        if nul < 0 and _broken_share(head) <= MAX_BROKEN_SHARE:
            return  # a text with some broken records: they are found one by one
        _refuse_binary(head, error.start if nul < 0 else min(nul, error.start), "bytes that are not UTF-8 text")
    if nul >= 0:
        if head[1::2].count(0) * 4 > len(head) or head[0::2].count(0) * 4 > len(head):
            raise UnsupportedEncodingError("The file looks like UTF-16 without a byte order mark; UTF-8 can be read.")
        _refuse_binary(head, nul, "a NUL byte, which no text has")


def _refuse_binary(head: bytes, at: int, what: str) -> None:
    value = head[at : at + 8].hex(" ")
    raise FileValidationError(
        f"This is not a text file: {_place(head, at)} holds {what}.",
        hint="Upload the text file itself (UTF-8 .jsonl, .json or .csv), not a binary file with that name.",
        errors=[{"location": _place(head, at), "message": what, "value": value}],
    )


def _place(head: bytes, at: int) -> str:
    line = head.count(b"\n", 0, at) + 1
    column = at - head.rfind(b"\n", 0, at)
    return f"line {line}, byte {column}"


def _looks_korean(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("cp949")().decode(head, final=False)
    except UnicodeDecodeError:
        return False
    return any("가" <= character <= "힣" for character in text)


def _broken_share(head: bytes) -> float:
    """The share of lines that are not UTF-8."""
    lines = [line for line in head.splitlines() if line.strip()]
    return sum("\ufffd" in line.decode(errors="replace") for line in lines) / len(lines)


def _is_json(line: bytes, head: bytes) -> bool:
    """Whether the first line is a whole JSON value (or so long that it goes on after the head)."""
    if len(line) >= len(head.lstrip()) and len(head) == HEAD_BYTES:
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
