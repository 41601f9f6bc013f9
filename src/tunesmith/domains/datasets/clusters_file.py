"""Clusters of near duplicates on disk: a line a row, and an index (12 bytes a cluster) with the largest cluster first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.domains.datasets.doctor.near_rows import Member, NearRows
from tunesmith.domains.datasets.duplicates import Clusters

DUPLICATES = "duplicates.jsonl"
DUPLICATES_INDEX = "duplicates.index"
_ENTRY = np.dtype([("offset", "<u8"), ("size", "<u4")])


@dataclass(frozen=True)
class ClusterPage:
    """Some clusters: how many rows each has, and some of those."""

    summary: dict[str, Any]
    total: int
    clusters: list[tuple[int, list[Member]]]


def write_clusters(folder: Path, near: NearRows | None, clusters: Clusters | None, threshold: float) -> None:
    """Write both files; without clusters they say that nobody looked."""
    summary: dict[str, Any] = {"checked": clusters is not None, "similarity_threshold": threshold}
    entries = np.zeros(0 if clusters is None else clusters.count, dtype=_ENTRY)
    with (folder / DUPLICATES).open("wb") as file:
        if clusters is not None and near is not None:
            sizes = clusters.sizes()
            starts = np.cumsum(sizes) - sizes
            summary |= {
                "rows_in_clusters": len(clusters.text),
                "is_exact": clusters.is_exact,
                "pairs_left_out": clusters.pairs_left_out,
            }
            for number, cluster in enumerate(np.argsort(-sizes, kind="stable").tolist()):
                start, size = int(starts[cluster]), int(sizes[cluster])
                entries[number] = (file.tell(), size)
                for member in near.members(clusters, start, start + size):
                    file.write(json.dumps(member, ensure_ascii=False).encode() + b"\n")
    with (folder / DUPLICATES_INDEX).open("wb") as file:
        file.write(json.dumps(summary).encode() + b"\n" + entries.tobytes())


def read_clusters(
    lines: Path, index: Path, *, offset: int, limit: int, members_offset: int, members_limit: int
) -> ClusterPage:
    """A page of clusters, with a page of the rows of each; the representative is always the first of them."""
    with index.open("rb") as file:
        summary = json.loads(file.readline())
        entries = np.fromfile(file, dtype=_ENTRY)
    with lines.open("rb") as file:
        clusters = []
        for entry in entries[offset : offset + limit]:
            file.seek(int(entry["offset"]))
            size = int(entry["size"])
            rows = islice(_members(file, size), 1 + members_offset + members_limit)
            first, rest = next(rows), list(rows)[members_offset:]
            clusters.append((size, [first, *rest]))
    return ClusterPage(summary, len(entries), clusters)


def _members(file: Any, size: int) -> Iterator[Member]:
    for _ in range(size):
        yield Member(*json.loads(file.readline()))
