"""Texts that mean the same: ``python -m tunesmith.ml.embed RUN_DIR``.

Every text becomes a vector of length one, as its model pools it; every pair is compared (no index, nothing is missed), and pairs
at or above the threshold connect their texts. ``artifacts/groups.jsonl`` gets one line for each group, the largest first.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.ml.guard import NEVER_USED, forbid_pickle, importing, leave_out, share_the_processor, stay_offline
from tunesmith.ml.report import EXIT_FAILED, Reporter

forbid_pickle()
stay_offline()
share_the_processor()
leave_out(*NEVER_USED)

WINDOW_TEXTS = 1024
"""Texts that are sorted by length together, so that a batch has little padding."""
BATCH_TOKENS = 8192
BLOCK_TEXTS = 2048
"""Texts compared with as many others in one multiplication."""


def main(run_dir: str) -> int:
    """Run what ``spec.json`` describes; answers the exit code."""
    with Reporter(run_dir) as report:
        report.progress(0, message="starting")
        with importing():
            from tunesmith.ml.failures import explain

        try:
            result = compare(report)
        except Exception as error:
            traceback.print_exception(error)
            failure = explain(error)
            report.failed(
                failure.error_type, failure.message, code=failure.code, hint=failure.hint, reason=failure.reason
            )
            return EXIT_FAILED
        report.finished(result or {}, stopped=result is None)
    return 0


def compare(report: Reporter) -> dict[str, Any] | None:
    """The figures of the run; None when it was cancelled."""
    with importing():
        import numpy as np

        from tunesmith.ml.embedding import Embedder
        from tunesmith.wire.spec import EmbedSpec

    forbid_pickle()
    spec = EmbedSpec.model_validate(report.spec)
    embedder = Embedder(Path(spec.model_path), spec.device, spec.max_tokens)
    report.run.artifacts.mkdir(parents=True, exist_ok=True)
    place = report.run.artifacts / "vectors.f32"
    cut = 0
    with place.open("wb") as file:
        done = 0
        for window in windows(Path(spec.texts_file)):
            vectors, cut_here = embedder.embed(window, BATCH_TOKENS)
            file.write(vectors.tobytes())
            done, cut = done + len(window), cut + cut_here
            report.progress(done, spec.texts, "reading the texts")
            if report.end_requested() is not None:
                return None
    vectors = np.memmap(place, dtype=np.float32, mode="r").reshape(done, -1) if done else np.zeros((0, 1), np.float32)
    groups = Groups(vectors, spec.threshold)
    for at in range(0, done, BLOCK_TEXTS):
        groups.take(at, BLOCK_TEXTS)
        report.progress(at, done, "comparing")
        if report.end_requested() is not None:
            return None
    found = groups.write(report.run.artifacts / "groups.jsonl")
    del vectors
    place.unlink()
    return {"texts": done, "cut": cut, **found}


def windows(path: Path) -> Iterator[list[str]]:
    """The texts of a file of JSON strings, some at a time."""
    waiting: list[str] = []
    with path.open("rb") as file:
        for line in file:
            waiting.append(json.loads(line))
            if len(waiting) == WINDOW_TEXTS:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


class Groups:
    """What pairs at or above a threshold connect. Memory: 20 bytes a text beside the vectors, which lie on disk."""

    def __init__(self, vectors: Any, threshold: float) -> None:
        import numpy as np

        self._vectors, self._threshold = vectors, threshold
        self._parents = np.arange(len(vectors))
        self._best = np.full(len(vectors), -1.0, np.float32)
        self._like = np.full(len(vectors), -1, np.int64)

    def take(self, start: int, count: int) -> None:
        """Compare the texts from ``start`` on with each other and with all earlier ones."""
        import numpy as np
        import torch

        rows = torch.from_numpy(np.ascontiguousarray(self._vectors[start : start + count]))
        for first in range(0, start + 1, count):
            others = torch.from_numpy(np.ascontiguousarray(self._vectors[first : first + count]))
            alike = (rows @ others.T).clamp_(-1, 1)
            if first == start:
                alike.fill_diagonal_(-1)
            self._keep_nearest(start, first, alike)
            mine, other = (alike >= self._threshold).nonzero(as_tuple=True)
            self._join(mine.numpy() + start, other.numpy() + first)

    def _keep_nearest(self, start: int, first: int, alike: Any) -> None:
        for at, (best, where), offset in ((start, alike.max(dim=1), first), (first, alike.max(dim=0), start)):
            place = slice(at, at + len(best))
            nearer = best.numpy() > self._best[place]
            self._like[place][nearer] = where.numpy()[nearer] + offset
            self._best[place][nearer] = best.numpy()[nearer]

    def _join(self, mine: Any, others: Any) -> None:
        import numpy as np

        a, b = self._roots(mine), self._roots(others)
        apart = a != b
        for first, second in np.unique(np.stack([a[apart], b[apart]], axis=1), axis=0).tolist():
            low, high = sorted((self._root(first), self._root(second)))
            self._parents[high] = low

    def _roots(self, numbers: Any) -> Any:
        import numpy as np

        found = self._parents[numbers]
        while not np.array_equal(above := self._parents[found], found):
            found = above
        return found

    def _root(self, number: int) -> int:
        while (above := int(self._parents[number])) != number:
            number = above
        return number

    def write(self, path: Path) -> dict[str, int]:
        """One line a group: ``[[text, similarity to the first, like, similarity to it], …]``; answers how many there are."""
        import numpy as np

        roots = self._roots(np.arange(len(self._parents)))
        found, sizes = np.unique(roots, return_counts=True)
        groups = found[sizes > 1][np.argsort(-sizes[sizes > 1], kind="stable")]
        members_of = np.argsort(roots, kind="stable")
        starts = np.searchsorted(roots[members_of], groups)
        ends = np.searchsorted(roots[members_of], groups, side="right")
        with path.open("w", encoding="utf-8") as file:
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                members = members_of[start:end]
                to_first = self._vectors[members] @ self._vectors[members[0]]
                row = zip(
                    members.tolist(),
                    to_first.tolist(),
                    self._like[members].tolist(),
                    self._best[members].tolist(),
                    strict=True,
                )
                file.write(json.dumps([[text, round(s, 4), like, round(b, 4)] for text, s, like, b in row]) + "\n")
        return {"groups": len(groups), "texts_in_groups": int(sizes[sizes > 1].sum())}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
