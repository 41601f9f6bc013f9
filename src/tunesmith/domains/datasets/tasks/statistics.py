"""Compute the statistics of one version, and keep them for everybody who has the same content."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.outputs.service import OutputService, statistics_of
from tunesmith.domains.datasets.outputs.statistics import StatisticsPass
from tunesmith.domains.datasets.schemas.outputs import DatasetStatisticsResponse
from tunesmith.domains.datasets.tasks.passes import run_pass
from tunesmith.domains.jobs import JobContext, JobKind


class StatisticsSpec(BaseModel):
    """Statistics of one dataset."""

    dataset_id: int = Field(description="Dataset to look at.")
    count_tokens: bool = Field(False, description="Count tokens, too.")
    model: str = Field("tunesmith/tiny", description="Model whose tokenizer counts.")


def kind(outputs: OutputService) -> JobKind:
    """The kind of job that computes statistics."""
    return JobKind("dataset-statistics", StatisticsSpec, DatasetStatisticsResponse, _Statistics(outputs).run)


class _Statistics:
    def __init__(self, outputs: OutputService) -> None:
        self._outputs = outputs

    async def run(self, context: JobContext) -> DatasetStatisticsResponse:
        """One pass in a thread."""
        spec = context.spec
        assert isinstance(spec, StatisticsSpec)
        datasets = self._outputs.datasets
        async with context.read() as unit:
            row = await datasets.get_row(unit, spec.dataset_id)
            name, tokenizer = await self._outputs.statistics_name(unit, spec.model if spec.count_tokens else None)
        work = StatisticsPass(await datasets.source_of(row), tokenizer)
        statistics = await run_pass(context, work, work.run, work.source.path.stat().st_size)
        path = context.folder / "statistics.json"
        await context.in_thread(path.write_text, statistics.model_dump_json(), "utf-8")
        await self._outputs.results.keep(row, name, path)
        path.unlink()
        return statistics_of(row, statistics)
