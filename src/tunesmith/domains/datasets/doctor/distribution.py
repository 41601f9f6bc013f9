"""What only all rows together show of the answers: odd lengths, odd languages, the same opening everywhere, lopsided labels.

The pass remembers some 30 bytes a row; the findings are made when the last row has gone by. Nothing is said of fewer than
``ENOUGH_ROWS`` rows.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator

import numpy as np

from tunesmith.domains.datasets.doctor.answers import NAMES, UNKNOWN, Traits
from tunesmith.domains.datasets.doctor.codes import CODES
from tunesmith.domains.datasets.doctor.digests import digest
from tunesmith.domains.datasets.doctor.findings import Finding, Later
from tunesmith.domains.datasets.pii import mask, shown

ENOUGH_ROWS = 100
ODD_DEVIATIONS = 6.0
ODD_RATIO = 10.0
"""A length is odd when its logarithm lies this many (scaled) median deviations off, and it is this many times the median."""
MAIN_SHARE = 0.05
"""A language that this share of the rows is written in is one of the dataset's."""
OPENING_SHARE = 0.1
LABELS = 20
TOP_SHARE = 0.9
_SCALE = 1.4826
"""Median absolute deviation → standard deviation of a normal distribution (Rousseeuw and Croux, 1993)."""


class Distribution:
    """Takes the traits of sound rows in their order."""

    def __init__(self) -> None:
        self._rows = array("Q")
        self._lines = array("Q")
        self._characters = array("I")
        self._languages = bytearray()
        self._names: list[str] = []
        self._openings = array("Q")
        self._labels: Counter[str] = Counter()
        self._first_of: dict[str, int] = {}
        self._opening_of: dict[int, str] = {}
        self._is_labelled = True

    def add(self, row: int, line: int | None, traits: Traits, label: bool | None = None) -> None:
        """The next row; ``label`` where its format has one."""
        at = len(self._rows)
        self._rows.append(row)
        self._lines.append(line or 0)
        self._characters.append(min(traits.characters, 0xFFFFFFFF))
        if traits.language not in self._names:
            self._names.append(traits.language)
        self._languages.append(self._names.index(traits.language))
        self._openings.append(self._opening(traits.opening))
        self._note_label(traits.answer if label is None else ("true" if label else "false"), at)

    def findings(self) -> Iterator[Later]:
        """What stands out, in the order of the rows."""
        if len(self._rows) < ENOUGH_ROWS:
            return
        found = [*self._lopsided(), *self._same_openings(), *self._odd_lengths(), *self._odd_languages()]
        for _, finding in sorted(found, key=lambda one: one[0]):
            yield Later(finding.row, finding)

    def _opening(self, text: str) -> int:
        if not text:
            return 0
        key = digest(text.encode("utf-8", "replace").decode())
        if len(self._opening_of) < 10_000:
            self._opening_of.setdefault(key, text)
        return key

    def _note_label(self, label: str, at: int) -> None:
        if not self._is_labelled:
            return
        if not label or (label not in self._labels and len(self._labels) >= LABELS):
            self._is_labelled = False
            return
        self._labels[label] += 1
        self._first_of.setdefault(label, at)

    def _odd_lengths(self) -> Iterator[tuple[int, Finding]]:
        lengths = np.frombuffer(self._characters, dtype=np.uint32)
        logarithms = np.log(np.maximum(lengths, 1))
        middle = float(np.median(logarithms))
        spread = _SCALE * float(np.median(np.abs(logarithms - middle)))
        off = np.abs(logarithms - middle)
        odd = (off > ODD_DEVIATIONS * max(spread, 0.05)) & (off > np.log(ODD_RATIO))
        median = int(np.median(lengths))
        for at in np.flatnonzero(odd).tolist():
            length = int(lengths[at])
            way = "long" if length > median else "short"
            message = (
                f"The answer has {length:,} characters, the middle one of all answers {median:,}: it is very {way}."
            )
            yield at, self._finding("length-outlier", at, message, f"about {median} characters", f"{length} characters")

    def _odd_languages(self) -> Iterator[tuple[int, Finding]]:
        numbers = np.frombuffer(bytes(self._languages), dtype=np.uint8)
        counts = np.bincount(numbers, minlength=len(self._names))
        known = [n for n, name in enumerate(self._names) if name not in UNKNOWN]
        told = int(counts[known].sum()) if known else 0
        if told < ENOUGH_ROWS:
            return
        main = [n for n in known if counts[n] >= MAIN_SHARE * told]
        names = " and ".join(NAMES.get(self._names[n], self._names[n]) for n in sorted(main, key=lambda n: -counts[n]))
        odd = np.isin(numbers, [n for n in known if n not in main])
        for at in np.flatnonzero(odd).tolist():
            name = NAMES.get(self._names[numbers[at]], self._names[numbers[at]])
            message = f"The answer is in {name}; the answers of this dataset are in {names}."
            yield at, self._finding("language-mix", at, message, names, name)

    def _same_openings(self) -> Iterator[tuple[int, Finding]]:
        openings = np.frombuffer(self._openings, dtype=np.uint64)
        keys, first, counts = np.unique(openings, return_index=True, return_counts=True)
        for number in np.flatnonzero((counts >= OPENING_SHARE * len(openings)) & (keys != 0)).tolist():
            at, count = int(first[number]), int(counts[number])
            text = shown(self._opening_of.get(int(keys[number]), ""), 60)
            share = f"{100 * count // len(openings)} %"
            message = f"{count:,} answers ({share}) begin with {text!r}; this is the first of them."
            yield at, self._finding("same-opening", at, message, "answers that begin in many ways", text)

    def _lopsided(self) -> Iterator[tuple[int, Finding]]:
        if not self._is_labelled or len(self._labels) < 2:
            return
        label, count = self._labels.most_common(1)[0]
        share = count / self._labels.total()
        if share >= TOP_SHARE:
            at = self._first_of[label]
            message = (
                f"{count:,} of {self._labels.total():,} answers are {shown(label, 40)!r}; this is the first of them."
            )
            others = f"{len(self._labels)} answers that occur about as often"
            yield at, self._finding("label-imbalance", at, message, others, f"{int(100 * share)} % {shown(label, 40)}")

    def _finding(self, slug: str, at: int, message: str, expected: str, found: str) -> Finding:
        code = CODES[slug]
        return Finding(
            code=slug,
            severity=code.severity,
            row=self._rows[at],
            line=self._lines[at] or None,
            pointer="",
            expected=shown(expected),
            found=shown(found),
            fix=code.fix,
            message=mask(message),
        )
