"""How rich the words of a column are: different words among all, and words that occur once."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

from tunesmith.domains.datasets.exploration.distinct import fingerprint
from tunesmith.domains.datasets.schemas.exploration import VocabularySummary

MAX_TYPES = 1_000_000
"""Different words that are kept, over all columns together."""
PENDING = 100_000
NOTE = (
    "A word is what stands between white space, without case and outer punctuation. Korean words carry their particles, so "
    "the same noun counts as several words, and the ratio of Korean texts is higher than that of English ones."
)


class Vocabulary:
    """Counts words. Of more than ``limit`` different ones an even share is kept, each with its exact count.

    Which words stay depends on their fingerprints alone: a word is kept from its first occurrence on or never, so the share
    that occurs once is unbiased, and so is the number of different words, the kept ones times 2^halvings.
    """

    def __init__(self, limit: int = MAX_TYPES) -> None:
        self._limit = max(limit, 1000)
        self._halvings = 0
        self._counts: dict[str, int] = {}
        self._pending: Counter[str] = Counter()
        self._words = 0

    def add(self, words: Iterable[str]) -> None:
        """Count the words of one text."""
        self._pending.update(words)
        if len(self._pending) > PENDING:
            self.merge()

    def limit_to(self, limit: int) -> None:
        """Keep at most ``limit`` words from now on."""
        self._limit = max(min(limit, self._limit), 1000)

    def summary(self) -> VocabularySummary | None:
        """The figures; None when there were no words."""
        self.merge()
        if not self._words:
            return None
        types = len(self._counts) << self._halvings
        once = sum(count == 1 for count in self._counts.values())
        return VocabularySummary(
            words=self._words,
            types=min(types, self._words),
            type_token_ratio=min(1.0, types / self._words),
            hapax_share=once / len(self._counts) if self._counts else 0.0,
            exact=self._halvings == 0,
            note=NOTE,
        )

    def merge(self) -> None:
        """Take in what is pending; a batch ends."""
        pending, self._pending = self._pending, Counter()
        counts, mask = self._counts, (1 << self._halvings) - 1
        for written, count in pending.items():
            word = _plain(written)
            if not word:
                continue
            self._words += count
            if word in counts:
                counts[word] += count
            elif not mask or not fingerprint(word) & mask:
                counts[word] = count
        while len(self._counts) > self._limit:
            self._halvings += 1
            mask = (1 << self._halvings) - 1
            self._counts = {word: count for word, count in self._counts.items() if not fingerprint(word) & mask}


def _plain(word: str) -> str:
    """Without case and what is no letter or digit at its ends; empty when nothing is left."""
    word = word.casefold()
    start, end = 0, len(word)
    while start < end and not _is_kept(word[start]):
        start += 1
    while end > start and not _is_kept(word[end - 1]):
        end -= 1
    return word[start:end]


def _is_kept(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"
