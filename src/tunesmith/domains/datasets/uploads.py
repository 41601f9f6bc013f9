"""The upload form, read as it arrives: the file goes piece by piece to the store and is never whole in memory."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tunesmith.domains.datasets.errors import DatasetCreationError, FileSecurityError
from tunesmith.domains.datasets.readers import named_kind
from tunesmith.kit.errors import TooLarge
from tunesmith.ports.storage import StoredObject

MAX_FIELD_BYTES = 256 * 1024
MAX_PARTS = 32
MAX_NAME_CHARACTERS = 255
Store = Callable[[AsyncIterator[bytes]], Awaitable[StoredObject]]
Event = tuple[str, bytes]


@dataclass
class UploadedForm:
    """What arrived: the plain fields, and the file, which is in the store by now."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    stored: StoredObject | None = None


async def receive_form(
    content_type: str, pieces: AsyncIterator[bytes], form: UploadedForm, store: Store, max_file_size_bytes: int
) -> None:
    """Fill ``form``. Raises DatasetCreationError, FileSecurityError, UnsupportedFormatError and TooLarge.

    ``form.stored`` is set as soon as the file is in the store, so that the caller can remove it when a later part fails.
    """
    parts = _Parts(content_type)
    events = parts.read(pieces)
    count = 0
    async for kind, _ in events:
        if kind != "begin":
            continue
        count += 1
        if count > MAX_PARTS:
            raise DatasetCreationError(f"The form has more than {MAX_PARTS} parts.")
        name, file_name = parts.names()
        if file_name is None:
            if name in form.fields:
                raise DatasetCreationError(f"The field {name[:60]!r} is in the form twice.")
            form.fields[name] = await _text_of(name, events)
        elif name != "file":
            raise DatasetCreationError(f"The form has a file in the field {name[:60]!r}; the file goes into `file`.")
        elif form.stored is not None:
            raise DatasetCreationError("The form has more than one file.", hint="Upload one file at a time.")
        else:
            form.file_name = checked_file_name(file_name)
            named_kind(form.file_name)
            form.stored = await store(_file_data(events, max_file_size_bytes))
    if not parts.is_complete:
        raise DatasetCreationError("The form ends before its last boundary.", hint="Upload the file again.")
    if form.stored is None and "upload_id" not in form.fields:
        raise DatasetCreationError(
            "The form has no file.",
            hint="Send the data file in the field `file`, or the `upload_id` of a complete upload.",
        )
    if form.stored is not None and "upload_id" in form.fields:
        raise DatasetCreationError("The form has a file and an `upload_id`.", hint="Send one of the two.")


async def receive_json(pieces: AsyncIterator[bytes], form: UploadedForm) -> None:
    """Fill ``form`` from a JSON object with the fields of the form and an ``upload_id``."""
    raw = bytearray()
    async for piece in pieces:
        raw += piece
        if len(raw) > MAX_FIELD_BYTES:
            raise DatasetCreationError(f"The body is larger than {MAX_FIELD_BYTES} bytes.")
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise DatasetCreationError("The body is no JSON object.")
    for name, value in fields.items():
        if value is not None:
            listed = ",".join(map(str, value)) if name == "tags" and isinstance(value, list) else value
            form.fields[name] = listed if isinstance(listed, str) else json.dumps(listed)
    if "upload_id" not in form.fields:
        raise DatasetCreationError("The body has no `upload_id`.", hint="A file itself is sent as multipart/form-data.")


def checked_file_name(name: str) -> str:
    """The name for display (NFC); raises FileSecurityError when it is a path or has invisible characters."""
    shown = repr(name[:80])
    for form in (name, unquote(name)):  # browsers and clients send control characters as %0A
        if any(mark in form for mark in ("/", "\\", "..")):
            raise FileSecurityError(f"The file name {shown} contains '/', '\\' or '..'.")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in form):
            raise FileSecurityError(f"The file name {shown} contains a NUL or another control character.")
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
        raise FileSecurityError(f"A file name has 1 to {MAX_NAME_CHARACTERS} characters; this one has {len(cleaned)}.")
    return cleaned


async def _text_of(name: str, events: AsyncIterator[Event]) -> str:
    value = bytearray()
    async for kind, data in events:
        if kind == "end":
            break
        value += data
        if len(value) > MAX_FIELD_BYTES:
            raise DatasetCreationError(f"The field {name[:60]!r} is larger than {MAX_FIELD_BYTES} bytes.")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise DatasetCreationError(f"The field {name[:60]!r} is not UTF-8 text.") from None


async def _file_data(events: AsyncIterator[Event], max_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for kind, data in events:
        if kind == "end":
            return
        size += len(data)
        if size > max_bytes:
            raise file_too_large(max_bytes)
        yield data
    raise DatasetCreationError("The form ends in the middle of the file.", hint="Upload the file again.")


def file_too_large(max_bytes: int) -> TooLarge:
    """The refusal of a file over the limit."""
    return TooLarge(
        f"The file is larger than {max_bytes:,} bytes, the limit of a form upload; nothing of it was kept.",
        hint="Upload it in parts: POST /api/v1/admin/training/datasets/uploads, PATCH …/uploads/{id}?offset=, "
        "POST …/uploads/{id}/complete, then POST /api/v1/admin/training/datasets with `upload_id`. The command line and the "
        "web page do it by themselves; TUNESMITH_DATASETS__MAX_FILE_SIZE_BYTES is the limit of a form.",
        max_file_size_bytes=max_bytes,
    )


class _Parts:
    """Turns pieces of the body into events: ``begin``, ``data`` …, ``end`` for each part."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not re.fullmatch(rb"[\x20-\x7e]{1,200}", boundary):
            raise DatasetCreationError("The body is not multipart/form-data with a boundary.")
        self._events: list[Event] = []
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self.is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": lambda data, start, end: self._events.append(("data", data[start:end])),
                "on_part_end": lambda: self._events.append(("end", b"")),
                "on_end": self._complete,
            },
        )

    async def read(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[Event]:
        """The events of the body; parts must be consumed in order."""
        async for piece in pieces:
            try:
                self._parser.write(piece)
            except FormParserError as error:
                raise DatasetCreationError(f"The form cannot be read: {error}.") from None
            events, self._events = self._events, []
            for event in events:
                if event[0] == "begin":
                    self._current = event[1]
                yield event

    def names(self) -> tuple[str, str | None]:
        """Field name and file name of the part that has just begun."""
        kind, options = parse_options_header(self._current)
        name = options.get(b"name")
        if kind != b"form-data" or not name:
            raise DatasetCreationError("A part of the form has no name.")
        file_name = options.get(b"filename")
        if file_name is None:
            return name.decode(errors="replace"), None
        try:
            return name.decode(errors="replace"), file_name.decode()
        except UnicodeDecodeError:
            raise FileSecurityError("The file name is not UTF-8 text.") from None

    def _header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        self._events.append(("begin", self._headers.get(b"content-disposition", b"")))

    def _complete(self) -> None:
        self.is_complete = True
