"""Rules of fine-tuning: what is refused before anything is queued, and what a run can be asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tunesmith.db import Unit
from tunesmith.domains.datasets import DatasetService
from tunesmith.domains.jobs import JobLogsResponse, JobService
from tunesmith.domains.models import ModelStore
from tunesmith.domains.training import repository
from tunesmith.domains.training.data import DataSource
from tunesmith.domains.training.errors import CheckpointError, CheckpointNotFound, FinetuningJobNotFound
from tunesmith.domains.training.graph import compile_graph
from tunesmith.domains.training.schemas import (
    CheckpointListResponse,
    CheckpointResponse,
    FinetuningJobListResponse,
    FinetuningJobResponse,
    FinetuningStatus,
    GraphStep,
    JobMetricsResponse,
    TrainingMetrics,
)
from tunesmith.domains.training.short_form import JobForm
from tunesmith.domains.training.tables import FinetuningJobRow, TrainingPointRow
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paging import PageRequest
from tunesmith.ports.training import TrainingEngine
from tunesmith.settings import Settings
from tunesmith.wire.checkpoint import CheckpointDamaged, verify_checkpoint
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError

CURVE_NAMES = ("epoch", "loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb")


class TrainingService:
    """Fine-tuning jobs: started from a recipe, followed by their curves and checkpoints, stopped and resumed."""

    def __init__(
        self,
        *,
        settings: Settings,
        jobs: JobService,
        models: ModelStore,
        datasets: DatasetService,
        engine: TrainingEngine,
    ) -> None:
        self.settings = settings
        self.jobs = jobs
        self.models = models
        self.datasets = datasets
        self.engine = engine
        self._data = DataSource(settings=settings, datasets=datasets)

    async def start(
        self, unit: Unit, wanted: Recipe | JobForm, *, base_dir: Path | None = None
    ) -> FinetuningJobResponse:
        """Queue a run. Raises RecipeError, UnsupportedMethod and what finding the model and the data raises."""
        recipe = wanted if isinstance(wanted, Recipe) else await self._recipe_of(unit, wanted)
        problems = self.engine.check(recipe)
        if problems:
            faults = [{"location": p.location, "message": p.message, "value": p.value} for p in problems]
            raise RecipeError(" ".join(p.message for p in problems), hint=problems[0].hint, errors=faults)
        model = await self.models.resolve(recipe.model.base, unit=unit, base_dir=base_dir)
        data = await self._data.ids_of(unit, recipe, base_dir)
        nodes, warnings = compile_graph(recipe, str(model.path), data)
        views = await self.jobs.submit_graph(unit, nodes, name=recipe.name)
        row = await self._get_row(unit, views["train"].id)
        row.graph = {key: view.id for key, view in views.items()}
        row.warnings = warnings
        await unit.session.flush()
        return (await self._views(unit, [row]))[0]

    async def _recipe_of(self, unit: Unit, form: JobForm) -> Recipe:
        dataset = await self.datasets.get(unit, form.dataset_id)
        return form.to_recipe(f"dataset:{dataset.name}@{dataset.version}")

    async def get(self, unit: Unit, job_id: int) -> FinetuningJobResponse:
        """The job; raises FinetuningJobNotFound."""
        return (await self._views(unit, [await self._get_row(unit, job_id)]))[0]

    async def list_jobs(
        self, unit: Unit, page: PageRequest, *, status: FinetuningStatus | None = None
    ) -> FinetuningJobListResponse:
        """A page of jobs, newest first."""
        rows, total = await repository.list_jobs(unit.session, unit.principal, page, status=status)
        items = await self._views(unit, list(rows))
        return FinetuningJobListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def stop(self, unit: Unit, job_id: int) -> FinetuningJobResponse:
        """End the run and keep a checkpoint. Raises JobStateConflict."""
        row = await self._get_row(unit, job_id)
        await self.jobs.stop(unit, job_id)
        return (await self._views(unit, [row]))[0]

    async def resume(self, unit: Unit, job_id: int, checkpoint_id: int | None = None) -> FinetuningJobResponse:
        """Go on from a checkpoint, else from the newest that verifies. Raises JobStateConflict and CheckpointError."""
        row = await self._get_row(unit, job_id)
        row.resume_from = None
        if checkpoint_id is not None:
            row.resume_from = str(await self._verified(unit, job_id, checkpoint_id))
        await self.jobs.resume(unit, job_id)
        return (await self._views(unit, [row]))[0]

    async def _verified(self, unit: Unit, job_id: int, checkpoint_id: int) -> Path:
        found = await repository.find_checkpoint(unit.session, job_id, checkpoint_id)
        if found is None:
            raise CheckpointNotFound(f"Job {job_id} has no checkpoint {checkpoint_id}.")
        folder = self.settings.runs_dir / str(job_id) / found.path
        try:
            await asyncio.to_thread(verify_checkpoint, folder)
        except CheckpointDamaged as error:
            raise CheckpointError(str(error)) from None
        return folder

    async def list_logs(self, unit: Unit, job_id: int, *, tail: int | None, after_offset: int) -> JobLogsResponse:
        """Lines of the log."""
        await self._get_row(unit, job_id)
        return await self.jobs.list_logs(unit, job_id, tail=tail, after_offset=after_offset)

    async def list_checkpoints(self, unit: Unit, job_id: int, page: PageRequest) -> CheckpointListResponse:
        """Checkpoints by step."""
        await self._get_row(unit, job_id)
        rows, total = await repository.list_checkpoints(unit.session, job_id, page)
        items = [CheckpointResponse.model_validate(row, from_attributes=True) for row in rows]
        return CheckpointListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def metrics(
        self, unit: Unit, job_id: int, *, names: list[str] | None, from_step: int, max_points: int
    ) -> JobMetricsResponse:
        """The curves from a step on, thinned to ``max_points``. Raises InvalidInput for a curve that does not exist."""
        await self._get_row(unit, job_id)
        unknown = sorted(set(names or []) - set(CURVE_NAMES))
        if unknown:
            raise InvalidInput(
                f"There is no curve {', '.join(unknown)}; there are {', '.join(CURVE_NAMES)}.",
                errors=[{"location": "names", "message": "unknown curve", "value": name} for name in unknown],
            )
        wanted = [name for name in CURVE_NAMES if not names or name in names]
        rows, total = await repository.list_points(unit.session, job_id, from_step=from_step, max_points=max_points)
        points = [_point(row, wanted) for row in rows]
        return JobMetricsResponse(job_id=job_id, names=wanted, total=total, points=points)

    async def _get_row(self, unit: Unit, job_id: int) -> FinetuningJobRow:
        row = await repository.find_job(unit.session, unit.principal, job_id)
        if row is None:
            raise FinetuningJobNotFound(f"There is no fine-tuning job {job_id}.")
        return row

    async def _views(self, unit: Unit, rows: list[FinetuningJobRow]) -> list[FinetuningJobResponse]:
        best = await repository.list_best(unit.session, [row.id for row in rows])
        steps = await self._steps(unit, rows)
        fields = set(FinetuningJobResponse.model_fields) - {"best_checkpoint", "hint", "graph", "links"}
        return [
            FinetuningJobResponse.model_validate(
                {
                    **{name: getattr(row, name) for name in fields},
                    "best_checkpoint": best.get(row.id),
                    "hint": row.error_hint,
                    "graph": [steps[job_id] for job_id in row.graph.values() if job_id in steps],
                    "links": _links(row.id),
                }
            )
            for row in rows
        ]

    async def _steps(self, unit: Unit, rows: list[FinetuningJobRow]) -> dict[int, GraphStep]:
        ids = [job_id for row in rows for job_id in row.graph.values()]
        if not ids:
            return {}
        found = await self.jobs.list_jobs(unit, PageRequest(1, len(ids)), ids=ids)
        return {job.id: GraphStep(job_id=job.id, kind=job.kind, name=job.name, state=job.state) for job in found.items}


def _links(job_id: int) -> dict[str, str]:
    here, job = f"/api/v1/admin/finetuning/jobs/{job_id}", f"/api/v1/admin/jobs/{job_id}"
    return {
        "self": here,
        "events": f"{job}/events",
        "logs": f"{here}/logs",
        "metrics": f"{here}/metrics",
        "checkpoints": f"{here}/checkpoints",
    }


def _point(row: TrainingPointRow, wanted: list[str]) -> TrainingMetrics:
    values = {name: getattr(row, name) if name in wanted else None for name in CURVE_NAMES}
    return TrainingMetrics(step=row.step, timestamp=row.at, **values)
