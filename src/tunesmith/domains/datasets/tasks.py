"""What the worker does with datasets: examine one, split one. Both may run twice after a kill and then make nothing twice."""

from __future__ import annotations

import asyncio
import functools
import shutil
from pathlib import Path
from typing import Any

from pydantic import Field

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.doctor import CODES, Limits
from tunesmith.domains.datasets.doctor.findings import WEIGHTS
from tunesmith.domains.datasets.examination import OUTPUTS, Examination
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import FileKind
from tunesmith.domains.datasets.schemas import (
    DatasetCreate,
    DatasetPart,
    DatasetSplitRequest,
    DatasetSplitResponse,
    DatasetStatus,
    DatasetValidationRequest,
    DatasetValidationResponse,
    FindingsOfKind,
)
from tunesmith.domains.datasets.service import DatasetService, next_version
from tunesmith.domains.datasets.splitting import PartFile, split_file
from tunesmith.domains.datasets.tables import DatasetRow, QualityLogRow
from tunesmith.domains.jobs import JobContext, JobKind, JobState, JobView
from tunesmith.kit.clock import utc_now

LOOK_EVERY_SECONDS = 0.2
_DUPLICATES = ("exact-duplicate", "contradictory-answers")


class ValidateSpec(DatasetValidationRequest):
    """A validation of one dataset."""

    dataset_id: int = Field(description="Dataset to examine.")


class SplitSpec(DatasetSplitRequest):
    """A split of one dataset."""

    dataset_id: int = Field(description="Dataset to split.")


def kinds(datasets: DatasetService) -> list[JobKind]:
    """The kinds of jobs that this slice declares."""
    tasks = _Tasks(datasets)
    return [
        JobKind("validate", ValidateSpec, DatasetValidationResponse, tasks.validate, on_change=tasks.follow_validation),
        JobKind("split", SplitSpec, DatasetSplitResponse, tasks.split),
    ]


class _Tasks:
    def __init__(self, datasets: DatasetService) -> None:
        self._datasets = datasets

    async def follow_validation(self, unit: Unit, job: JobView) -> None:
        """A validation that ends without an answer leaves the dataset as it was uploaded; a retry validates again."""
        row = await repository.find_dataset(unit.session, unit.principal, int(job.spec["dataset_id"]))
        if row is None or row.job_id != job.id:
            return
        if job.state in (JobState.FAILED, JobState.CANCELLED):
            row.status = DatasetStatus.UPLOADED.value
        elif job.state is JobState.RUNNING and row.status == DatasetStatus.UPLOADED.value:
            row.status = DatasetStatus.VALIDATING.value

    async def validate(self, context: JobContext) -> DatasetValidationResponse:
        """Examine the file in a thread, put what was found into the store, and write it to the rows."""
        spec = context.spec
        assert isinstance(spec, ValidateSpec)
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
        limits = Limits(
            check_format=spec.check_format, check_duplicates=spec.check_duplicates, check_pii=spec.check_pii
        )
        path = await self._datasets.files.path_of(row.file_path)
        max_row_bytes = self._datasets.limits.max_row_bytes
        work = Examination(path, FileKind(row.file_kind), DataFormat(row.format), limits, max_row_bytes)
        await self._examine(context, work, context.folder, row.size_bytes)
        stored = f"datasets/{row.id}/validation-{context.job.id}"
        for name in OUTPUTS:
            await self._datasets.storage.put_file(context.folder / name, f"{stored}/{name}")
            (context.folder / name).unlink()
        async with context.write() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
            answer = _answer(row, work, spec)
            if row.examination is not None and row.examination != stored:
                unit.after_commit(functools.partial(self._remove, row.examination))
            _keep(row, work, answer, stored)
            await repository.add_quality_log(unit.session, _log_of(row, answer))
        return answer

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

    async def split(self, context: JobContext) -> DatasetSplitResponse:
        """Write the parts and keep each as a dataset of its own."""
        spec = context.spec
        assert isinstance(spec, SplitSpec)
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
        folder = context.folder / "parts"
        parts, groups = await context.in_thread(
            split_file,
            await self._datasets.files.path_of(row.file_path),
            FileKind(row.file_kind),
            DataFormat(row.format),
            folder,
            shares={"train": spec.train, "validation": spec.validation, "test": spec.test},
            seed=spec.seed,
            max_row_bytes=self._datasets.limits.max_row_bytes,
        )
        stored = [await self._datasets.storage.put_file(part.path) for part in parts]
        made: list[DatasetPart] = []
        async with context.write() as unit:
            earlier = {
                old.source["part"]: old
                for old in await repository.list_of_job(unit.session, unit.principal, context.job.id)
            }
            version = await self._free_version(unit, row, parts)
            for part, file in zip(parts, stored, strict=True):
                new = earlier.get(part.part)
                name = _part_name(row, part)
                if new is None:
                    source = {
                        "kind": "split",
                        "job_id": context.job.id,
                        "part": part.part,
                        "seed": spec.seed,
                        "groups": groups,
                    }
                    body = DatasetCreate(name=name, version=version, format=DataFormat(row.format))
                    answer = await self._datasets.create(
                        unit, body, file, file_name=f"{part.part}.jsonl", fmt=DataFormat(row.format), has_bom=False,
                        source=source, parent_id=row.id,
                    )  # fmt: skip
                    new = await self._datasets.get_row(unit, answer.id)
                made.append(
                    DatasetPart(
                        part=part.part,
                        dataset_id=new.id,
                        name=new.name,
                        version=new.version,
                        rows=part.rows,
                        sha256=new.sha256,
                    )
                )
        shutil.rmtree(folder, ignore_errors=True)
        return DatasetSplitResponse(dataset_id=row.id, seed=spec.seed, groups=groups, parts=made)

    async def _free_version(self, unit: Unit, row: DatasetRow, parts: list[PartFile]) -> str:
        """One version for all parts: the parent's, or the next that none of them has."""
        taken: set[str] = set()
        for part in parts:
            taken |= await repository.list_versions(unit.session, unit.principal, _part_name(row, part))
        return next_version(row.version, taken) if row.version in taken else row.version


def _part_name(row: DatasetRow, part: PartFile) -> str:
    return f"{row.name[: 199 - len(part.part)]}-{part.part}"


def _answer(row: DatasetRow, work: Examination, spec: ValidateSpec) -> DatasetValidationResponse:
    counts, rows = work.tally.counts, work.tally.rows
    score = counts.score(rows)
    is_red = counts.by_severity["red"] > 0
    pii = [code for code in CODES if code.startswith("pii-")]
    errors = [code.slug for code in CODES.values() if code.severity == "red"]
    return DatasetValidationResponse(
        dataset_id=row.id,
        status=DatasetStatus.INVALID if is_red else DatasetStatus.READY,
        quality_score=score / 100,
        passed=not is_red,
        weights={severity.value: weight for severity, weight in WEIGHTS.items()},
        pii=_of_kind(counts.by_code, pii, spec.check_pii),
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
    )
