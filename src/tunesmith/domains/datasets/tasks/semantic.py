"""Write what is said in each row, have a child compare the meanings, and show what it connected."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pydantic import Field

from tunesmith.domains.datasets.doctor import Limits, examine
from tunesmith.domains.datasets.doctor.examine import Tally
from tunesmith.domains.datasets.doctor.near_rows import EXCERPT_CHARACTERS, conversation
from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.schemas.duplicates import DuplicateMember
from tunesmith.domains.datasets.schemas.semantic import (
    SemanticCluster,
    SemanticDuplicatesRequest,
    SemanticDuplicatesResponse,
)
from tunesmith.domains.datasets.semantic import KIND, SemanticService
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.tasks.watching import Watch, run_watched
from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.wire.spec import EmbedSpec

CHILD = "tunesmith.ml.embed"
Group = list[tuple[int, float, int, float]]
"""(text, cosine with the first, the text nearest to it, cosine with that) of each text, in order."""


class SemanticSpec(SemanticDuplicatesRequest):
    """A comparison of the rows of one dataset."""

    dataset_id: int = Field(description="Dataset to look through.")


def kind(semantic: SemanticService) -> JobKind:
    """The kind of job that looks for rows that mean the same."""
    return JobKind(KIND, SemanticSpec, SemanticDuplicatesResponse, _Semantic(semantic).run)


@dataclass
class Texts:
    """Where each text that was written came from."""

    path: Path
    rows: array[int] = field(default_factory=lambda: array("Q"))
    lines: array[int] = field(default_factory=lambda: array("Q"))
    begins: array[int] = field(default_factory=lambda: array("Q"))
    skipped: int = 0

    def write(self, source: RowSource, watch: Watch) -> Texts:
        """One JSON string a line for every row that can be read; raises when the job has ended."""
        tally = Tally()
        with source.open() as data, self.path.open("wb") as file:
            for examined in examine(data, source.format, Limits(check_pii=False, check_duplicates=False), tally):
                watch.check()
                if examined.checked is None:
                    continue
                self.begins.append(file.tell())
                self.rows.append(examined.record.row)
                self.lines.append((examined.record.line or 0) if source.has_lines else 0)
                file.write(json.dumps(conversation(examined.checked.turns)).encode() + b"\n")
        self.skipped = tally.rows - len(self.rows)
        return self

    def cluster(self, group: Group, max_members: int) -> SemanticCluster:
        """A group for people to look at, personal data masked."""
        first, *others = [self._member(*entry) for entry in group[: 1 + max_members]]
        return SemanticCluster(size=len(group), representative=first, members=others)

    def _member(self, text: int, similarity: float, like: int, like_similarity: float) -> DuplicateMember:
        with self.path.open("rb") as file:
            file.seek(self.begins[text])
            said = json.loads(file.readline())
        return DuplicateMember(
            row=self.rows[text],
            line=self.lines[text] or None,
            similarity=similarity,
            like_row=self.rows[like],
            like_similarity=like_similarity,
            excerpt=shown(said[: 2 * EXCERPT_CHARACTERS], EXCERPT_CHARACTERS),
        )


class _Semantic:
    def __init__(self, semantic: SemanticService) -> None:
        self._semantic = semantic

    async def run(self, context: JobContext) -> SemanticDuplicatesResponse:
        """Write, compare, show. A second run compares again; nothing but the answer is kept."""
        spec = context.spec
        assert isinstance(spec, SemanticSpec)
        async with context.read() as unit:
            row = await self._semantic.datasets.get_row(unit, spec.dataset_id)
            model = await self._semantic.model(unit, spec.model)
        source = await self._semantic.datasets.source_of(row)
        texts = Texts(context.folder / "texts.jsonl")
        await run_watched(context, lambda watch: texts.write(source, watch), source.path.stat().st_size)
        finished = await context.run_child(
            CHILD,
            EmbedSpec(
                job_id=context.job.id,
                model_path=str(model.base_path),
                texts_file=str(texts.path),
                texts=len(texts.rows),
                threshold=spec.similarity_threshold,
                max_tokens=spec.max_tokens,
            ),
        )
        assert context.run is not None
        groups = context.run.artifacts / "groups.jsonl"
        clusters = await context.in_thread(_clusters, groups, texts, spec)
        found = finished.result
        return SemanticDuplicatesResponse(
            dataset_id=spec.dataset_id,
            model=spec.model,
            similarity_threshold=spec.similarity_threshold,
            rows=found["texts"],
            rows_skipped=texts.skipped,
            rows_cut=found["cut"],
            rows_in_clusters=found["texts_in_groups"],
            clusters_total=found["groups"],
            clusters=clusters,
        )


def _clusters(path: Path, texts: Texts, spec: SemanticSpec) -> list[SemanticCluster]:
    with path.open(encoding="utf-8") as file:
        return [texts.cluster(json.loads(line), spec.max_members) for line in islice(file, spec.max_clusters)]
