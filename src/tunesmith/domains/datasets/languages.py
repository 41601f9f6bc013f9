"""The language that a text is mostly written in, told from its script and, among Latin ones, from its smallest words."""

from __future__ import annotations

import re

LOOKED_AT = 400
"""Characters from the beginning; more do not change the answer."""
_SCRIPTS = {
    "ko": re.compile("[가-힣ㄱ-ㆎᄀ-ᇿ]"),
    "ja": re.compile("[ぁ-ヿ]"),
    "zh": re.compile("[㐀-䶿一-鿿]"),
    "ru": re.compile("[Ѐ-ӿ]"),
    "ar": re.compile("[؀-ۿ]"),
    "hi": re.compile("[ऀ-ॿ]"),
    "th": re.compile("[ก-๛]"),
    "el": re.compile("[Ͱ-Ͽ]"),
    "he": re.compile("[א-ת]"),
    "latin": re.compile("[A-Za-zÀ-ɏḀ-ỿ]"),
}
_WORDS = {
    "en": "the of and to in is you that it for was are with as at be this have from or how what can i a not",
    "de": "der die das und ist nicht ich ein eine zu mit den auf für von sie wie im dem des wir",
    "fr": "le la les et est un une des du que qui dans pour pas vous je ne sur avec ce au",
    "es": "el la los las y es un una de que en por con para no se del al como su mi",
    "pt": "o os as e é um uma de que em por com para não se do da no na como",
    "it": "il lo gli e è un una di che in per con non si del della sono come più al",
    "vi": "là và của có không cho một được với những trong các này đã người",
}
_SMALL = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_ANY_SMALL = frozenset().union(*_SMALL.values())
_PUNCTUATION = ".,;:!?()[]\"'«»“”„…"
SURE_WORDS = 3
KOREAN_SHARE = 0.2
"""Korean prose about technology is full of Latin letters: a fifth of Hangul makes a text Korean."""


def language_of(text: str) -> str:
    """An ISO 639-1 code; ``latin`` for an unknown language in Latin letters, ``none`` for a text without letters."""
    head = text[:LOOKED_AT]
    if head.isascii():
        return _latin(head) if any(map(str.isalpha, head)) else "none"
    counts = {script: len(pattern.findall(head)) for script, pattern in _SCRIPTS.items()}
    letters = sum(counts.values())
    if not letters:
        return "other" if any(map(str.isalpha, head)) else "none"
    if counts["ko"] >= KOREAN_SHARE * letters:
        return "ko"
    if counts["ja"] >= 0.1 * (counts["ja"] + counts["zh"]) > 0:
        counts["ja"] += counts.pop("zh")
    best = max(counts, key=lambda script: counts[script])
    return _latin(head) if best == "latin" else best


def _latin(head: str) -> str:
    words = {word.strip(_PUNCTUATION) for word in head.lower().split()} & _ANY_SMALL
    if not words:
        return "latin"
    return max(_SMALL, key=lambda language: len(words & _SMALL[language]))


def sure_language_of(text: str) -> str:
    """The same, and ``latin`` unless a language in Latin letters shows by several of its words, and by twice as many as others."""
    language = language_of(text)
    if language not in _SMALL:
        return language
    words = {word.strip(_PUNCTUATION) for word in text[:LOOKED_AT].lower().split()} & _ANY_SMALL
    counts = {name: len(words & small) for name, small in _SMALL.items()}
    other = max(count for name, count in counts.items() if name != language)
    return language if counts[language] >= SURE_WORDS and counts[language] >= 2 * other else "latin"
