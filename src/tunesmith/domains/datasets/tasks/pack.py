"""Write one version in another form, to be downloaded."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.outputs.hub_folder import write_hub_folder
from tunesmith.domains.datasets.outputs.service import OutputService
from tunesmith.domains.datasets.outputs.tables import TableWriter
from tunesmith.domains.datasets.schemas.outputs import DownloadFormat, PackedDataset
from tunesmith.domains.datasets.tables import DatasetRow
from tunesmith.domains.datasets.tasks.passes import run_pass
from tunesmith.domains.jobs import JobContext, JobKind


class PackSpec(BaseModel):
    """A dataset in another form."""

    dataset_id: int = Field(description="Dataset to write.")
    format: DownloadFormat = Field(description="What to write it as.")


def kind(outputs: OutputService) -> JobKind:
    """The kind of job that writes a dataset in another form."""
    return JobKind("pack-dataset", PackSpec, PackedDataset, _Pack(outputs).run)


class _Pack:
    def __init__(self, outputs: OutputService) -> None:
        self._outputs = outputs

    async def run(self, context: JobContext) -> PackedDataset:
        """Write the file and keep it beside the other results of this content."""
        spec = context.spec
        assert isinstance(spec, PackSpec)
        return await write_packed(context, self._outputs, spec.dataset_id, spec.format)


async def write_packed(
    context: JobContext, outputs: OutputService, dataset_id: int, fmt: DownloadFormat
) -> PackedDataset:
    """Write a dataset in another form, in a thread of this job, and keep it."""
    datasets = outputs.datasets
    async with context.read() as unit:
        row = await datasets.get_row(unit, dataset_id)
    work = TableWriter(await datasets.source_of(row))
    folder = context.folder / "packed"
    folder.mkdir(exist_ok=True)
    try:
        write = functools.partial(_write, work, folder, fmt, row)
        rows = await run_pass(context, work, write, work.source.path.stat().st_size)
        stored = await datasets.storage.put_file(folder / "packed", outputs.packed_key(row, fmt))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return PackedDataset(dataset_id=row.id, format=fmt, file_path=stored.key, size_bytes=stored.size_bytes, rows=rows)


def _write(work: TableWriter, folder: Path, fmt: DownloadFormat, row: DatasetRow) -> int:
    target = folder / "packed"
    if fmt is DownloadFormat.HF:
        rows = work.write_parquet(folder / "rows.parquet")
        write_hub_folder(target, folder / "rows.parquet", row, rows)
        return rows
    writers = {
        DownloadFormat.JSONL: work.write_jsonl,
        DownloadFormat.CSV: work.write_csv,
        DownloadFormat.PARQUET: work.write_parquet,
    }
    return writers[fmt](target)
