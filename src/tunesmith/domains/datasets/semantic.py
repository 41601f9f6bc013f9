"""Rows that mean the same, told by a model that turns texts into vectors; what the job does is in ``tasks/semantic.py``."""

from __future__ import annotations

from tunesmith.db import Unit
from tunesmith.domains.datasets.explorations import FindModel, refuse_purged, submit_or_join
from tunesmith.domains.datasets.schemas.semantic import SemanticDuplicatesRequest
from tunesmith.domains.datasets.service import DatasetService
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.ports.serving import Servable

KIND = "semantic-duplicates"


class SemanticService:
    """Starts the comparison; the model runs in a child process of the job."""

    def __init__(self, *, datasets: DatasetService, jobs: JobService, find_model: FindModel) -> None:
        self.datasets = datasets
        self._jobs = jobs
        self._find_model = find_model

    async def model(self, unit: Unit, reference: str) -> Servable:
        """The model that compares; raises what finding it raises."""
        return await self._find_model(unit, reference)

    async def submit(self, unit: Unit, dataset_id: int, asked: SemanticDuplicatesRequest) -> JobView:
        """Have all rows compared; a job that does the same and has not ended is joined. Raises what finding the model raises."""
        row = await self.datasets.get_row(unit, dataset_id)
        refuse_purged(row)
        await self.model(unit, asked.model)
        spec = {"dataset_id": row.id, **asked.model_dump(mode="json")}
        return await submit_or_join(self._jobs, unit, KIND, spec, f"Meanings of {row.name} {row.version}"[:200])
