"""How a file is written down: packed or not, in which encoding, as which kind of rows; and the same rows as plain UTF-8 text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NoReturn

from tunesmith.domains.datasets.errors import (
    EmptyDatasetError,
    FileValidationError,
    PackedFileError,
    UnsupportedEncodingError,
    UnsupportedFormatError,
)
from tunesmith.domains.datasets.readers.encodings import as_utf8, encoding_of, first_fault
from tunesmith.domains.datasets.readers.parquet_rows import parquet_lines
from tunesmith.domains.datasets.readers.records import FileKind, Packing
from tunesmith.domains.datasets.readers.unpacking import PIECE_BYTES, UnpackLimits, member_of, unpacked

HEAD_BYTES = 1 << 20
READABLE = ".jsonl, .json, .csv, .tsv and .parquet, each plain or as .gz, .zst or .zip"
_KINDS = {f".{kind.value}": kind for kind in FileKind}
_PACKINGS = {".gz": Packing.GZIP, ".zst": Packing.ZSTD, ".zip": Packing.ZIP}
EXTENSIONS = tuple(f"{kind}{packing}" for kind in _KINDS for packing in ("", *_PACKINGS))
_MAGIC = {Packing.GZIP: b"\x1f\x8b", Packing.ZSTD: b"\x28\xb5\x2f\xfd", Packing.ZIP: b"PK\x03\x04"}
_OTHERS = (
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"PK\x03\x04", "a ZIP archive (a spreadsheet is one, too)"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "a PNG picture"),
)


@dataclass(frozen=True)
class NamedKind:
    """What a file name promises; ``kind`` is None for a ZIP archive, whose member says it."""

    kind: FileKind | None
    packing: Packing


@dataclass(frozen=True)
class Layout:
    """How a file is written down."""

    kind: FileKind
    packing: Packing = Packing.NONE
    encoding: str = "utf-8"

    @property
    def is_plain(self) -> bool:
        """Whether the readers take the file as it is."""
        return self.packing is Packing.NONE and self.encoding.startswith("utf-8") and self.kind is not FileKind.PARQUET

    @property
    def plain_kind(self) -> FileKind:
        """The kind of the plain text."""
        return FileKind.JSONL if self.kind is FileKind.PARQUET else self.kind

    @property
    def has_lines(self) -> bool:
        """Whether the plain text has the lines of the file."""
        return self.kind is not FileKind.PARQUET


def named_kind(file_name: str) -> NamedKind:
    """The kind and packing that the extensions promise; others are refused."""
    suffixes = [suffix.lower() for suffix in PurePath(file_name).suffixes]
    packing = _PACKINGS.get(suffixes[-1], Packing.NONE) if suffixes else Packing.NONE
    inner = suffixes[:-1] if packing is not Packing.NONE else suffixes
    kind = _KINDS.get(inner[-1]) if inner else None
    if kind is not None or packing is Packing.ZIP:
        return NamedKind(kind, packing)
    seen = f"the extension {''.join(suffixes[-2:])!r}" if suffixes else "a file name without an extension"
    hint = None
    if packing is not Packing.NONE:
        hint = f"Name it by what is inside, too: rows.jsonl{suffixes[-1]}, for example."
    raise UnsupportedFormatError(f"{file_name[:120]!r} has {seen}; {READABLE} can be read.", hint=hint)


def layout_of(path: Path, file_name: str, limits: UnpackLimits | None = None) -> tuple[Layout, bytes]:
    """The layout of a file, and the first mebibyte of its plain text. Raises a named error when it cannot be data."""
    named = named_kind(file_name)
    limits = limits or UnpackLimits()
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise EmptyDatasetError("The file is empty.")
    if named.packing is Packing.NONE:
        return _layout_of_text(head, path.stat().st_size <= HEAD_BYTES, named.kind, path, limits)
    if not head.startswith(_MAGIC[named.packing]):
        raise PackedFileError(f"The file is called {file_name[-40:]!r} and is no {named.packing.value} file.")
    kind = named.kind
    if named.packing is Packing.ZIP:
        inner = named_kind(PurePath(member_of(path).filename).name)
        kind = inner.kind
        if inner.packing is not Packing.NONE or kind is None:
            raise PackedFileError("The ZIP archive holds another packed file.", hint="Pack the data file itself, once.")
    if kind is FileKind.PARQUET:
        raise UnsupportedFormatError(
            "Parquet inside another packing is not read: it is packed already.", hint="Upload the .parquet file itself."
        )
    inside, is_whole = first_bytes(unpacked(path, named.packing, limits), HEAD_BYTES + 1)
    layout, text = _layout_of_text(inside[:HEAD_BYTES], is_whole, kind, path, limits)
    return Layout(layout.kind, named.packing, layout.encoding), text


def plain_pieces(path: Path, layout: Layout, limits: UnpackLimits | None = None) -> Iterator[bytes]:
    """The rows as plain UTF-8 text with the lines of the file (Parquet: as JSON Lines), in pieces."""
    limits = limits or UnpackLimits()
    if layout.kind is FileKind.PARQUET:
        yield from parquet_lines(path, limits)
    elif layout.packing is Packing.NONE:
        with path.open("rb") as file:
            yield from as_utf8(iter(lambda: file.read(PIECE_BYTES), b""), layout.encoding)
    else:
        yield from as_utf8(unpacked(path, layout.packing, limits), layout.encoding)


def first_bytes(pieces: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    """The first ``size`` bytes of a text that comes in pieces, and whether that is all of it.

    What a packed file gives before the place where it is damaged counts; raises PackedFileError where that is nothing.
    """
    made = io.BytesIO()
    try:
        for piece in pieces:
            made.write(piece)
            if made.tell() >= size:
                return made.getvalue()[:size], False
    except PackedFileError:
        if not made.tell():
            raise
        return made.getvalue(), False
    return made.getvalue(), True


def _layout_of_text(
    head: bytes, is_whole: bool, kind: FileKind | None, path: Path, limits: UnpackLimits
) -> tuple[Layout, bytes]:
    assert kind is not None
    if kind is FileKind.PARQUET:
        if not head.startswith(b"PAR1"):
            raise FileValidationError("The file is called .parquet and is no Parquet file.")
        layout = Layout(FileKind.PARQUET)
        return layout, first_bytes(plain_pieces(path, layout, limits), HEAD_BYTES)[0]
    encoding = _encoding_of(head, is_whole)
    layout = Layout(kind, Packing.NONE, encoding)
    text = b"".join(as_utf8([head], encoding))
    bare = text.removeprefix(b"\xef\xbb\xbf")
    if not bare.strip():
        raise EmptyDatasetError("The file is empty.")
    return layout, text[:HEAD_BYTES]


def _encoding_of(head: bytes, is_whole: bool) -> str:
    """The encoding of a text; other content is refused, naming what was seen and where."""
    for magic, name in _OTHERS:
        if head.startswith(magic):
            raise UnsupportedFormatError(
                f"The content is {name}, which its name does not say.",
                hint=f"Give the file the name that belongs to its content; {READABLE} can be read.",
            )
    encoding = encoding_of(head, is_whole=is_whole)
    if encoding == "utf-32":
        raise UnsupportedEncodingError("The file is UTF-32; UTF-8, UTF-16 and CP949 (EUC-KR) can be read.")
    nul = head.find(b"\x00")
    if encoding is None or (encoding.startswith("utf-8") and nul >= 0):
        fault = first_fault(head)
        if nul >= 0 and nul <= fault:
            _refuse_binary(head, nul, "a NUL byte, which no text has")
        _refuse_binary(head, fault, "bytes that are neither UTF-8 nor CP949 (EUC-KR) text")
    return encoding


def _refuse_binary(head: bytes, at: int, what: str) -> NoReturn:
    value = head[at : at + 8].hex(" ")
    line = head.count(b"\n", 0, at) + 1
    column = at - head.rfind(b"\n", 0, at)
    place = f"line {line}, byte {column}"
    raise FileValidationError(
        f"This is not a text file that can be read: {place} holds {what}.",
        hint="Upload the text file itself, saved as UTF-8, not a binary file with that name.",
        errors=[{"location": place, "message": what, "value": value}],
    )
