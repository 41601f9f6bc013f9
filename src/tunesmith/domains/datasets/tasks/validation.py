"""Examine one dataset; what was found goes to the store and the rows."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any

from pydantic import Field

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.doctor import CODES, LEARNING, QUALITY, Limits
from tunesmith.domains.datasets.evaluation_sets import as_sets, held_out_of
from tunesmith.domains.datasets.examination import LESSONS, OUTPUTS, Examination
from tunesmith.domains.datasets.pii.named import pii_finder
from tunesmith.domains.datasets.schemas.dataset import DatasetStatus
from tunesmith.domains.datasets.schemas.quality import QualityDetails
from tunesmith.domains.datasets.schemas.validation import (
    DatasetValidationRequest,
    DatasetValidationResponse,
    FindingsOfKind,
)
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.datasets.tables import DatasetRow, QualityLogRow
from tunesmith.domains.datasets.xray import XrayService
from tunesmith.domains.jobs import JobContext, JobKind, JobState, JobView
from tunesmith.kit.clock import utc_now
from tunesmith.settings import ScoreWeights

LOOK_EVERY_SECONDS = 0.2
_DUPLICATES = ("exact-duplicate", "near-duplicate", "contradictory-answers", "leaks-into-evaluation")


class ValidateSpec(DatasetValidationRequest):
    """A validation of one dataset."""

    dataset_id: int = Field(description="Dataset to examine.")


def kind(datasets: DatasetService, xray: XrayService) -> JobKind:
    """The kind of job that examines a dataset."""
    task = _Validation(datasets, xray)
    return JobKind("validate", ValidateSpec, DatasetValidationResponse, task.run, on_change=task.follow)


class _Validation:
    def __init__(self, datasets: DatasetService, xray: XrayService) -> None:
        self._datasets = datasets
        self._xray = xray

    async def follow(self, unit: Unit, job: JobView) -> None:
        """A validation that ends without an answer leaves the dataset as it was uploaded; a retry validates again."""
        row = await repository.find_dataset(unit.session, unit.principal, int(job.spec["dataset_id"]))
        if row is None or row.job_id != job.id or row.archived_at is not None:
            return
        if job.state in (JobState.FAILED, JobState.CANCELLED):
            row.status = DatasetStatus.UPLOADED.value
        elif job.state is JobState.RUNNING and row.status == DatasetStatus.UPLOADED.value:
            row.status = DatasetStatus.VALIDATING.value

    async def run(self, context: JobContext) -> DatasetValidationResponse:
        """Examine the file in a thread, put what was found into the store, and write it to the rows."""
        spec = context.spec
        assert isinstance(spec, ValidateSpec)
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
            learner = await self._xray.learner(unit, spec.model, spec.max_length) if spec.check_learning else None
            judges = await held_out_of(unit, row) if spec.check_duplicates else []
        limits = Limits(
            find_pii=await context.in_thread(pii_finder, self._datasets.limits),
            check_format=spec.check_format,
            check_duplicates=spec.check_duplicates,
            check_pii=spec.check_pii,
            similarity_threshold=spec.similarity_threshold,
            check_quality=spec.check_quality,
            learner=learner,
        )
        await self._make_plain(context, row)
        source = await self._datasets.source_of(row)
        work = Examination(source, limits, await as_sets(judges, self._datasets.source_of))
        await self._examine(context, work, context.folder, source.path.stat().st_size)
        stored = f"datasets/{row.id}/validation-{context.job.id}"
        for name in OUTPUTS:
            await self._datasets.storage.put_file(context.folder / name, f"{stored}/{name}")
            (context.folder / name).unlink()
        if learner is not None:
            await self._xray.keep(row, learner, context.folder / LESSONS)
        (context.folder / LESSONS).unlink()
        async with context.write() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
            answer = _answer(row, work, spec, self._datasets.limits.score_weights)
            if row.examination is not None and row.examination != stored:
                unit.after_commit(functools.partial(self._remove, row.examination))
            _keep(row, work, answer, stored)
            await repository.add_quality_log(unit.session, _log_of(row, answer))
        return answer

    async def _make_plain(self, context: JobContext, row: DatasetRow) -> None:
        """Make the plain copy of a file that needs one; ``row`` is told where it is."""
        copy = await self._datasets.plain_copy_of(row)
        if copy is None:
            return

        async def on_size(size_bytes: int) -> None:
            context.check()
            await context.progress(size_bytes >> 20, None, f"{size_bytes >> 20:,} MiB unpacked")

        stored = await copy.store(self._datasets.storage, on_size)
        async with context.write() as unit:
            kept = await self._datasets.get_row(unit, row.id)
            for known in (row, kept):
                known.plain_path = stored.key
                if copy.stopped is not None:
                    known.source = {**known.source, "unpacking_stopped": copy.stopped}

    async def _examine(self, context: JobContext, work: Examination, folder: Path, size_bytes: int) -> None:
        thread = asyncio.create_task(context.in_thread(work.run, folder))
        try:
            while not (await asyncio.wait((thread,), timeout=LOOK_EVERY_SECONDS))[0]:
                context.check()
                percent = min(99, 100 * work.tally.bytes_read // max(1, size_bytes))
                await context.progress(percent, 100, f"{work.tally.rows:,} rows examined")
        finally:
            work.stop.set()
            await asyncio.shield(asyncio.wait((thread,)))
        await thread

    async def _remove(self, folder: str) -> None:
        for name in OUTPUTS:
            await self._datasets.storage.delete(f"{folder}/{name}")


def _answer(row: DatasetRow, work: Examination, spec: ValidateSpec, weights: ScoreWeights) -> DatasetValidationResponse:
    counts, rows = work.tally.counts, work.tally.rows
    score = counts.score(rows, weights)
    is_red = counts.by_severity["red"] > 0
    pii = [code for code in CODES if code.startswith("pii-")]
    errors = [code.slug for code in CODES.values() if code.severity == "red" and code.slug not in LEARNING]
    return DatasetValidationResponse(
        dataset_id=row.id,
        status=DatasetStatus.INVALID if is_red else DatasetStatus.READY,
        quality_score=score / 100,
        passed=not is_red,
        weights=weights.model_dump(),
        pii=_of_kind(counts.by_code, pii, spec.check_pii),
        quality=_of_kind(counts.by_code, list(QUALITY), spec.check_quality),
        learning=_of_kind(counts.by_code, list(LEARNING), spec.check_learning),
        model=spec.model,
        max_length=spec.max_length,
        duplicates=_of_kind(counts.by_code, list(_DUPLICATES), spec.check_duplicates),
        format_errors=_of_kind(counts.by_code, errors, spec.check_format),
        validated_at=utc_now(),
        file=row.file_name,
        rows=rows,
        findings=work.first,
        counts=counts.document(),
        score=score,
    )


def _of_kind(by_code: dict[str, int], codes: list[str], checked: bool) -> FindingsOfKind:
    found = {code: by_code[code] for code in codes if by_code.get(code)}
    return FindingsOfKind(checked=checked, total=sum(found.values()), by_code=found)


def _keep(row: DatasetRow, work: Examination, answer: DatasetValidationResponse, stored: str) -> None:
    if row.archived_at is None:
        row.status = answer.status.value
    row.total_samples = answer.rows
    row.quality_score = answer.quality_score
    row.findings_counts = answer.counts.model_dump(mode="json")
    row.avg_instruction_length = work.tally.mean(work.tally.asked_characters)
    row.avg_output_length = work.tally.mean(work.tally.answered_characters)
    row.examination = stored
    row.validated_at = answer.validated_at


def _log_of(row: DatasetRow, answer: DatasetValidationResponse) -> QualityLogRow:
    def plain(kind: FindingsOfKind) -> dict[str, Any]:
        return kind.model_dump(mode="json")

    return QualityLogRow(
        project_id=row.project_id,
        created_by=row.created_by,
        dataset_id=row.id,
        quality_score=answer.quality_score,
        pii=plain(answer.pii),
        duplicates=plain(answer.duplicates),
        format_errors=plain(answer.format_errors),
        details=QualityDetails.model_validate(answer, from_attributes=True).model_dump(mode="json"),
    )
