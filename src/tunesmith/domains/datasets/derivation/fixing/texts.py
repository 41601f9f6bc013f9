"""Mending texts: what is invisible goes, what was decoded wrongly is decoded again."""

from __future__ import annotations

import re
from typing import Any

from tunesmith.domains.datasets.derivation.pointers import replaced, value_at
from tunesmith.domains.datasets.doctor.texts import CONTROL, misread_runs
from tunesmith.domains.datasets.readers import Fault

_BREAKS = re.compile("[\x0b\x0c\x85]")
_HALVES = re.compile("[\ud800-\udfff]")


def without_control(value: Any, fault: Fault) -> Any:
    """The text without control characters; the old line and page breaks become line feeds."""
    text = value_at(value, fault.pointer)
    return replaced(value, fault.pointer, CONTROL.sub("", _BREAKS.sub("\n", text)))


def decoded_again(value: Any, fault: Fault) -> Any:
    """The text with what was UTF-8 read as Windows-1252 read as UTF-8; None when a character is lost for good."""
    text = value_at(value, fault.pointer)
    made, at = [], 0
    for hit, repaired in misread_runs(text):
        made += [text[at : hit.start()], repaired]
        at = hit.end()
    return replaced(value, fault.pointer, "".join((*made, text[at:]))) if made else None


def without_halves(value: Any, fault: Fault) -> Any:
    """Every text of the row without halves of surrogate pairs."""
    return _mapped(value)


def _mapped(value: Any) -> Any:
    if isinstance(value, str):
        return _HALVES.sub("", value)
    if isinstance(value, dict):
        return {_HALVES.sub("", name): _mapped(item) for name, item in value.items()}
    return [_mapped(item) for item in value] if isinstance(value, list) else value
