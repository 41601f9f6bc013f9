"""Split one dataset into parts, each a dataset of its own."""

from __future__ import annotations

import dataclasses
import shutil

from pydantic import Field

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.schemas.dataset import DatasetCreate
from tunesmith.domains.datasets.schemas.split import (
    DatasetPart,
    DatasetSplitRequest,
    DatasetSplitResponse,
    KeptTogether,
    SplitStratum,
)
from tunesmith.domains.datasets.service import DatasetService, next_version
from tunesmith.domains.datasets.splitting import PartFile, SplitRules, split_file
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.datasets.tasks.stopping import stopper
from tunesmith.domains.jobs import JobContext, JobKind


class SplitSpec(DatasetSplitRequest):
    """A split of one dataset."""

    dataset_id: int = Field(description="Dataset to split.")


def kind(datasets: DatasetService) -> JobKind:
    """The kind of job that splits a dataset."""
    return JobKind("split", SplitSpec, DatasetSplitResponse, _Split(datasets).run)


class _Split:
    def __init__(self, datasets: DatasetService) -> None:
        self._datasets = datasets

    async def run(self, context: JobContext) -> DatasetSplitResponse:
        """Write the parts and keep each as a dataset of its own."""
        spec = context.spec
        assert isinstance(spec, SplitSpec)
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
        folder = context.folder / "parts"
        rows = await self._datasets.source_of(row)
        rules = SplitRules(
            shares={"train": spec.train, "validation": spec.validation, "test": spec.test},
            seed=spec.seed,
            similarity_threshold=spec.similarity_threshold if spec.near_duplicates else None,
            stratify_by=rows.field_of(spec.stratify_by) if spec.stratify_by else spec.stratify_by,
            group_by=rows.field_of(spec.group_by) if spec.group_by else spec.group_by,
        )
        split = await context.in_thread(split_file, rows, folder, rules, stopper(context))
        parts = split.parts
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
                        "groups": split.units,
                        **dataclasses.asdict(rules),
                    }
                    body = DatasetCreate(name=name, version=version, format=DataFormat(row.format))
                    answer = await self._datasets.create(
                        unit, body, file, file_name=f"{part.part}.jsonl", fmt=DataFormat(row.format),
                        source=source, parent_id=row.id,
                    )  # fmt: skip
                    new = await self._datasets.get_row(unit, answer.id)
                made.append(_part_answer(new, part, sum(other.rows for other in parts)))
        shutil.rmtree(folder, ignore_errors=True)
        return DatasetSplitResponse(
            dataset_id=row.id,
            seed=spec.seed,
            groups=split.units,
            largest_group_rows=split.largest_unit_rows,
            kept_together=KeptTogether.model_validate(split.kept_together),
            is_exact=split.is_exact,
            parts=made,
            strata=[SplitStratum.model_validate(dataclasses.asdict(stratum)) for stratum in split.strata],
        )

    async def _free_version(self, unit: Unit, row: DatasetRow, parts: list[PartFile]) -> str:
        """One version for all parts: the parent's, or the next that none of them has."""
        taken: set[str] = set()
        for part in parts:
            taken |= await repository.list_versions(unit.session, unit.principal, _part_name(row, part))
        return next_version(row.version, taken) if row.version in taken else row.version


def _part_answer(new: DatasetRow, part: PartFile, all_rows: int) -> DatasetPart:
    return DatasetPart(
        part=part.part,
        dataset_id=new.id,
        name=new.name,
        version=new.version,
        rows=part.rows,
        share=round(part.rows / all_rows, 4),
        sha256=new.sha256,
    )


def _part_name(row: DatasetRow, part: PartFile) -> str:
    return f"{row.name[: 199 - len(part.part)]}-{part.part}"
