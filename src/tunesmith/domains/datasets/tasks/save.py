"""Save one version in a form, to a path of this machine or to be downloaded."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from pydantic import Field

from tunesmith.domains.datasets.outputs.saving import write_target
from tunesmith.domains.datasets.outputs.service import Download, OutputService
from tunesmith.domains.datasets.schemas.outputs import DownloadFormat
from tunesmith.domains.datasets.schemas.saving import DatasetSaveRequest, DatasetSaveResponse
from tunesmith.domains.datasets.tasks.pack import write_packed
from tunesmith.domains.jobs import JobContext, JobKind

DOWNLOAD = "/api/v1/admin/training/datasets/{id}/download"


class SaveSpec(DatasetSaveRequest):
    """A dataset to be saved."""

    dataset_id: int = Field(description="Dataset to save.")


def kind(outputs: OutputService) -> JobKind:
    """The kind of job that saves a dataset."""
    return JobKind("save-dataset", SaveSpec, DatasetSaveResponse, _Save(outputs).run)


class _Save:
    def __init__(self, outputs: OutputService) -> None:
        self._outputs = outputs

    async def run(self, context: JobContext) -> DatasetSaveResponse:
        """Write the form unless it is there, then copy it to its path."""
        spec = context.spec
        assert isinstance(spec, SaveSpec)
        fmt = DownloadFormat(spec.format.value)
        async with context.read() as unit:
            row = await self._outputs.datasets.get_row(unit, spec.dataset_id)
            rows = row.total_samples
        found = await self._find(context, spec, fmt)
        if found is None:
            await write_packed(context, self._outputs, spec.dataset_id, fmt)
            found = await self._find(context, spec, fmt)
        assert found is not None, "it has just been written"
        if spec.path is not None:
            packed = await self._outputs.datasets.files.path_of(found.key)
            await context.in_thread(write_target, packed, Path(spec.path), spec)
        return DatasetSaveResponse(
            dataset_id=spec.dataset_id,
            format=spec.format,
            path=spec.path,
            download=f"{DOWNLOAD.format(id=spec.dataset_id)}?{urlencode({'format': fmt.value})}",
            file_name=found.file_name,
            rows=rows,
            size_bytes=found.size_bytes,
        )

    async def _find(self, context: JobContext, spec: SaveSpec, fmt: DownloadFormat) -> Download | None:
        async with context.read() as unit:
            return await self._outputs.find_download(unit, spec.dataset_id, fmt)
