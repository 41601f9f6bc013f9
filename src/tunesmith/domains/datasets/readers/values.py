"""One JSON value: strict, with the repeated keys that other parsers swallow."""

from __future__ import annotations

import json
import re
from typing import Any

from tunesmith.domains.datasets.pii import excerpt, shown
from tunesmith.domains.datasets.readers.records import Fault

MAX_DEPTH = 200
"""Far below what Python's own reader and writer manage, wherever they are called from."""
_TOO_DEEP = Fault("broken-json", "The record is nested too deeply to be read.", f"at most {MAX_DEPTH} levels")
_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{\]}]', re.DOTALL)


class JsonValues:
    """Decodes JSON texts; after each one ``note`` holds the repeated key, if there was one."""

    def __init__(self) -> None:
        self._repeated: list[tuple[dict[str, Any], str]] = []
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=_refuse_constant)
        self.note: Fault | None = None

    def decode(self, raw: bytes) -> tuple[Any, Fault | None]:
        """The value, or the fault that says where reading stopped."""
        self._repeated.clear()
        self.note = None
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            return None, not_utf8(raw, error)
        if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
            return None, _TOO_DEEP
        try:
            value = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            return None, _broken(text, error)
        except RecursionError:
            return None, _TOO_DEEP
        except ValueError as error:
            return None, Fault("broken-json", f"A value cannot be read: {error}.", "valid JSON")
        if self._repeated:
            self.note = self._repeated_key(value)
        return value, None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self._repeated.append((made, key))
                    break
                seen.add(key)
        return made

    def _repeated_key(self, value: Any) -> Fault:
        owner, key = self._repeated[0]
        pointer = f"{_path_to(value, owner) or ''}/{escape_pointer(key)}"
        message = f"The key {shown(key)!r} occurs more than once in one object; only its last value is used."
        return Fault("duplicate-key", message, "each key once", key, pointer)


def _depth(raw: bytes) -> int:
    """How deep brackets are nested outside of texts, counted no further than it matters."""
    depth = deepest = 0
    for found in _BRACKET.finditer(raw):
        mark = found.group()
        if mark in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                break
        elif mark in (b"]", b"}"):
            depth -= 1
    return deepest


def escape_pointer(key: str) -> str:
    """A key as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape_pointer(step: str) -> str:
    """The key behind one step of a JSON pointer."""
    return step.replace("~1", "/").replace("~0", "~")


def not_utf8(raw: bytes, error: UnicodeDecodeError) -> Fault:
    """The fault of bytes that are not UTF-8."""
    shown = " ".join(f"{byte:02x}" for byte in raw[error.start : error.start + 4])
    message = f"Byte {error.start + 1} of the record is not UTF-8 text; the record cannot be read."
    return Fault("invalid-encoding", message, "UTF-8 text", f"bytes {shown}")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _broken(text: str, error: json.JSONDecodeError) -> Fault:
    where = f"character {error.pos + 1}" if "\n" not in text else f"line {error.lineno} of the record"
    return Fault(
        "broken-json", f"This is not valid JSON at {where}: {error.msg}.", "one JSON object", excerpt(text, error.pos)
    )


def _path_to(value: Any, target: dict[str, Any]) -> str | None:
    """The JSON pointer of ``target`` inside ``value``."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, current = waiting.pop()
        if current is target:
            return path
        if isinstance(current, dict):
            waiting += [(f"{path}/{escape_pointer(key)}", item) for key, item in current.items()]
        elif isinstance(current, list):
            waiting += [(f"{path}/{index}", item) for index, item in enumerate(current)]
    return None
