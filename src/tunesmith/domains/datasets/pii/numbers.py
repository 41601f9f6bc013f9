"""Numbers: a run of digits is cut into groups, and the first group says which shapes are worth trying there."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tunesmith.domains.datasets.pii import identity, payments, phones
from tunesmith.domains.datasets.pii.entities import Entity, PiiHit
from tunesmith.domains.datasets.pii.shapes import RUN

_GROUP = re.compile("[0-9]+")
_HARMLESS = re.compile(
    r"(?:19|20)[0-9]{2}([-.])(?:0?[1-9]|1[0-2])\1[0-3]?[0-9](?:[ .][0-2]?[0-9])?|(?:19|20)[0-9]{6}|(?:0|[1-9][0-9]{0,3})\.[0-9]+"
)
"""Dates (with an hour) and decimal numbers."""
_LONGEST_HEAD = 12
"""Characters of an IBAN before its first long run of digits."""
_REGION = re.compile("[가-힣]{2}[ -]?$")
_JOINED = re.compile(r"[0-9]\.|[0-9A-Za-z]-")
_SURE = 0.9
_AFTER_REGION, _AFTER_LETTER = "가", "T"
"""Stand for a group with the name of a region before it, and one with a letter (TEL010-…)."""
_LONGEST = 20
"""Longer groups of digits are all the same: nothing has so many."""
_COUNTRY = re.compile("[A-Z]{2}[0-9]{2}")
_ANY = range(1, _LONGEST)
_DIGITS = "0123456789"


class _Shape(NamedTuple):
    """A pattern, the characters and the lengths of the first group that it can begin with, and the judge of a find."""

    entity: Entity
    pattern: re.Pattern[str]
    starts: str
    lengths: tuple[int, ...] | range
    judge: Callable[[str, re.Match[str]], float]


_SHAPES = (  # the surest kinds first: behind a sure find, the others are not tried
    _Shape(Entity.PHONE, phones.KOREAN, "0+(8", _ANY, phones.korean_confidence),
    _Shape(Entity.PHONE, phones.ABROAD, "+", _ANY, phones.abroad_confidence),
    _Shape(Entity.RRN, identity.RESIDENT, _DIGITS, (6, 13), identity.resident_confidence),
    _Shape(Entity.CARD, payments.CARD, _DIGITS, (4, *range(13, 20)), payments.card_confidence),
    _Shape(Entity.PASSPORT, identity.PASSPORT, "MSRODGmsrodg", (8,), identity.passport_confidence),
    _Shape(Entity.DRIVER_LICENCE, identity.LICENCE, "12", (2, 12), identity.licence_confidence),
    _Shape(Entity.DRIVER_LICENCE, identity.OLD_LICENCE, _AFTER_REGION, (2,), identity.licence_confidence),
    _Shape(Entity.BRN, identity.BUSINESS, _DIGITS, (3, 10), identity.business_confidence),
    _Shape(Entity.PHONE, phones.AMERICAN, "0123456789(", (1, 3, 10), phones.american_confidence),
    _Shape(Entity.PHONE, phones.LETTERED, _AFTER_LETTER, _ANY, phones.lettered_confidence),
    _Shape(Entity.PHONE, phones.JAPANESE, "0", (3,), phones.japanese_confidence),
    _Shape(Entity.PHONE, phones.LOCAL, "0(", _ANY, phones.local_confidence),
    _Shape(Entity.PHONE, phones.SERVICE, "1", (4,), phones.service_confidence),
    _Shape(Entity.BANK_ACCOUNT, payments.ACCOUNT, _DIGITS, range(2, 15), payments.account_confidence),
)


@functools.cache
def _worth_trying(first: str, length: int) -> tuple[_Shape, ...]:
    return tuple(shape for shape in _SHAPES if first in shape.starts and length in shape.lengths)


def numbers(text: str) -> list[PiiHit]:
    """What the runs of digits in a text may be, impossible ones (confidence 0) included."""
    hits: list[PiiHit] = []
    for run in RUN.finditer(text):
        start, end = run.span()
        if _HARMLESS.fullmatch(text, start, end):
            continue
        covered = 0
        for group in _GROUP.finditer(text, start, end):
            at, behind = group.span()
            if at >= covered:
                covered = _try_at(text, at, min(_LONGEST, behind - at), hits)
        if _COUNTRY.search(text, max(0, start - _LONGEST_HEAD), end):
            hits += _ibans(text, max(0, start - _LONGEST_HEAD), end)
    return hits


def _try_at(text: str, at: int, length: int, hits: list[PiiHit]) -> int:
    """Adds what may begin with the group of ``length`` digits at ``at``; answers where a sure find ends, or 0."""
    before = text[at - 1] if at else " "
    covered = 0
    if before in "+(":
        is_in_parentheses = before == "+" and text[at - 2 : at - 1] == "("
        covered = _try(text, at - 2, "(", length, hits) if is_in_parentheses else 0
        covered = covered or _try(text, at - 1, before, length, hits)
    elif before.isalpha() and before.isascii():
        covered = _try(text, at - 1, before, length, hits) or _try(text, at, _AFTER_LETTER, length, hits)
    elif length == 2 and (region := _REGION.search(text, max(0, at - 3), at)):
        covered = _try(text, region.start(), _AFTER_REGION, 2, hits)
    elif before in "-." and _JOINED.match(text, at - 2):
        return 0  # inside a longer number or code: every shape would refuse to begin here
    return covered or _try(text, at, text[at], length, hits)


def _try(text: str, start: int, first: str, length: int, hits: list[PiiHit]) -> int:
    for entity, pattern, _, _, judge in _worth_trying(first, length):
        hit = pattern.match(text, start)
        if hit is not None:
            kind = Entity.FRN if entity is Entity.RRN and identity.is_foreigners(hit.group()) else entity
            confidence = judge(text, hit)
            hits.append(PiiHit(kind, hit.start(), hit.end(), confidence))
            if confidence >= _SURE:
                return hit.end()
    return 0


def _ibans(text: str, start: int, end: int) -> Iterator[PiiHit]:
    for head in payments.IBAN_HEAD.finditer(text, start, end):
        whole = payments.iban_end(text, head.start())
        if whole is not None:
            yield PiiHit(Entity.IBAN, head.start(), whole, payments.iban_confidence(text, head.start(), whole))
