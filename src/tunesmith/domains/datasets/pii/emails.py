"""E-mail addresses: every @ is looked at from both sides."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from tunesmith.domains.datasets.pii.entities import Entity, PiiHit

_LOCAL = string.ascii_letters + string.digits + "._%+'-"
_LONGEST_LOCAL = 64
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9가-힣](?:[A-Za-z0-9가-힣-]{0,61}[A-Za-z0-9가-힣])?\.){1,8}"
    r"(?:[A-Za-z]{2,24}(?![A-Za-z0-9(]|-[A-Za-z0-9])|한국|닷컴|닷넷)"
)
_KOREAN_LOCAL = re.compile("[가-힣]{2,10}$")
_PICTURE = re.compile(r"[0-9](?:\.[0-9])?x\.")
_IN_ADDRESS = re.compile(r"://[^\s/]{0,80}$")


def emails(text: str) -> Iterator[PiiHit]:
    """The addresses of a text; a particle behind the domain does not belong to one."""
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        if domain is not None:
            start, confidence = _start(text, at)
            if start < at and not _is_other(text, start, at, domain):
                yield PiiHit(Entity.EMAIL, start, domain.end(), confidence)
        at = text.find("@", at + 1)


def _start(text: str, at: int) -> tuple[int, float]:
    window = text[max(0, at - _LONGEST_LOCAL) : at]
    local = window[len(window.rstrip(_LOCAL)) :].lstrip("._%+'-")
    start = at - len(local)
    if local[:1] in ("n", "r", "t") and start and text[start - 1] == "\\":  # a line break that is written out
        start += 1
    if not local and (korean := _KOREAN_LOCAL.search(window)):
        return at - len(korean.group()), 0.8
    return start, 0.95


def _is_other(text: str, start: int, at: int, domain: re.Match[str]) -> bool:
    """logo@2x.png, git@host:path, and the user of an address (https://user:password@host) are no mail addresses."""
    if _PICTURE.match(domain.group()):
        return True
    if text[start:at] == "git" and text[domain.end() : domain.end() + 1] == ":":
        return True
    return start > 0 and text[start - 1] in ":/" and _IN_ADDRESS.search(text[max(0, start - 84) : start]) is not None
