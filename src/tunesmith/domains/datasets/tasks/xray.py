"""Count what a model learns from the rows of one dataset."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.doctor.learning import DEFAULT_MAX_LENGTH
from tunesmith.domains.datasets.lessons_file import LessonCounts, read_counts
from tunesmith.domains.datasets.tasks.watching import run_watched
from tunesmith.domains.datasets.xray import KIND, XrayService, count
from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.domains.models import BUNDLED


class XraySpec(BaseModel):
    """An X-ray of one dataset."""

    dataset_id: int = Field(description="Dataset to look at.")
    model: str = Field(BUNDLED, description="Whose tokenizer and chat template.")
    max_length: int = Field(DEFAULT_MAX_LENGTH, description="Tokens of a row that are read.")


def kind(xray: XrayService) -> JobKind:
    """The kind of job that counts."""
    return JobKind(KIND, XraySpec, LessonCounts, _Xray(xray).run)


class _Xray:
    def __init__(self, xray: XrayService) -> None:
        self._xray = xray

    async def run(self, context: JobContext) -> LessonCounts:
        """Count in a thread; what was counted goes to the store."""
        spec = context.spec
        assert isinstance(spec, XraySpec)
        datasets = self._xray.datasets
        async with context.read() as unit:
            row = await datasets.get_row(unit, spec.dataset_id)
            learner = await self._xray.learner(unit, spec.model, spec.max_length)
        source = await datasets.source_of(row)
        target = context.folder / "lessons"
        size_bytes = source.path.stat().st_size
        await run_watched(context, lambda watch: count(source, learner, watch.look, target), size_bytes)
        await self._xray.keep(row, learner, target)
        counts = read_counts(target)
        target.unlink()
        return counts
