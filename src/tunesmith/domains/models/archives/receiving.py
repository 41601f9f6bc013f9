"""An upload form whose one file goes piece by piece to a file of ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tunesmith.domains.models.errors import ArchiveInvalid, ArchiveTooLarge, ArchiveUnsafe

MAX_FIELD_BYTES = 64 * 1024
MAX_PARTS = 16
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


@dataclass
class ReceivedArchive:
    """What arrived."""

    file_name: str = ""
    size_bytes: int = 0
    fields: dict[str, str] = field(default_factory=dict)


async def receive_archive(
    content_type: str, pieces: AsyncIterator[bytes], target: Path, limit_bytes: int
) -> ReceivedArchive:
    """Write the form's file to ``target``. Raises ``ArchiveInvalid``, ``ArchiveUnsafe`` and ``ArchiveTooLarge``; then nothing stays."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ArchiveInvalid("The form has no boundary.", hint="Send it as multipart/form-data with the field `file`.")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with await anyio.to_thread.run_sync(target.open, "wb") as file:
            parts = _Parts(file, limit_bytes)
            parser = MultipartParser(boundary, parts.callbacks())
            async for piece in pieces:
                await anyio.to_thread.run_sync(parser.write, piece)
        if not parts.is_complete:
            raise ArchiveInvalid("The form ends before its last boundary.", hint="Upload the archive again.")
        if not parts.received.file_name:
            raise ArchiveInvalid("The form has no file.", hint="Send the archive in the field `file`.")
        return parts.received
    except FormParserError as error:
        target.unlink(missing_ok=True)
        raise ArchiveInvalid(f"The form is not valid: {error}.") from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def checked_name(name: str) -> str:
    """The file's name; raises ``ArchiveUnsafe`` for a path, ``ArchiveInvalid`` for a format that is not known."""
    for form in (name, unquote(name)):
        if any(mark in form for mark in ("/", "\\", "..", "\x00")) or any(ord(c) < 32 for c in form):
            raise ArchiveUnsafe(f"The file name {name[:80]!r} contains a path or a control character.")
    if not name.lower().endswith(SUFFIXES):
        hint = None
        if name.lower().endswith((".bin", ".pt", ".pth", ".ckpt", ".pkl")):
            hint = "Pickle weights are refused. Convert their folder in the sandbox: tunesmith models convert FOLDER."
        raise ArchiveInvalid(
            f"{name[:80]!r} is no archive that is known here; there are {', '.join(SUFFIXES)}.", hint=hint
        )
    return name


def stem_of(name: str) -> str:
    """The name without the endings of archives."""
    return re.sub(r"(\.tar)?\.(zip|tar|gz|tgz|bz2|xz|zst)$", "", name, flags=re.IGNORECASE)


class _Parts:
    """The callbacks of the parser."""

    def __init__(self, file: IO[bytes], limit_bytes: int) -> None:
        self.received = ReceivedArchive()
        self.is_complete = False
        self._file = file
        self._limit = limit_bytes
        self._count = 0
        self._header = b""
        self._disposition = b""
        self._name = ""
        self._is_file = False
        self._text = bytearray()

    def callbacks(self) -> Any:
        """As the parser wants them."""
        return {
            "on_part_begin": self._begin,
            "on_header_begin": self._header_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise ArchiveInvalid(f"The form has more than {MAX_PARTS} parts.")
        self._disposition, self._text, self._is_file = b"", bytearray(), False

    def _header_begin(self) -> None:
        self._header = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        if self._header.lower() == b"content-disposition" and len(self._disposition) < MAX_FIELD_BYTES:
            self._disposition += data[start:end]

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode(errors="replace")
        file_name = options.get(b"filename")
        if file_name is None:
            return
        if self.received.file_name:
            raise ArchiveInvalid("The form has more than one file.", hint="Upload one archive at a time.")
        self._is_file = True
        self.received.file_name = checked_name(file_name.decode(errors="replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._text += data[start:end]
            if len(self._text) > MAX_FIELD_BYTES:
                raise ArchiveInvalid(f"The field {self._name[:60]!r} is larger than {MAX_FIELD_BYTES} bytes.")
            return
        self.received.size_bytes += end - start
        if self.received.size_bytes > self._limit:
            raise ArchiveTooLarge(f"The archive is larger than {self._limit} bytes.")
        self._file.write(data[start:end])

    def _end(self) -> None:
        if not self._is_file:
            with contextlib.suppress(UnicodeDecodeError):
                self.received.fields[self._name] = self._text.decode()

    def _finish(self) -> None:
        self.is_complete = True
