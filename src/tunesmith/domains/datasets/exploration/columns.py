"""One column of a dataset as a pass over the rows sees it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tunesmith.domains.datasets.exploration.cells import LARGEST_NUMBER, boolean_in, missing_kind, moment_in, number_in
from tunesmith.domains.datasets.exploration.conversations import ConversationProfile, is_conversation
from tunesmith.domains.datasets.exploration.distinct import DistinctValues, FrequentValues, fingerprint
from tunesmith.domains.datasets.exploration.lengths import LengthCounts
from tunesmith.domains.datasets.exploration.texts import TextProfile
from tunesmith.domains.datasets.exploration.vocabulary import MAX_TYPES
from tunesmith.domains.datasets.readers import escape_pointer
from tunesmith.domains.datasets.schemas.exploration import ColumnType

Path = tuple[str, ...]
Shown = tuple[str, int]
"""A value as it is shown, and its fingerprint where that is only its beginning."""

SHOWN_CHARACTERS = 120
LONGEST_PARSED = 64
MAX_DISTINCT = 16_000_000
MAX_FREQUENT = 200_000
"""Fingerprints and values that are kept, over all columns together."""
FREQUENT = 5_000


class Column:
    """Takes the values of one column; what is counted is bounded by what all columns together may use."""

    def __init__(self, path: Path, rows_before: int) -> None:
        self.path = path
        self.name = path[0] if len(path) == 1 else "".join(f"/{escape_pointer(key)}" for key in path)
        self.missing: Counter[str] = Counter(absent=rows_before)
        self.types: Counter[str] = Counter()
        self.parsed: Counter[str] = Counter()
        self.booleans: Counter[str] = Counter()
        self.distinct = DistinctValues()
        self.frequent: FrequentValues[Shown] = FrequentValues(FREQUENT)
        self.texts = TextProfile()
        self.conversations = ConversationProfile()
        self.items = LengthCounts()
        self.seen: list[int] = []
        """Places in the batch where the column is not missing."""
        self.present = 0
        """Places in the batch where the row has the field at all."""
        self.numbers: dict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        """By measure: places in the batch, and what was measured there."""
        self._keys: Counter[Shown] = Counter()
        self._fingerprints: set[int] = set()

    def add(self, at: int, value: Any) -> None:
        """Look at the value of the row at place ``at`` of the batch."""
        self.present += 1
        kind = missing_kind(value)
        if kind is not None:
            self.missing[kind] += 1
            return
        self.seen.append(at)
        if isinstance(value, str):
            self._add_text(at, value)
        elif isinstance(value, bool):
            self.types["boolean"] += 1
            self.booleans["true" if value else "false"] += 1
            self._count("true" if value else "false")
        elif isinstance(value, int | float):
            self.types["number"] += 1
            number = _float(value)
            if number is not None:
                self._measure("value", at, number)
            self._count(repr(value)[:1000])
        elif is_conversation(value):
            self.types["conversation"] += 1
            characters = self.conversations.add(value)
            self._measure("characters", at, characters)
            self._count(repr(value))
        else:
            self.types["array" if isinstance(value, list) else "object"] += 1
            self.items.note(len(value))
            self._count(repr(value))

    def flush(self, rows: int) -> None:
        """The batch of ``rows`` rows ends."""
        self.missing["absent"] += rows - self.present
        self.distinct.add(self._fingerprints)
        self.frequent.add(self._keys)
        for profile in (self.texts, self.conversations.texts):
            profile.vocabulary.merge()
        self._keys, self._fingerprints = Counter(), set()
        self.seen, self.present = [], 0
        self.numbers.clear()

    def limit_to(self, share: int) -> None:
        """Use at most the ``share``-th part of what all columns may use together."""
        self.distinct.limit_to(MAX_DISTINCT // share)
        self.frequent.limit_to(max(200, MAX_FREQUENT // share))
        for profile in (self.texts, self.conversations.texts):
            profile.vocabulary.limit_to(MAX_TYPES // share)

    @property
    def type(self) -> ColumnType:
        """What all values that are not missing are."""
        total = sum(self.types.values())
        if not total:
            return "empty"
        counts: dict[ColumnType, int] = {
            "number": self.types["number"] + self.parsed["number"],
            "date": self.parsed["date"],
            "boolean": self.types["boolean"] + self.parsed["boolean"],
            "text": self.types["text"],
            "conversation": self.types["conversation"],
            "array": self.types["array"],
            "object": self.types["object"],
        }
        return next((name for name, count in counts.items() if count == total), "mixed")

    def _add_text(self, at: int, text: str) -> None:
        self.types["text"] += 1
        self.texts.add(text)
        self._measure("characters", at, len(text))
        self._count(text)
        if len(text) > LONGEST_PARSED:
            return
        if (number := number_in(text)) is not None:
            self.parsed["number"] += 1
            self._measure("value", at, number)
        elif (moment := moment_in(text)) is not None:
            self.parsed["date"] += 1
            self._measure("date", at, moment)
        elif (truth := boolean_in(text)) is not None:
            self.parsed["boolean"] += 1
            self.booleans["true" if truth else "false"] += 1

    def _measure(self, measure: str, at: int, number: float) -> None:
        places, numbers = self.numbers[measure]
        places.append(at)
        numbers.append(number)

    def _count(self, text: str) -> None:
        mark = fingerprint(text)
        self._fingerprints.add(mark)
        self._keys[(text, 0) if len(text) <= SHOWN_CHARACTERS else (text[:SHOWN_CHARACTERS], mark)] += 1


def _float(value: float) -> float | None:
    """``value`` as a number whose square can be summed up; None beyond ±10^150."""
    return float(value) if abs(value) <= LARGEST_NUMBER else None
