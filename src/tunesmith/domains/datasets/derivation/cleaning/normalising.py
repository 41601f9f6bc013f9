"""Rules for texts, each a pure function from text to text that leaves a text that is already clean as it is."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from tunesmith.domains.datasets.doctor.texts import CONTROL
from tunesmith.domains.datasets.schemas.cleaning import TextRules

_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
_GAPS = re.compile(r"(?<=\S)[^\S\n]+")
_TRAILING = re.compile(r"[^\S\n]+(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")
_ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff\u00ad]")
_TAGS = (
    "a|abbr|address|article|aside|audio|b|blockquote|body|br|button|canvas|caption|center|cite|code|col|dd|del|div|dl|dt|em|"
    "embed|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|map|"
    "mark|meta|nav|noscript|object|ol|option|p|param|picture|pre|q|s|samp|section|select|small|source|span|strike|strong|"
    "sub|summary|sup|svg|table|tbody|td|textarea|tfoot|th|thead|time|title|tr|track|u|ul|var|video|wbr"
)
_HIDDEN = re.compile(
    r"<!--.{0,100000}?-->|<(script|style)\b[^<>]{0,2000}>.{0,100000}?</\1\s*>", re.DOTALL | re.IGNORECASE
)
_BREAKS = re.compile(r"<(?:br|hr)\s*/?>|</(?:p|div|li|tr|h[1-6]|blockquote|table|ul|ol)\s*>", re.IGNORECASE)
_BARE = (
    "allowfullscreen|async|autofocus|autoplay|checked|compact|controls|default|defer|disabled|hidden|loop|multiple|muted|"
    "noshade|novalidate|nowrap|open|readonly|required|reversed|selected"
)
"""Attributes without a value. Any other word in a tag would be a comparison, as in ``if a<b and c>d``."""
_TAG = re.compile(
    rf"</?(?:{_TAGS})(?:\s[^<>=]{{0,200}}=[^<>]{{0,2000}}|(?:\s+(?:{_BARE})){{0,9}}\s*)/?>", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_REPEATED = re.compile(r"([!?！？。、，])\1+")
_DOTS = re.compile(r"\.{4,}|…{2,}")
_WAVES = re.compile(r"([~～])\1{2,}")
Rule = Callable[[str], str]


def composed(text: str) -> str:
    """Unicode NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def without_needless_space(text: str) -> str:
    """One space between words, none at line ends, at most one blank line; the indentation of a line stays."""
    text = _GAPS.sub(" ", _LINE_ENDS.sub("\n", text))
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip("\n").rstrip()


def without_invisible(text: str) -> str:
    """No control characters, no zero-width characters. Joiners stay: emoji and some scripts need them."""
    return _ZERO_WIDTH.sub("", CONTROL.sub("", text))


def without_html(text: str) -> str:
    """No comments, scripts, styles and known tags; what breaks a line in a browser does here; entities as characters."""
    if "<" in text:
        text = _TAG.sub("", _BREAKS.sub("\n", _HIDDEN.sub("", text)))
    return _ENTITY.sub(lambda hit: html.unescape(hit.group()), text) if "&" in text else text


def without_repeated_punctuation(text: str) -> str:
    """A mark once where it stands several times after a word; three dots at most."""
    text = _REPEATED.sub(_once_after_a_word, text)
    return _WAVES.sub(r"\1", _DOTS.sub(lambda hit: hit.group()[: 3 if hit.group()[0] == "." else 1], text))


def _once_after_a_word(hit: re.Match[str]) -> str:
    """``!!x`` in a program is no punctuation."""
    before = hit.string[max(0, hit.start() - 1) : hit.start()]
    return hit[1] if before.strip() else hit[0]


RULES: dict[str, Rule] = {
    "html": without_html,
    "control_characters": without_invisible,
    "unicode": composed,
    "repeated_punctuation": without_repeated_punctuation,
    "whitespace": without_needless_space,
}
"""In the order in which they work."""


def rules_of(asked: TextRules) -> dict[str, Rule]:
    """The rules that are switched on, by the names of their steps."""
    return {name.replace("_", "-"): rule for name, rule in RULES.items() if getattr(asked, name)}
