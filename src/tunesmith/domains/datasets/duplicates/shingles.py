"""What of a text is compared: the set of its tokens after normalisation, as numbers, for a whole batch of texts at once.

Normalisation: NFC, case folded, and everything that is no letter, mark or digit (punctuation, symbols, white space, control
characters) is space. A run of letters, marks and digits is then cut where the script changes between those that write spaces
between words (Latin, Cyrillic, digits …) and those whose words are glued to particles or to each other (Hangul, Han, Kana, Thai,
Lao, Khmer, Myanmar). A piece of the first sort is one token: the word. A piece of the second sort is the set of its pairs of
characters (one character alone is a token). So English is compared by words, as readers expect and as others measure it, while
`배는` and `배가` share nothing by words but, in a sentence, all pairs except one: a changed particle is a small change. Pairs stay
inside a word, so that replacing a whole Korean word weighs about what it weighs when words are counted.

A token is kept as 48 bits of a hash that is the same on every machine; two different tokens of two texts of 200 tokens are taken
for one with a probability below 10⁻⁹.
"""

from __future__ import annotations

import functools
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TOKEN_BITS = 48
MAX_BATCH_TEXTS = 1 << 15
_PIECE_CHARACTERS = 1 << 18

U64 = np.uint64
_NOISE, _WORD, _PAIR = 0, 1, 2
_END = "\x1e"
"""Ends a text in a batch; inside a text it is noise like every control character."""
_ODD = U64(0x9E3779B97F4A7C15)
_INVERSE = U64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_ASSIGNED = 0x32400
"""Letters and digits are below this code point."""
_PAIRED_SCRIPTS = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
    (0x3040, 0x318F), (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF), (0xFF66, 0xFFDC), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip


class TokenSets(NamedTuple):
    """Sets of several texts: text ``i`` has ``tokens[starts[i]:starts[i + 1]]``, sorted, each once."""

    tokens: NDArray[np.uint64]
    starts: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Number of tokens of each text."""
        return np.diff(self.starts)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of a number spread over all bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        values = values + _ODD
        values = (values ^ (values >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> U64(27))) * U64(0x94D049BB133111EB)
        return values ^ (values >> U64(31))


def token_sets(texts: Sequence[str]) -> TokenSets:
    """The sets of at most ``MAX_BATCH_TEXTS`` texts."""
    parts = [_keys(pieces, owners) for pieces, owners in _pieces(texts)]
    keys = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
    keys.sort()
    if len(keys):
        keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
    starts = np.searchsorted(keys, np.arange(len(texts) + 1, dtype=np.uint64) << U64(TOKEN_BITS))
    return TokenSets(keys & U64((1 << TOKEN_BITS) - 1), starts.astype(np.int64))


def _keys(pieces: list[str], owners: list[int]) -> NDArray[np.uint64]:
    """The tokens of some pieces, each with the number of its text above it."""
    points = _code_points(pieces)
    kinds = _kinds()[points]
    ends = np.flatnonzero(points == ord(_END))
    words = _words(points, kinds)
    pairs = _pairs(points, kinds)
    places = np.concatenate((words[0], pairs[0]))
    hashes = np.concatenate((words[1], pairs[1]))
    text_of = np.array(owners, dtype=np.uint64)[np.searchsorted(ends, places)]
    return (text_of << U64(TOKEN_BITS)) | (mixed(hashes) >> U64(64 - TOKEN_BITS))


def _pieces(texts: Sequence[str]) -> Iterator[tuple[list[str], list[int]]]:
    """The texts, some at a time, with their numbers; one that is very long is cut at spaces, which bounds the memory."""
    pieces: list[str] = []
    owners: list[int] = []
    characters = 0
    for number, text in enumerate(texts):
        at = 0
        while at < len(text) or not at:
            end = at + _PIECE_CHARACTERS
            if end < len(text):
                end = max(text.rfind(" ", at, end), text.rfind("\n", at, end)) + 1 or end
            pieces.append(text[at:end])
            owners.append(number)
            characters += len(pieces[-1])
            at = end
            if characters >= _PIECE_CHARACTERS:
                yield pieces, owners
                pieces, owners, characters = [], [], 0
    if pieces:
        yield pieces, owners


def normalised(text: str) -> str:
    """``text`` as it is compared: words with one space between them."""
    kinds = _kinds()
    folded = _folded(text)
    return "".join(c if kinds[ord(c)] else " " for c in folded).strip() if folded else ""


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _code_points(texts: Sequence[str]) -> NDArray[np.uint32]:
    joined = _folded("".join(text.replace(_END, " ") + _END for text in texts))
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _words(points: NDArray[np.uint32], kinds: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Where each word begins, and its polynomial hash: a difference of prefix sums, made independent of the place."""
    inside = np.zeros(len(kinds) + 2, dtype=np.int8)
    inside[1:-1] = kinds == _WORD
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    begins, ends = edges[::2], edges[1::2]
    with np.errstate(over="ignore"):
        up, down = _powers(len(points) + 1)
        sums = np.zeros(len(points) + 1, dtype=np.uint64)
        np.cumsum(_letters(points) * down[: len(points)], out=sums[1:])
        return begins, (sums[ends] - sums[begins]) * up[begins]


def _pairs(points: NDArray[np.uint32], kinds: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Where each pair of characters begins, and its hash; a character alone is paired with nothing."""
    paired = np.zeros(len(kinds) + 1, dtype=bool)
    paired[1:] = kinds == _PAIR  # paired[i + 1]: character i is of a paired script
    at = np.flatnonzero(paired[1:])
    if not len(at):
        return at, np.zeros(0, dtype=np.uint64)
    followed = np.append(paired[2:], False)[at]
    alone = ~followed & ~paired[at]
    kept = at[followed | alone]
    after = np.where(followed[followed | alone], points[np.minimum(kept + 1, len(points) - 1)], 0).astype(np.uint64)
    return kept, mixed((points[kept].astype(np.uint64) << U64(32)) | after)


def _letters(points: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return _letter_table()[points]


@functools.cache
def _letter_table() -> NDArray[np.uint64]:
    """A random number for each character: sums of small code points would collide."""
    return mixed(np.arange(sys.maxunicode + 1, dtype=np.uint64))


@functools.cache
def _kinds() -> NDArray[np.uint8]:
    """What each code point is: noise, part of a word, or of a script whose characters are paired."""
    table = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    for point in range(_ASSIGNED):
        if unicodedata.category(chr(point))[0] in "LMN":
            table[point] = _WORD
    table[0xFE00:0xFE10] = _NOISE  # variation selectors: they choose a picture
    for first, last in _PAIRED_SCRIPTS:
        part = table[first : last + 1]
        part[part == _WORD] = _PAIR
    return table


_POWERS: list[NDArray[np.uint64]] = []


def _powers(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """``count`` powers of an odd number and of its inverse modulo 2⁶⁴."""
    if not _POWERS or len(_POWERS[0]) < count:
        size = 1 << max(16, count.bit_length())
        fresh = [_power_table(_ODD, size), _power_table(_INVERSE, size)]
        _POWERS[:] = fresh
    return _POWERS[0], _POWERS[1]


def _power_table(of: np.uint64, size: int) -> NDArray[np.uint64]:
    factors = np.full(size, of, dtype=np.uint64)
    factors[0] = 1
    with np.errstate(over="ignore"):
        return np.cumprod(factors)
