"""Prepare a file for training elsewhere."""

from __future__ import annotations

import functools
import shutil

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.outputs.preprocessing import Preparation, mapped
from tunesmith.domains.datasets.outputs.service import OutputService
from tunesmith.domains.datasets.schemas.outputs import DatasetPreprocessResponse, PreprocessFormat
from tunesmith.domains.datasets.tasks.passes import run_pass
from tunesmith.domains.jobs import JobContext, JobKind


class PreprocessSpec(BaseModel):
    """A preparation of one dataset."""

    dataset_id: int = Field(description="Dataset to prepare.")
    output_format: PreprocessFormat = Field(description="Format of the file.")
    validate_rows: bool = Field(True, description="Whether rows have to be fit for training.")
    column_mapping: dict[str, str] | None = Field(None, description="Column of the file → field.")
    skip_invalid: bool = Field(False, description="Leave rows out that cannot be prepared.")


def kind(outputs: OutputService) -> JobKind:
    """The kind of job that prepares a file."""
    return JobKind("preprocess", PreprocessSpec, DatasetPreprocessResponse, _Preprocess(outputs).run)


class _Preprocess:
    def __init__(self, outputs: OutputService) -> None:
        self._outputs = outputs

    async def run(self, context: JobContext) -> DatasetPreprocessResponse:
        """Write the rows, keep the file; run again it keeps the same."""
        spec = context.spec
        assert isinstance(spec, PreprocessSpec)
        datasets = self._outputs.datasets
        async with context.read() as unit:
            row = await datasets.get_row(unit, spec.dataset_id)
        source = await datasets.source_of(row)
        source = await context.in_thread(mapped, source, spec.column_mapping)
        work = Preparation(source, spec.output_format, spec.validate_rows, spec.skip_invalid)
        folder = context.folder / "prepared"
        try:
            size_bytes = source.path.stat().st_size
            await run_pass(context, work, functools.partial(work.run, folder / "rows.jsonl"), size_bytes)
            stored = await datasets.storage.put_file(folder / "rows.jsonl")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        statistics = work.statistics()
        async with context.write() as unit:
            await self._outputs.keep_prepared(unit, row.id, stored, statistics)
        left = f"; {work.skipped:,} were left out" if work.skipped else ""
        return DatasetPreprocessResponse(
            message=f"{statistics.total_samples:,} rows were prepared as {spec.output_format.value}{left}.",
            dataset_id=row.id,
            output_format=spec.output_format,
            output_path=stored.key,
            statistics=statistics,
            skipped_rows=work.skipped,
            validation_errors=work.faults,
        )
