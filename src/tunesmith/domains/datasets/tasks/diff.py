"""Compare two versions whose rows have no digests yet, and keep those."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.schemas.versions import DatasetDiffResponse, DifferenceKind
from tunesmith.domains.datasets.tasks.passes import run_pass
from tunesmith.domains.datasets.versions.comparison import Comparison
from tunesmith.domains.datasets.versions.digests import DIGESTS
from tunesmith.domains.datasets.versions.preparing import comparison_of
from tunesmith.domains.datasets.versions.service import VersionService
from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.kit.paging import PageRequest


class DiffSpec(BaseModel):
    """A comparison of two versions, and the page of it that is answered."""

    dataset_id: int = Field(description="The first version.")
    other_id: int = Field(description="The other version.")
    kinds: list[DifferenceKind] = Field(default_factory=list, description="Only these differences; all when empty.")
    page: int = Field(1, ge=1, description="Page number, from 1.")
    page_size: int = Field(50, ge=1, le=200, description="Rows per page.")


def kind(versions: VersionService) -> JobKind:
    """The kind of job that compares two versions."""
    return JobKind("diff", DiffSpec, DatasetDiffResponse, _Diff(versions).run)


class _Diff:
    def __init__(self, versions: VersionService) -> None:
        self._versions = versions

    async def run(self, context: JobContext) -> DatasetDiffResponse:
        """Make the digests that are missing, keep them, compare."""
        spec = context.spec
        assert isinstance(spec, DiffSpec)
        async with context.read() as unit:
            work = await comparison_of(self._versions, unit, spec.dataset_id, spec.other_id)
        folder = context.folder / "digests"
        try:
            return await self._compare(context, work, folder, spec.kinds, PageRequest(spec.page, spec.page_size))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _compare(
        self, context: JobContext, work: Comparison, folder: Path, kinds: Collection[str], page: PageRequest
    ) -> DatasetDiffResponse:
        size_bytes = max(side.source.path.stat().st_size for side in (work.before, work.after))
        made = await run_pass(context, work, functools.partial(work.make_digests, folder), size_bytes)
        async with context.read() as unit:
            rows = [await self._versions.datasets.get_row(unit, side.reference.id) for side, _ in made]
        for row, (_, path) in zip(rows, made, strict=True):
            await self._versions.results.keep(row, DIGESTS, path)
        return await context.in_thread(work.answer, kinds, page)
