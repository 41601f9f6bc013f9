"""Personal data in texts: how it is found, and how texts are shown so that it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

SHOWN_CHARACTERS = 80
_WINDOW = 2000
_EMAIL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}\b"
)
_PHONE = re.compile(
    r"(?<![\d+-])(?:\+82[-. ]?\(?0?\)?|0)"
    r"(?:1[016789][-. ]?\d{3,4}|2[-. ]?\d{3,4}|(?:[3-6]\d|50\d?|70|80)[-. ]?\d{3,4})[-. ]?\d{4}(?![\d-]*\d)"
)
_DIGITS = re.compile(r"\d{2}[\d\-. ()]{5,}\d")


def emails_in(text: str) -> Iterator[re.Match[str]]:
    """The e-mail addresses of a text."""
    return _EMAIL.finditer(text) if "@" in text else iter(())


def phones_in(text: str) -> Iterator[re.Match[str]]:
    """The Korean telephone numbers of a text, with or without separators."""
    return _PHONE.finditer(text) if _DIGITS.search(text) else iter(())


def mask(text: str) -> str:
    """``text`` with e-mail addresses and telephone numbers made unreadable."""
    if "@" in text:
        text = _EMAIL.sub(lambda hit: mask_email(hit.group()), text)
    if _DIGITS.search(text):
        text = _PHONE.sub(lambda hit: mask_phone(hit.group()), text)
    return text


def mask_email(address: str) -> str:
    """The first letter and the last part of the domain stay."""
    return f"{address[0]}***@***.{address.rsplit('.', 1)[-1]}"


def mask_phone(number: str) -> str:
    """The first digits stay, as they say what kind of number it is."""
    kept = 3 if number.startswith("0") else 4
    return number[:kept] + re.sub(r"\d", "*", number[kept:])


def shown(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    """A value as findings show it: personal data masked, control characters escaped, shortened."""
    text = mask((value if isinstance(value, str) else repr(value))[:_WINDOW])
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def excerpt(text: str, at: int, characters: int = 40) -> str:
    """What stands around ``at``; personal data that reaches into it is starred out, not cut in half."""
    begin = max(0, at - _WINDOW)
    window = text[begin : at + _WINDOW]
    for hit in (*emails_in(window), *phones_in(window)):
        window = window[: hit.start()] + "*" * len(hit.group()) + window[hit.end() :]
    start = max(0, at - begin - characters // 2)
    return window[start : start + characters]
