"""All kinds together: what a text cannot hold is not looked for, and of hits that overlap the surest stays."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from tunesmith.domains.datasets.pii import identity
from tunesmith.domains.datasets.pii.emails import emails
from tunesmith.domains.datasets.pii.entities import Entity, PiiHit
from tunesmith.domains.datasets.pii.keys import keys
from tunesmith.domains.datasets.pii.networks import ip_addresses
from tunesmith.domains.datasets.pii.numbers import numbers
from tunesmith.domains.datasets.pii.shapes import narrow

_LONGEST_FIELD_VALUE = 200


def find_pii(text: str, field: str = "") -> list[PiiHit]:
    """Personal data in ``text``, by place; no two hits overlap. ``field`` is the name of the field that holds the text.

    Pure, and linear in the length of the text. Low confidences are included: see ``PiiHit.is_certain``.
    """
    if field and len(text) <= _LONGEST_FIELD_VALUE:
        shift = len(field) + 2
        hits = find_pii(f"{field}: {text}")
        if any(hit.start < shift < hit.end for hit in hits):
            return find_pii(text)  # the name itself begins like a secret
        return [hit._replace(start=hit.start - shift, end=hit.end - shift) for hit in hits if hit.start >= shift]
    hits = [hit for hit in _candidates(narrow(text)) if hit.confidence > 0]
    return without_overlaps(hits) if len(hits) > 1 else hits


def _candidates(plain: str) -> list[PiiHit]:
    hits = numbers(plain)
    hits += keys(plain)
    hits += ip_addresses(plain)
    if "@" in plain:
        hits += emails(plain)
    if "여권" in plain or "assport" in plain or "PASSPORT" in plain:
        for passport in identity.PASSPORT.finditer(plain):
            confidence = identity.passport_confidence(plain, passport)
            hits.append(PiiHit(Entity.PASSPORT, passport.start(), passport.end(), confidence))
    return hits


def without_overlaps(hits: list[PiiHit]) -> list[PiiHit]:
    """The surest first, then the longest; whoever overlaps one that is kept goes."""
    hits.sort(key=lambda hit: hit.start)
    if all(hit.end <= following.start for hit, following in pairwise(hits)):
        return hits
    kept: list[PiiHit] = []
    starts: list[int] = []
    for hit in sorted(hits, key=lambda hit: (-hit.confidence, hit.start - hit.end, hit.start)):
        place = bisect_left(starts, hit.start)
        is_free = (place == len(kept) or hit.end <= kept[place].start) and (
            place == 0 or kept[place - 1].end <= hit.start
        )
        if is_free:
            starts.insert(place, hit.start)
            kept.insert(place, hit)
    return kept
