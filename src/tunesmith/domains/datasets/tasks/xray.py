"""Count what a model learns from the rows of one dataset, and answer the page that was asked for."""

from __future__ import annotations

from pydantic import Field

from tunesmith.domains.datasets.schemas.xray import DatasetXrayRequest, DatasetXrayResponse
from tunesmith.domains.datasets.tasks.watching import run_watched
from tunesmith.domains.datasets.xray import KIND, XrayService, count
from tunesmith.domains.jobs import JobContext, JobKind


class XraySpec(DatasetXrayRequest):
    """An X-ray of one dataset."""

    dataset_id: int = Field(description="Dataset to look at.")


def kind(xray: XrayService) -> JobKind:
    """The kind of job that counts."""
    return JobKind(KIND, XraySpec, DatasetXrayResponse, _Xray(xray).run)


class _Xray:
    def __init__(self, xray: XrayService) -> None:
        self._xray = xray

    async def run(self, context: JobContext) -> DatasetXrayResponse:
        """Count in a thread, unless somebody has; what was counted goes to the store."""
        spec = context.spec
        assert isinstance(spec, XraySpec)
        async with context.read() as unit:
            row = await self._xray.datasets.get_row(unit, spec.dataset_id)
            learner = await self._xray.learner(unit, spec.model, spec.max_length)
        if not await self._xray.has_counted(row, learner):
            source, target = await self._xray.datasets.source_of(row), context.folder / "lessons"
            size_bytes = source.path.stat().st_size
            await run_watched(context, lambda watch: count(source, learner, watch.look, target), size_bytes)
            await self._xray.keep(row, learner, target)
            target.unlink()
        return await self._xray.page(row, learner, spec)
