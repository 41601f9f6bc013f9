"""Faults of a text: control characters, wrong decoding, personal data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from tunesmith.domains.datasets.pii import NAMES, FindPii, excerpt, mask_value, shown
from tunesmith.domains.datasets.readers import Fault

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CP1252_TAIL = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MISREAD = re.compile(f"(?:[\u00c2-\u00f4][{_CP1252_TAIL}]{{1,3}})+")


def text_faults(text: str, find_pii: FindPii | None) -> list[Fault]:
    """The faults of ``text``; each kind once, personal data each value. Without ``find_pii`` none is looked for."""
    faults: list[Fault] = []
    misread = None if text.isascii() else _misread(text)
    if misread is not None:
        faults.append(misread)
    elif control := CONTROL.search(text):
        faults.append(_control_fault(text, control.group()))
    return [*faults, *personal_faults(text, find_pii)]


def personal_faults(text: str, find_pii: FindPii | None) -> list[Fault]:
    """What it holds of personal data, with its shape and without its content."""
    if find_pii is None:
        return []
    found = dict.fromkeys((hit.entity, hit.is_certain, text[hit.start : hit.end]) for hit in find_pii(text, ""))
    return [
        Fault(
            f"pii-{entity.value.replace('_', '-')}" if is_certain else "pii-uncertain",
            f"The text {'holds' if is_certain else 'may hold'} {NAMES[entity]}.",
            "no personal data",
            mask_value(entity, value),
        )
        for entity, is_certain, value in found
    ]


def _control_fault(text: str, first: str) -> Fault:
    count = len(CONTROL.findall(text))
    name = unicodedata.name(first, f"U+{ord(first):04X}")
    message = f"The text holds {count} invisible control character{'s' if count > 1 else ''} ({name})."
    return Fault(
        "control-character", message, "visible text", f"U+{ord(first):04X} at character {text.index(first) + 1}"
    )


def _misread(text: str) -> Fault | None:
    at = text.find("\ufffd")
    if at >= 0:
        message = "The text holds U+FFFD, the mark that a character was lost in an earlier conversion."
        return Fault("mojibake", message, "readable text", excerpt(text, at))
    for hit, repaired in misread_runs(text):
        message = "The text looks like UTF-8 that was read as Windows-1252 (Latin-1)."
        fix = f"Write {shown(repaired)!r} here: decode the source as UTF-8."
        return Fault("mojibake", message, "readable text", hit.group(), fix=fix)
    return None


def misread_runs(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """The runs of ``text`` that are UTF-8 read as Windows-1252, each with what it was."""
    for hit in _MISREAD.finditer(text):
        repaired = _reread(hit.group())
        if repaired is not None and (len(hit.group()) > 2 or hit.group()[0] in "ÂÃ"):  # É” may stand in a good text
            yield hit, repaired


def _reread(run: str) -> str | None:
    """``run`` read as UTF-8 when it is UTF-8 that was read as Windows-1252."""
    raw = bytearray()
    for character in run:
        try:
            raw += character.encode("cp1252")
        except UnicodeEncodeError:
            if ord(character) > 0xFF:
                return None
            raw.append(ord(character))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
