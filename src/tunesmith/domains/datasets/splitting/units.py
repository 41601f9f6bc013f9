"""Which rows belong together: one pass over the file, then connected components."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.doctor import Limits, examine
from tunesmith.domains.datasets.doctor.checked import CheckedRow
from tunesmith.domains.datasets.doctor.digests import digest
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.doctor.near_rows import conversation, prompt_of
from tunesmith.domains.datasets.duplicates import Forest, NearDuplicates, ShouldStop, Stopped
from tunesmith.domains.datasets.errors import DatasetRedError, PreprocessingError
from tunesmith.domains.datasets.readers import Record
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.splitting.columns import Column

MOST_STRATA = 1000
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class SplitRules:
    """How to split."""

    shares: Mapping[str, float]
    seed: int
    similarity_threshold: float | None
    """Rows at least as similar stay together; None: near duplicates are not looked for."""
    stratify_by: str | None = None
    group_by: str | None = None


@dataclass(frozen=True)
class Units:
    """What was found out about the rows, in their order."""

    unit_of_row: NDArray[np.int64]
    digests: NDArray[np.uint64]
    """Of each unit, keyed with the seed: they put the units into an order that the rows' order does not change."""
    stratum_of_row: NDArray[np.int64]
    strata: list[str | None]
    """The values of the column to stratify by, sorted; None for rows without one."""
    kept_together: dict[str, int]
    """How many rows each rule bound to others that no rule before it had bound."""
    is_exact: bool

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each unit."""
        return np.bincount(self.unit_of_row, minlength=len(self.digests))


def prompt_digest(prompt: list[str], seed: int) -> int:
    """A digest of what does not change a question: not its case, white space, punctuation, Unicode form."""
    texts = [_NOISE.sub("", unicodedata.normalize("NFC", text).casefold()) for text in prompt]
    return digest(str(seed), *(texts if any(texts) else prompt))


def connect_rows(source: RowSource, folder: Path, rules: SplitRules, should_stop: ShouldStop) -> Units:
    """The units of a file. Raises DatasetRedError, PreprocessingError and Stopped; temporary files go to ``folder``."""
    with ExitStack() as stack:
        near = [stack.enter_context(NearDuplicates(folder)) for _ in range(2 if rules.similarity_threshold else 0)]
        rows = _Rows(rules, near)
        red: list[int] = []
        with source.open() as data:
            limits = Limits(check_pii=False, check_duplicates=False)
            for examined in examine(data, source.format, limits, Tally()):
                if examined.is_red:
                    red.append(examined.findings[0].row)
                elif examined.checked is not None:
                    rows.add(examined.record, examined.checked)
                if should_stop():
                    raise Stopped
        if red:
            shown = ", ".join(str(row) for row in red[:20]) + (" …" if len(red) > 20 else "")
            raise DatasetRedError(f"{len(red)} rows cannot be trained on, so the data is not split: rows {shown}.")
        return rows.connected(should_stop)


class _Rows:
    """What one pass keeps of the rows: some 30 bytes each, and their tokens on disk."""

    def __init__(self, rules: SplitRules, near: list[NearDuplicates]) -> None:
        self._rules = rules
        self._near = near
        self._prompts = array("Q")
        self._groups = array("Q")
        self._strata = array("q")
        self._labels: dict[str | None, int] = {}
        self._group = Column(rules.group_by) if rules.group_by is not None else None
        self._stratum = Column(rules.stratify_by) if rules.stratify_by is not None else None

    def add(self, record: Record, checked: CheckedRow) -> None:
        """Take the next row."""
        prompt = prompt_of(checked)
        at = len(self._prompts)
        self._prompts.append(prompt_digest(prompt, self._rules.seed))
        for near, text in zip(self._near, (conversation(checked.turns), "\n".join(prompt)), strict=False):
            near.add(at, text)
        group = self._group.text_in(record.value) if self._group else None
        self._groups.append(0 if group is None else digest(group.encode(errors="replace").decode()))
        label = self._stratum.text_in(record.value) if self._stratum else None
        self._strata.append(self._labels.setdefault(label, len(self._labels)))
        if len(self._labels) > MOST_STRATA:
            raise PreprocessingError(
                f"{self._rules.stratify_by!r} has more than {MOST_STRATA:,} different values, too many to stratify by.",
                hint="Stratify by a column with few values, such as a label; to keep the rows of one value together, "
                "name the column in `group_by`.",
            )

    def connected(self, should_stop: ShouldStop) -> Units:
        """The components."""
        for column in (self._group, self._stratum):
            if column is not None:
                column.check_found()
        prompts, groups = _numbers(self._prompts), _numbers(self._groups)
        forest = Forest(len(prompts))
        kept = {"same_prompt": forest.join_equal(prompts, np.arange(len(prompts)))}
        grouped = np.flatnonzero(groups)
        kept["same_group"] = forest.join_equal(groups[grouped], grouped)
        kept["near_duplicates"], is_exact = 0, True
        for near in self._near:
            assert self._rules.similarity_threshold is not None
            linked, join = near.linked(self._rules.similarity_threshold, should_stop)
            kept["near_duplicates"] += sum(forest.join(a, b) for a, b, _ in linked.links())
            is_exact = is_exact and join.is_exact
        _, units = np.unique(forest.roots(np.arange(len(prompts))), return_inverse=True)
        digests = np.full(int(units.max(initial=-1)) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
        np.minimum.at(digests, units, prompts)
        labels = sorted(self._labels, key=lambda label: (label is None, label or ""))
        rank = np.empty(len(labels), dtype=np.int64)
        rank[[self._labels[label] for label in labels]] = np.arange(len(labels))
        strata = rank[np.frombuffer(self._strata, dtype=np.int64)] if self._strata else np.zeros(0, dtype=np.int64)
        return Units(units, digests, strata, labels, kept, is_exact)


def _numbers(values: array[int]) -> NDArray[np.uint64]:
    return np.frombuffer(values, dtype=np.uint64) if values else np.zeros(0, dtype=np.uint64)
