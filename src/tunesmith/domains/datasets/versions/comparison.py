"""One comparison of two versions: their digests (made where they are missing), the pairs, and a page of what differs."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tunesmith.domains.datasets.derivation.parent import Passed
from tunesmith.domains.datasets.schemas.derivation import DatasetReference, DiffCounts
from tunesmith.domains.datasets.schemas.versions import DatasetDiffResponse, RowDifference
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.versions.diff import (
    Differences,
    composed,
    differences,
    paired_by_ancestor,
    paired_by_content,
)
from tunesmith.domains.datasets.versions.digests import digest_rows, load_numbers
from tunesmith.domains.datasets.versions.row_reader import ReadRow, read_rows
from tunesmith.kit.paging import PageRequest


@dataclass
class Side:
    """One of the two versions."""

    reference: DatasetReference
    source: RowSource
    row_index: Path | None
    digests: Path | None
    """Null until they are made."""
    row_maps: list[Path] = field(default_factory=list)
    """From the version up to the common ancestor."""


@dataclass
class Comparison:
    """Compares ``before`` with ``after``; ``passed`` and ``stop`` are for another thread."""

    before: Side
    after: Side
    is_related: bool
    passed: Passed = field(default_factory=Passed)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def is_ready(self) -> bool:
        """Whether the digests are there, so that no pass over the rows is needed."""
        return self.before.digests is not None and self.after.digests is not None

    def make_digests(self, folder: Path) -> list[tuple[Side, Path]]:
        """Write the digests that are missing into ``folder``; answers whose they are."""
        made: list[tuple[Side, Path]] = []
        for side in (self.before, self.after):
            if side.digests is None and not self.stop.is_set():
                target = folder / f"{side.reference.id}.u8"
                digest_rows(side.source, target, self.passed, self.stop.is_set)
                side.digests = target
                made.append((side, target))
        return made

    def compare(self) -> Differences:
        """Everything that differs."""
        assert self.before.digests is not None
        assert self.after.digests is not None
        before, after = load_numbers(self.before.digests), load_numbers(self.after.digests)
        if self.is_related:
            sides = ((self.before, len(before)), (self.after, len(after)))
            behind = [composed([load_numbers(path) for path in side.row_maps], rows) for side, rows in sides]
            pairs = paired_by_ancestor(*behind)
        else:
            pairs = paired_by_content(before, after)
        return differences(before, after, pairs)

    def answer(self, kinds: Collection[str], page: PageRequest) -> DatasetDiffResponse:
        """A page of the differences of some kinds (all of them when none is named), with their rows."""
        found = self.compare()
        wanted = found.of(kinds) if kinds else found
        items = wanted.page(page.offset, page.page_size)
        old = read_rows(self.before.source, self.before.row_index, [row for _, row, _ in items if row])
        new = read_rows(self.after.source, self.after.row_index, [row for _, _, row in items if row])
        nothing = ReadRow(None, None)
        return DatasetDiffResponse(
            items=[
                _difference(kind, row, other, old.get(row, nothing), new.get(other, nothing))
                for kind, row, other in items
            ],
            total=len(wanted.kinds),
            page=page.page,
            page_size=page.page_size,
            dataset=self.before.reference,
            other=self.after.reference,
            counts=DiffCounts.model_validate(found.counts()),
            compared_by=self._compared_by(),
        )

    def _compared_by(self) -> Literal["lineage", "content"]:
        return "lineage" if self.is_related else "content"


def _difference(kind: str, row: int, other_row: int, before: ReadRow, after: ReadRow) -> RowDifference:
    return RowDifference.model_validate(
        {
            "kind": kind,
            "row": row or None,
            "other_row": other_row or None,
            "before": before.value,
            "after": after.value,
            "error": before.error or after.error,
        }
    )
