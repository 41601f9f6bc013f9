"""IP addresses, and the version numbers that look like them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address

from tunesmith.domains.datasets.pii.entities import Entity, PiiHit
from tunesmith.domains.datasets.pii.wording import leaning, words

_DOTTED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_V4 = re.compile(
    r"(?<![0-9A-Za-z.])(?<![A-Za-z0-9][/-])(?<![=<>~!]=)"
    r"(?:[1-9]?[0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])(?:\.(?:[1-9]?[0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])){3}"
    r"(?![0-9A-Za-z]|\.[0-9]|-[0-9A-Za-z])"
)
_NOBODYS = re.compile(r"0\.|127\.|255\.")
_SMALL = 32
"""A version seldom has a part of this size; an address nearly always has one."""
_COLONS = re.compile(":[0-9A-Fa-f]{0,4}:")
_V6_TOKEN = re.compile("[0-9A-Fa-f:]*:[0-9]{1,3}(?:[.][0-9]{1,3}){3}|[0-9A-Fa-f:]{2,}")
_V6_CHARACTERS = "0123456789abcdefABCDEF:"
_LONGEST_V6 = 45
_NETWORK = words(
    "접속|서버|주소|아이피|방화벽|로그인|차단|사내망",
    r"ips?|ipv[46]|ip_?addr(?:ess)?|address|addr|hosts?|server|subnet|nameserver|dns|ssh|https?|ping|client|remote|"
    r"from|src|dst|forwarded-for|peer|connects?|blocked|gateway|proxy|db|network",
)
_VERSION = words(
    "§|버전|빌드|펌웨어|릴리스|업데이트|드라이버|제[0-9. ]*절|장을|장 |[0-9]절|레퍼런스|섹션|코드|질병",
    r"v|rv|ver|versions?|releases?|builds?|firmware|sections?|sec|chapters?|figures?|fig|oid|appendix|drivers?|changelog",
)


def ip_addresses(text: str) -> Iterator[PiiHit]:
    """IPv4 and IPv6 addresses that may be somebody's: not loopback, unspecified or a netmask."""
    if text.count(".") >= 3:
        for dotted in _DOTTED.finditer(text):  # quicker to search than what follows is
            hit = _V4.match(text, dotted.start())
            if hit is not None and not _NOBODYS.match(hit.group()):
                yield PiiHit(Entity.IP, hit.start(), hit.end(), _v4_confidence(text, hit))
    if text.count(":") >= 2:
        yield from _v6(text)


def _v4_confidence(text: str, hit: re.Match[str]) -> float:
    says = leaning(text, hit.start(), hit.end(), _NETWORK, _VERSION)
    if says:
        return 0.9 if says > 0 else 0.0
    return 0.3 if all(int(part) < _SMALL for part in hit.group().split(".")) else 0.7


def _v6(text: str) -> Iterator[PiiHit]:
    colons = _COLONS.search(text)
    while colons is not None:
        head = text[max(0, colons.start() - _LONGEST_V6) : colons.start()]
        start = colons.start() - len(head) + len(head.rstrip(_V6_CHARACTERS))
        token = _V6_TOKEN.match(text, start)
        end = max(token.end() if token else 0, colons.end())
        if token is not None:
            value = token.group().rstrip(":") if not token.group().endswith("::") else token.group()
            confidence = _v6_confidence(text, start, value)
            if confidence:
                yield PiiHit(Entity.IP, start, start + len(value), confidence)
        colons = _COLONS.search(text, end)


def _v6_confidence(text: str, start: int, value: str) -> float:
    if (start and (text[start - 1].isascii() and text[start - 1].isalnum())) or _goes_on(text, start + len(value)):
        return 0.0
    try:
        address = IPv6Address(value)
    except AddressValueError:
        return 0.0
    mapped = address.ipv4_mapped
    groups = [group for group in value.split(":") if group]
    if address.is_loopback or address.is_unspecified or (mapped and mapped.is_loopback) or len(groups) < 2:
        return 0.0
    if "::" in value and (len(groups[0]) < 4 or len(groups) == 2):  # a[100::2] and a::b occur in programs
        known = value.lower().startswith(("::ffff:", "fe80:", "2001:", "fd", "2a", "26"))
        return 0.9 if known and any(map(str.isdigit, value)) and not "".join(groups).isdigit() else 0.0
    return 0.9


def _goes_on(text: str, end: int) -> bool:
    following = text[end : end + 1]
    return following.isascii() and (following.isalnum() or following == "_")
