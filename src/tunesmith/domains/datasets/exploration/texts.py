"""What a column of texts is like: lengths, languages, words."""

from __future__ import annotations

from collections import Counter

from tunesmith.domains.datasets.exploration.lengths import LengthCounts
from tunesmith.domains.datasets.exploration.vocabulary import Vocabulary
from tunesmith.domains.datasets.languages import language_of
from tunesmith.domains.datasets.schemas.exploration import LanguageShare, TextStatistics


class TextProfile:
    """Looks at texts one by one."""

    def __init__(self) -> None:
        self.characters = LengthCounts()
        self.words = LengthCounts()
        self.vocabulary = Vocabulary()
        self._languages: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Look at one text."""
        words = text.split()
        self.characters.note(len(text))
        self.words.note(len(words))
        self._languages[language_of(text)] += 1
        self.vocabulary.add(words)

    def statistics(self) -> TextStatistics | None:
        """The figures; None when there were no texts."""
        characters, words = self.characters.summary(), self.words.summary()
        if characters is None or words is None:
            return None
        return TextStatistics(
            characters=characters,
            words=words,
            languages=[
                LanguageShare(language=language, texts=count, share=count / characters.count)
                for language, count in sorted(self._languages.items(), key=lambda entry: (-entry[1], entry[0]))
            ],
            vocabulary=self.vocabulary.summary(),
        )
