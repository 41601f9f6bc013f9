"""Keys and tokens: each kind has a start that is quickly looked for; what is plainly a placeholder is passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from tunesmith.domains.datasets.pii.entities import Entity, PiiHit


class _Kind(NamedTuple):
    """``anchor`` has to be in the text; the secret is group 1 of ``pattern``, or all of it."""

    anchors: tuple[str, ...]
    pattern: re.Pattern[str]
    confidence: float
    must_be_random: bool = True


_BODY = "[A-Za-z0-9_-]"
_END = "(?![A-Za-z0-9_-])"


def _prefixed(anchors: tuple[str, ...], pattern: str, confidence: float = 0.98) -> _Kind:
    return _Kind(anchors, re.compile(f"(?<![A-Za-z0-9_-])(?:{pattern}){_END}"), confidence)


_PEM_LINES = r"(?:[A-Za-z0-9+/=\s\\:,.]|-(?!-))*+"
_KINDS = (
    _prefixed(("AKIA", "ASIA"), "(?:AKIA|ASIA)(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}")._replace(must_be_random=False),
    _prefixed(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "gh[pousr]_[A-Za-z0-9]{36,255}"),
    _prefixed(("github_pat_",), "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _prefixed(("xox",), "xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    _prefixed(("sk-",), f"sk-{_BODY}{{20,250}}"),
    _prefixed(("k_live_", "k_test_"), "[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    _prefixed(("eyJ",), rf"eyJ{_BODY}{{8,4000}}\.eyJ{_BODY}{{8,8000}}\.{_BODY}{{8,1000}}"),
    _prefixed(("AIza",), f"AIza{_BODY}{{35}}"),
    _prefixed(("GOCSPX-",), f"GOCSPX-{_BODY}{{20,40}}"),
    _prefixed(("hf_",), "hf_[A-Za-z0-9]{30,60}"),
    _prefixed(("glpat-",), f"glpat-{_BODY}{{20,60}}"),
    _prefixed(("npm_",), "npm_[A-Za-z0-9]{36}"),
    _prefixed((":AA",), "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    _prefixed(("SG.",), rf"SG\.{_BODY}{{16,32}}\.{_BODY}{{32,64}}"),
    _Kind(
        ("hooks.slack.com",),
        re.compile(r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,20}/B[A-Z0-9]{6,20}/[A-Za-z0-9]{20,40}"),
        0.98,
    ),
    _Kind(
        ("PRIVATE KEY-----",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY-----"
            + _PEM_LINES
            + r"(?:-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY-----)?"
        ),
        0.99,
        must_be_random=False,
    ),
    _Kind(("earer ",), re.compile(r"(?<![A-Za-z])[Bb]earer +([A-Za-z0-9._~+/-]{20,4000}=*)"), 0.9),
    _Kind(
        ("://",),
        re.compile(r"://[^\s:/@\"'<>]{1,64}:([^\s/@\"'<>]{6,100})@"),
        0.97,
    ),
)
_ANCHORS = tuple((anchor, kind) for kind in _KINDS for anchor in kind.anchors)
_LONG = re.compile("[A-Za-z0-9+/_=-]{16,400}")
_NAMED = re.compile(
    r"(?:key|token|secret|passw(?:or)?d|credential)s?[\"']? ?(?:[:=]{1,2}|is|는|은|가|:는)? ?[\"']?$", re.IGNORECASE
)
_NAME_REACH = 30
_SHORTEST = 16
_SHORTEST_PASSWORD = 8
_PLACEHOLDER = re.compile(
    r"your|example|xxxx|placeholder|change|dummy|\*\*\*|\.\.\.|[<>{}]|^\$|1234567890abc|0000000|here$", re.I
)
_DISTINCT = 8
_PASSWORD = re.compile(
    r"(?:passw(?:or)?d|passcode|pwd|비밀번호|비번|패스워드)[\"']? ?(?:([:=])|is|는|은|가)[:=]? ?[\"']?([!-~]{8,64})",
    re.IGNORECASE,
)
_CODE = re.compile(r"[(\[{$<]|://|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$")
_ONE_STRETCH = re.compile("(?:gh[pousr]_|hf_|npm_|sk-(?:proj-)?|[rs]k_(?:live|test)_)[A-Za-z0-9]+")
"""The start that its maker gives a token, and no hyphen after it: words would have some, so any digit will do."""
_CLOSING = "\"'`.,;:)]}>"


def keys(text: str) -> Iterator[PiiHit]:
    """The secrets of a text."""
    if (
        "ass" in text or "비" in text or "ASS" in text or "pwd" in text or "PWD" in text or "패스" in text
    ):  # looked for quickly
        yield from _passwords(text)
    if not _LONG.search(text) and not ("://" in text and "@" in text):
        return  # each has a stretch of letters and digits that is as long, but for a password in an address
    for kind in dict.fromkeys([kind for anchor, kind in _ANCHORS if anchor in text]):
        for hit in kind.pattern.finditer(text):
            start, end = hit.span(1 if kind.pattern.groups else 0)
            if not kind.must_be_random or _is_random(text[start:end]):
                yield PiiHit(Entity.KEY, start, end, kind.confidence)
    for long in _LONG.finditer(text):
        yield from _named(text, *long.span())


def _named(text: str, start: int, end: int) -> Iterator[PiiHit]:
    """A long value right behind the word key, token, secret or password, or after one and an equals sign."""
    value = text[start:end]
    if "=" in value.rstrip("="):
        start += value.rstrip("=").rindex("=") + 1
        value = text[start:end]
    is_long = len(value) >= _SHORTEST and any(map(str.isdigit, value))
    following = text[end : end + 1]
    is_named = is_long and _NAMED.search(text[max(0, start - _NAME_REACH) : start]) is not None
    if is_named and following not in ("(", "[", ".") and _is_random(value):
        yield PiiHit(Entity.KEY, start, end, 0.75)


def _passwords(text: str) -> Iterator[PiiHit]:
    """What a sentence or a setting says to be a password: letters and digits, and a symbol too where no colon comes before."""
    for hit in _PASSWORD.finditer(text):
        value = hit[2].rstrip(_CLOSING)
        has_both = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
        has_symbol = not value.replace("-", "").replace("_", "").isalnum()
        is_word = _CODE.search(value) or _PLACEHOLDER.search(value) or len(set(value)) < _DISTINCT // 2
        if len(value) >= _SHORTEST_PASSWORD and has_both and (hit[1] or has_symbol) and not is_word:
            yield PiiHit(Entity.KEY, hit.start(2), hit.start(2) + len(value), 0.7)


def _is_random(secret: str) -> bool:
    """Whether it is no placeholder, path, word or sentence with hyphens: letters and digits or both cases, well mixed."""
    if _PLACEHOLDER.search(secret) or len(set(secret)) < min(_DISTINCT, len(secret) * 2 // 3):
        return False
    kinds = (any(map(str.isdigit, secret)), any(map(str.islower, secret)), any(map(str.isupper, secret)))
    is_one_stretch = _ONE_STRETCH.fullmatch(secret) is not None and kinds[0]
    return sum(kinds) >= 2 and (is_one_stretch or _changes(secret) >= len(secret) // 8)


def _changes(secret: str) -> int:
    """How often the class of the characters changes: often in a random text, seldom in one of words."""
    classes = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in secret if c.isalnum()]
    return sum(a != b for a, b in pairwise(classes))
