"""Texts for people to see: findings, logs, previews. Whatever may be personal data is made unreadable in them."""

from __future__ import annotations

import re
from collections.abc import Callable

from tunesmith.domains.datasets.pii.entities import Entity, PiiHit
from tunesmith.domains.datasets.pii.finding import find_pii
from tunesmith.domains.datasets.pii.shapes import narrow

SHOWN_CHARACTERS = 80
_WINDOW = 2000
_ROUNDS = 8
_KEPT = {Entity.BRN: 3, Entity.BANK_ACCOUNT: 3, Entity.CARD: 4, Entity.IBAN: 2, Entity.PASSPORT: 1}
"""Characters at the start that say what kind of number it is, and not whose."""
_KEY_START = re.compile(
    r"AKIA|ASIA|gh[a-z]_|github_pat_|xox[a-z]-|sk-(?:proj-|ant-)?|[rs]k_(?:live|test)_|AIza|hf_|glpat-|npm_|-----BEGIN[A-Z ]{1,30}"
)
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")

Render = Callable[[PiiHit, str], str]
"""What is written in place of a hit, given its text."""


def rewrite(text: str, hits: list[PiiHit], render: Render) -> str:
    """``text`` with every hit replaced."""
    parts, at = [], 0
    for hit in hits:
        parts += [text[at : hit.start], render(hit, text[hit.start : hit.end])]
        at = hit.end
    return "".join((*parts, text[at:]))


def mask_value(entity: Entity, value: str) -> str:
    """A value with its shape and without its content: ``k***@***.com``, ``010-****-****``."""
    if entity is Entity.EMAIL:
        return f"{value[0]}***@***.{narrow(value).rsplit('.', 1)[-1]}"
    if entity is Entity.KEY:
        start = _KEY_START.match(value)
        return f"{start.group() if start else ''}********"
    kept = _KEPT.get(entity, 0)
    if entity is Entity.PHONE:
        kept = 3 if narrow(value[:1]) == "0" else 4
    return value[:kept] + _LETTER_OR_DIGIT.sub("*", value[kept:])


def mask(text: str) -> str:
    """``text`` with all that is or may be personal data made unreadable."""
    for _ in range(_ROUNDS):  # what is left may look like a number once its neighbour is gone
        hits = find_pii(text)
        if not hits:
            break
        text = rewrite(text, hits, lambda hit, value: mask_value(hit.entity, value))
    return text


def shown(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    """A value as findings show it: personal data masked, control characters escaped, shortened."""
    text = mask((value if isinstance(value, str) else repr(value))[:_WINDOW])
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def excerpt(text: str, at: int, characters: int = 40) -> str:
    """What stands around ``at``; personal data that reaches into it is starred out, not cut in half."""
    begin = max(0, at - _WINDOW)
    window = text[begin : at + _WINDOW]
    window = rewrite(window, find_pii(window), lambda _, value: "*" * len(value))
    start = max(0, at - begin - characters // 2)
    return window[start : start + characters]
