"""Compare a dataset with those that it is judged by."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pydantic import Field

from tunesmith.domains.datasets.duplicates import ShouldStop
from tunesmith.domains.datasets.evaluation_sets import as_sets
from tunesmith.domains.datasets.leakage import EvaluationSet, Leak, LeakCheck, LeakKind, Overlap
from tunesmith.domains.datasets.schemas.leakage import (
    DatasetLeakageRequest,
    DatasetLeakageResponse,
    LeakageAgainst,
    LeakCounts,
    LeakedPair,
)
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.source import RowSource
from tunesmith.domains.datasets.tasks.stopping import stopper
from tunesmith.domains.jobs import JobContext, JobKind


class LeakageSpec(DatasetLeakageRequest):
    """A comparison of one dataset with others."""

    dataset_id: int = Field(description="Dataset that is trained on.")


def kind(datasets: DatasetService) -> JobKind:
    """The kind of job that looks for leaks."""
    return JobKind("leakage", LeakageSpec, DatasetLeakageResponse, _Leakage(datasets).run)


class _Leakage:
    def __init__(self, datasets: DatasetService) -> None:
        self._datasets = datasets

    async def run(self, context: JobContext) -> DatasetLeakageResponse:
        """Read all of them in a thread, and compare."""
        spec = context.spec
        assert isinstance(spec, LeakageSpec)
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
            judges = [await self._datasets.get_row(unit, other) for other in spec.against]
        source = await self._datasets.source_of(row)
        sets = await as_sets(judges, self._datasets.source_of)
        return await context.in_thread(_compare, source, sets, context.folder, spec, stopper(context))


def _compare(
    source: RowSource, sets: list[EvaluationSet], folder: Path, spec: LeakageSpec, should_stop: ShouldStop
) -> DatasetLeakageResponse:
    with LeakCheck(folder) as check:
        skipped = check.read(source, should_stop, is_evaluation=False)
        for judge in sets:
            check.read(judge.source, should_stop, is_evaluation=True)
        check.compare(spec.threshold, should_stop)
        leaks = check.leaks(of_evaluation=True)
        return DatasetLeakageResponse(
            dataset_id=spec.dataset_id,
            threshold=spec.threshold,
            rows_leaking=check.rows_of_training(),
            rows_skipped=skipped,
            is_exact=check.is_exact,
            against=[_against(judge, overlap) for judge, overlap in zip(sets, check.overlaps, strict=True)],
            pairs_total=sum(
                sum(counts.values()) for overlap in check.overlaps for counts in (overlap.exact, overlap.near)
            ),
            pairs=[_pair(leak, sets) for leak in islice(leaks, spec.max_pairs)],
        )


def _against(judge: EvaluationSet, overlap: Overlap) -> LeakageAgainst:
    return LeakageAgainst(
        dataset_id=judge.dataset_id,
        name=judge.title,
        rows=overlap.rows,
        rows_skipped=overlap.rows_skipped,
        rows_leaked=len(overlap.leaked),
        prompt=_counts(overlap, LeakKind.PROMPT),
        answer=_counts(overlap, LeakKind.ANSWER),
        conversation=_counts(overlap, LeakKind.CONVERSATION),
    )


def _counts(overlap: Overlap, kind: LeakKind) -> LeakCounts:
    return LeakCounts(exact=overlap.exact[kind], near=overlap.near[kind])


def _pair(leak: Leak, sets: list[EvaluationSet]) -> LeakedPair:
    return LeakedPair(
        kind=leak.kind,
        row=leak.trained.row,
        line=leak.trained.line,
        evaluation_dataset_id=sets[leak.evaluation.dataset - 1].dataset_id,
        evaluation_row=leak.evaluation.row,
        evaluation_line=leak.evaluation.line,
        similarity=round(leak.similarity, 4),
    )
