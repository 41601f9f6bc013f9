"""Split one dataset into parts, each a dataset of its own."""

from __future__ import annotations

import shutil

from pydantic import Field

from tunesmith.db import Unit
from tunesmith.domains.datasets import repository
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.schemas.dataset import DatasetCreate
from tunesmith.domains.datasets.schemas.split import DatasetPart, DatasetSplitRequest, DatasetSplitResponse
from tunesmith.domains.datasets.service import DatasetService, next_version
from tunesmith.domains.datasets.splitting import PartFile, split_file
from tunesmith.domains.datasets.tables import DatasetRow
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
        parts, groups = await context.in_thread(
            split_file,
            await self._datasets.source_of(row),
            folder,
            shares={"train": spec.train, "validation": spec.validation, "test": spec.test},
            seed=spec.seed,
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
