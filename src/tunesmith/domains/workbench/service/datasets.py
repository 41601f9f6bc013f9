"""The current dataset of one person: what was uploaded, or the newest version that was made of it here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets import (
    CleanRequest,
    DataFormat,
    DatasetPreviewResponse,
    DatasetResponse,
    DatasetSaveRequest,
    DatasetService,
    DatasetSplitRequest,
    DatasetStatus,
    DerivationService,
    ExplorationService,
    Intake,
    OutputService,
    TokenAnalysis,
    TokenAnalysisRequest,
    UploadService,
)
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.workbench import repository
from tunesmith.domains.workbench.errors import DatasetBusy, NoCurrentDataset
from tunesmith.domains.workbench.schemas.dataset import DatasetHealth, DatasetInfo
from tunesmith.settings import Settings


@dataclass(frozen=True)
class Current:
    """The current dataset, the upload that it came from, and a job that makes its next version."""

    dataset: DatasetResponse
    uploaded_id: int
    job: JobView | None = None


class DatasetBench:
    """The current dataset: its id is kept in the database; everything else is the datasets' own business."""

    def __init__(
        self,
        *,
        settings: Settings,
        datasets: DatasetService,
        explorations: ExplorationService,
        derivations: DerivationService,
        outputs: OutputService,
        uploads: UploadService,
        jobs: JobService,
    ) -> None:
        self.datasets = datasets
        self.explorations = explorations
        self._settings = settings
        self._derivations = derivations
        self._outputs = outputs
        self._uploads = uploads
        self._jobs = jobs

    async def upload(
        self,
        access: Access,
        content_type: str,
        content_length: int | None,
        body: AsyncIterator[bytes],
        wait_seconds: float,
    ) -> DatasetInfo:
        """Make an uploaded file the current dataset; waits for its validation, which goes on if it takes longer."""
        intake = Intake(self.datasets, self._uploads, names_itself=True)
        made = await intake.receive(access, content_type, content_length, body)
        await self._make_current(access, made.id)
        if made.job_id is not None:
            await self._jobs.wait(access.principal, made.job_id, wait_seconds)
        return await self.info(access)

    async def info(self, access: Access) -> DatasetInfo:
        """The current dataset with its columns."""
        current = await self.current(access)
        async with access.read() as unit:
            columns = await self.explorations.columns(unit, current.dataset.id)
        dataset = current.dataset
        return DatasetInfo.model_validate(
            dataset.model_dump()
            | {"dataset_id": dataset.id, "uploaded_dataset_id": current.uploaded_id, "columns": columns}
        )

    async def preview(self, access: Access, offset: int, limit: int) -> DatasetPreviewResponse:
        """Rows of the current dataset."""
        current = await self.current(access)
        async with access.read() as unit:
            return await self.datasets.preview(unit, current.dataset.id, offset, limit)

    async def analyze_tokens(
        self, access: Access, asked: TokenAnalysisRequest, wait_seconds: float
    ) -> TokenAnalysis | JobView:
        """Its tokens, with the current model's tokenizer where no other is named."""
        current = await self.current(access)
        if asked.model is None:
            async with access.read() as unit:
                state = await repository.find_state(unit)
            asked = asked.model_copy(update={"model": state.model_id if state else None})
        return await self.explorations.answer_tokens(access, current.dataset.id, asked, wait_seconds)

    async def split(self, access: Access, body: DatasetSplitRequest) -> JobView:
        """Have the current dataset split; it stays the current one."""
        current = await self.current(access)
        async with access.write("dataset.split", resource=f"dataset:{current.dataset.id}") as unit:
            return await self.datasets.split(unit, current.dataset.id, body)

    async def clean(self, access: Access, asked: CleanRequest) -> JobView:
        """Have the current dataset cleaned; what comes of it is the current one then. Raises DatasetBusy."""
        current = await self.current(access)
        if current.job is not None and not asked.preview:
            raise DatasetBusy(f"Job {current.job.id} ({current.job.name}) goes on.", job_id=current.job.id)
        async with access.write("dataset.clean", resource=f"dataset:{current.dataset.id}") as unit:
            job = await self._derivations.clean(unit, current.dataset.id, asked)
            if not asked.preview:
                state = await repository.get_or_add_state(unit)
                state.dataset_job_id = job.id
            return job

    async def save(self, access: Access, asked: DatasetSaveRequest) -> JobView:
        """Have the current dataset saved in a form, to a path or to be downloaded."""
        current = await self.current(access)
        async with access.write("dataset.save", resource=f"dataset:{current.dataset.id}") as unit:
            return await self._outputs.save(unit, current.dataset.id, asked, self._settings)

    async def reset(self, access: Access) -> DatasetInfo:
        """Back to the upload as it was; the versions that were made of it stay in the control plane."""
        async with access.write("dataset.reset") as unit:
            state = await repository.find_state(unit)
            if state is None or state.uploaded_dataset_id is None:
                raise NoCurrentDataset("Nothing has been uploaded.")
            state.dataset_id, state.dataset_job_id = state.uploaded_dataset_id, None
        return await self.info(access)

    async def health(self, access: Access) -> DatasetHealth:
        """State of the current dataset, and what can be uploaded."""
        try:
            current = await self.current(access)
        except NoCurrentDataset:
            current = None
        dataset = current.dataset if current else None
        return DatasetHealth(
            status=_health(current),
            current_dataset=f"{dataset.name}@{dataset.version}" if dataset else None,
            dataset_id=dataset.id if dataset else None,
            rows=dataset.rows if dataset else None,
            job_id=current.job.id if current and current.job else None,
            formats=list(DataFormat),
            extensions=self.datasets.extensions,
            max_file_size_bytes=self.datasets.limits.max_file_size_bytes,
        )

    async def current(self, access: Access) -> Current:
        """The current dataset; raises NoCurrentDataset. A version whose job has succeeded since has become the current one."""
        async with access.read() as unit:
            found, settled = await self._find(unit)
        if found is None:
            raise NoCurrentDataset("There is no current dataset.")
        if settled:
            async with access.write("dataset.follow", resource=f"dataset:{found.dataset.id}") as unit:
                state = await repository.get_or_add_state(unit)
                state.dataset_id, state.dataset_job_id = found.dataset.id, None
        return found

    async def _make_current(self, access: Access, dataset_id: int) -> None:
        async with access.write("dataset.choose", resource=f"dataset:{dataset_id}") as unit:
            state = await repository.get_or_add_state(unit)
            state.dataset_id = state.uploaded_dataset_id = dataset_id
            state.dataset_job_id = None

    async def _find(self, unit: Unit) -> tuple[Current | None, bool]:
        """The current dataset, and whether the state has to be brought up to it."""
        state = await repository.find_state(unit)
        if state is None or state.dataset_id is None or state.uploaded_dataset_id is None:
            return None, False
        dataset_id, job = state.dataset_id, None
        if state.dataset_job_id is not None:
            job = await self._jobs.get(unit, state.dataset_job_id)
            if job.is_final:
                dataset_id, job = _made_by(job) or dataset_id, None
        dataset = await self.datasets.get(unit, dataset_id)
        while dataset.status is DatasetStatus.ARCHIVED:  # undone, or put away: the version before it
            if dataset.parent_id is None or dataset.id == state.uploaded_dataset_id:
                return None, False
            dataset = await self.datasets.get(unit, dataset.parent_id)
        is_settled = job is None and (dataset.id != state.dataset_id or state.dataset_job_id is not None)
        return Current(dataset, state.uploaded_dataset_id, job), is_settled


def _made_by(job: JobView) -> int | None:
    """The dataset that a change has made; None when it changed nothing, or failed."""
    made = (job.result or {}).get("dataset")
    return int(made["id"]) if isinstance(made, dict) and made.get("id") else None


def _health(current: Current | None) -> str:
    if current is None:
        return "idle"
    if current.job is not None:
        return "changing"
    status = current.dataset.status
    return {DatasetStatus.READY: "ready", DatasetStatus.INVALID: "invalid"}.get(status, "validating")
