"""A JSON array of objects, read one element at a time: the file is never whole in memory.

A structural scan finds where an element ends (strings are skipped whole, brackets are counted); the element alone is then
decoded. A broken element is cut where the next one seems to begin, so that one missing quote costs one row: at the next line
that begins like an element or, where all stand in one line, at the next object that begins with the key that elements begin
with. A quotation mark that is missing turns texts inside out; then ``}, {"`` lies in what looks like a text, which no text can
hold whose quotation marks are written as they should be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from tunesmith.domains.datasets.readers.jsonl import too_large
from tunesmith.domains.datasets.readers.records import Fault, Position, Record
from tunesmith.domains.datasets.readers.values import JsonValues

CHUNK_BYTES = 1 << 20
TOO_EARLY = -1
SPACE = b" \t\r\n"
_TOKEN = re.compile(rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"|["{}\[\],]')
_REST_OF_TEXT = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
_FIRST_KEY = re.compile(rb'\{[ \t\r\n]*("[^"\\\n]*")')
_BORDER = re.compile(rb'\}[ \t]*,[ \t]*(\{[ \t]*)"\Z')
_OPENINGS = (b'{"', b'{ "')
_DEPTH = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_NOT_SPACE = re.compile(rb"[^ \t\r\n]")


def read_json_array(file: BinaryIO, start: Position, max_row_bytes: int, is_inside: bool) -> Iterator[Record]:
    """Read the elements from ``start``: the head of the file, or (``is_inside``) the first byte of an element."""
    return _ArrayReader(file, start, max_row_bytes, is_inside).records()


class _ArrayReader:
    def __init__(self, file: BinaryIO, start: Position, max_row_bytes: int, is_inside: bool) -> None:
        file.seek(start.offset)
        self._file = file
        self._max_row_bytes = max_row_bytes
        self._values = JsonValues()
        self._buffer = b""
        self._at = 0  # the next byte to look at, in the buffer
        self._base_offset = start.offset  # of the buffer's first byte
        self._row, self._line = start.row, start.line
        self._is_inside = is_inside
        self._indent = b""
        self._key = b""  # that elements begin with, in its quotation marks

    def records(self) -> Iterator[Record]:
        """All elements, then a fault when the array does not end as it should."""
        if not self._is_inside:
            self._skip_space()
            if self._peek() != b"[":
                yield self._here(Fault("broken-json", "The file is not a JSON array.", "[", self._excerpt()), False)
                return
            self._at += 1
        self._skip_space()
        if self._peek() == b"]" and not self._is_inside:
            self._at += 1
        else:
            while True:
                element = self._element()
                yield element
                self._skip_space()
                separator = self._peek()
                self._at += 1
                if separator == b"]":
                    break
                if not separator and element.fault is not None:
                    return  # cut off in the middle of an element: one fault
                if not separator:
                    message = "The array is not closed: the file ends before its ']'."
                    yield self._here(Fault("broken-json", message, "]", "the end of the file"), False)
                    return
                if separator != b",":
                    self._at -= 1  # the element was cut here; the next one begins
                self._skip_space()
        self._skip_space()
        if self._peek():
            message = "There is text after the end of the array; it is not read."
            yield self._here(Fault("broken-json", message, "the end of the file", self._excerpt()), False)

    def _element(self) -> Record:
        row, line, offset = self._row, self._line, self._base_offset + self._at
        self._row += 1
        end, is_too_large = self._find_end()
        if is_too_large:
            self._line += self._buffer.count(b"\n", self._at, end)
            self._at = end
            return Record(row, line, offset, fault=too_large(self._max_row_bytes))
        raw = self._buffer[self._at : end]
        if len(raw) > self._max_row_bytes:
            self._line += raw.count(b"\n")
            self._at = end
            return Record(row, line, offset, fault=too_large(self._max_row_bytes))
        value, fault = self._values.decode(raw.rstrip(SPACE))
        if not raw.strip(SPACE):
            fault = Fault("broken-json", "There is no element between two separators.", "one JSON object", "nothing")
        elif fault is not None:
            raw = raw[: self._cut(raw)]
        elif found := _FIRST_KEY.match(raw):
            self._key = found[1]
        self._line += raw.count(b"\n")
        self._at += len(raw)
        return Record(row, line, offset, value, fault, self._values.note)

    def _cut(self, raw: bytes) -> int:
        """Where the next element seems to begin inside a broken one."""
        found = re.compile(rb"\n" + re.escape(self._indent) + rb"(\{)").search(raw)
        if found is None and (key := self._key_at(raw, 0)):
            found = re.compile(rb"[,}][ \t]*(\{[ \t]*" + re.escape(key) + rb"[ \t]*:)").search(raw)
        return len(raw) if found is None else found.start(1)

    def _key_at(self, text: bytes, at: int) -> bytes:
        """The key that elements begin with, from the one that begins at ``at`` where none was read before."""
        if not self._key and (found := _FIRST_KEY.match(text, at)):
            return found[1]
        return self._key

    def _begins_in(self, token: bytes, end: int) -> int | None:
        """Where in what looks like a text the next element begins: the index in it, or TOO_EARLY to tell."""
        border = _BORDER.search(token)
        key = self._key_at(self._buffer, self._at) if border else b""
        if border is None or not key:
            return None
        rest = key[1:]
        seen = self._buffer[end : end + len(rest)]
        if len(seen) < len(rest) and rest.startswith(seen):
            return TOO_EARLY
        return border.start(1) if seen == rest else None

    def _find_end(self) -> tuple[int, bool]:
        """The index after the element in the buffer, and whether it was too large (then it has been passed over)."""
        depth, at, passed = 0, self._at, 0
        while True:
            found = _TOKEN.search(self._buffer, at)
            token = found.group() if found else b""
            begin = self._begins_in(token, found.end()) if found and token.endswith(_OPENINGS) else None
            if found is None:
                at = len(self._buffer)
            elif token == b'"' or begin == TOO_EARLY:  # a string without an end: up to its line, else more is needed
                line_end = self._buffer.find(b"\n", found.start())
                at = max(line_end, found.start())
                if line_end >= 0:
                    continue
            elif begin is not None:
                return found.start() + begin, passed > 0
            elif depth == 0 and token in (b"]", b","):
                return found.start(), passed > 0
            else:
                at, depth = found.end(), max(0, depth + _DEPTH.get(token, 0))
                continue
            if len(self._buffer) - self._at > self._max_row_bytes:
                if passed == 0 and (cut := self._cut(self._buffer[self._at :])) < len(self._buffer) - self._at:
                    return self._at + cut, False
                passed += 1
                at = self._pass_over(at, is_text=token == b'"')
                if at > self._at:
                    continue
            grown_from = self._at
            if not self._read_more():
                return len(self._buffer), passed > 0
            at -= grown_from

    def _end_of_text(self, at: int) -> int:
        """Where the text that ``at`` lies in ends, its line at the latest; what comes before is given up. -1: nowhere."""
        while True:
            found = _REST_OF_TEXT.match(self._buffer, at)
            assert found is not None
            end = found.end()
            if self._buffer[end : end + 1] == b'"':
                return end + 1
            if (line_end := self._buffer.find(b"\n", end, end + 2)) >= 0:
                return line_end + 1
            self._at = end
            if not self._read_more():
                return -1
            at = self._at

    def _pass_over(self, at: int, is_text: bool) -> int:
        """Give up what has been scanned of an element that is too large; where to go on, -1 at the end of the file."""
        if is_text and at == self._at:
            return self._end_of_text(at + 1)
        at = at if at > self._at else len(self._buffer)
        self._line += self._buffer.count(b"\n", self._at, at)
        self._at = at
        return at

    def _read_more(self) -> bool:
        rest = self._buffer[self._at :]
        more = self._file.read(max(CHUNK_BYTES, len(rest)))
        self._base_offset += self._at
        self._buffer, self._at = rest + more, 0
        return bool(more)

    def _skip_space(self) -> None:
        while True:
            found = _NOT_SPACE.search(self._buffer, self._at)
            end = found.start() if found else len(self._buffer)
            newlines = self._buffer.count(b"\n", self._at, end)
            if newlines:
                self._line += newlines
                self._indent = self._buffer[self._buffer.rfind(b"\n", self._at, end) + 1 : end]
            self._at = end
            if found or not self._read_more():
                return

    def _peek(self) -> bytes:
        return self._buffer[self._at : self._at + 1]

    def _excerpt(self) -> str:
        return self._buffer[self._at : self._at + 40].decode(errors="replace")

    def _here(self, fault: Fault, is_row: bool) -> Record:
        return Record(self._row, self._line, self._base_offset + self._at, fault=fault, is_row=is_row)
