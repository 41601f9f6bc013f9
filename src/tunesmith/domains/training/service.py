"""Rules of fine-tuning: what is refused before anything is queued, and what a run can be asked for."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tunesmith.db import Unit
from tunesmith.domains.datasets import DatasetService
from tunesmith.domains.jobs import JobLogsResponse, JobService, JobState, JobView
from tunesmith.domains.models import ModelStore, ResolvedModel
from tunesmith.domains.training import repository
from tunesmith.domains.training.advising import Adviser
from tunesmith.domains.training.capabilities import ENGINE, refused_cell
from tunesmith.domains.training.data import DataSource
from tunesmith.domains.training.errors import (
    CheckpointError,
    CheckpointNotFound,
    FinetuningJobNotFound,
    GpuIdsAbsent,
    RunActive,
)
from tunesmith.domains.training.graph import RunData, compile_graph
from tunesmith.domains.training.inheriting import check_fits, get_ancestor
from tunesmith.domains.training.pinned import check_revision
from tunesmith.domains.training.schemas import (
    CheckpointListResponse,
    CheckpointResponse,
    FinetuningJobListResponse,
    FinetuningJobResponse,
    FinetuningStatus,
    GraphStep,
    JobMetricsResponse,
    JobSamplesResponse,
    SampleView,
    TrainingMetrics,
)
from tunesmith.domains.training.short_form import JobForm, hyperparameters_of
from tunesmith.domains.training.tables import FinetuningJobRow, TrainingCheckpointRow, TrainingPointRow
from tunesmith.domains.training.tracking import Mirrors
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.paths import link_folder
from tunesmith.ports.training import EngineProblem, TrainingEngine
from tunesmith.settings import Settings
from tunesmith.wire.checkpoint import CheckpointDamaged, verify_checkpoint
from tunesmith.wire.methods import MEASURES
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError

CURVE_NAMES = ("epoch", "loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb")

MEASURED = {f"{prefix}{name}" for names in MEASURES.values() for name in names for prefix in ("", "eval_")}
"""Curves that a run may have later on, when it has none of them yet."""
NEWEST_POINTS = 200
"""Points in which the newest value of each curve is looked for."""
EVERYTHING = repository.JobFilter()


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
        mirrors: Mirrors,
        adviser: Adviser,
    ) -> None:
        self.settings = settings
        self.jobs = jobs
        self.models = models
        self.datasets = datasets
        self.engine = engine
        self.mirrors = mirrors
        self._adviser = adviser
        self._data = DataSource(settings=settings, datasets=datasets)

    async def start(
        self, unit: Unit, wanted: Recipe | JobForm, *, base_dir: Path | None = None, priority: int = 0
    ) -> FinetuningJobResponse:
        """Queue a run. Raises RecipeError, UnsupportedMethod and what finding the model and the data raises."""
        recipe, model, data = await self._found(unit, wanted, base_dir)
        checkpoint_id = wanted.resume_from_checkpoint if isinstance(wanted, JobForm) else None
        inherits = await self._inherited(unit, checkpoint_id, recipe, model)
        nodes, warnings = compile_graph(recipe, str(model.path), data, inherits)
        views = await self.jobs.submit_graph(unit, nodes, name=recipe.name, priority=priority)
        row = await self._get_row(unit, views["train"].id)
        row.graph = {key: view.id for key, view in views.items()}
        row.warnings = [*warnings, *await self.mirrors.warnings()]
        await unit.session.flush()
        return (await self._views(unit, [row]))[0]

    def known_problems(self, recipe: Recipe) -> list[EngineProblem]:
        """What the capability matrix knows not to work of a recipe, with what does."""
        device = recipe.resources.device if recipe.resources.device != "auto" else self.settings.device
        cell = refused_cell(recipe, str(device)) if self.engine.name == ENGINE else None
        if cell is None:
            return []
        message = f"{cell.objective} with {cell.adapter} does not work on {cell.device}: {cell.reason}"
        return [EngineProblem("method.adapter", message, cell.alternative, cell.adapter)]

    async def forecast(self, unit: Unit, wanted: Recipe | JobForm, *, base_dir: Path | None = None) -> JobView:
        """Queue the rehearsal of a run; refuses what ``start`` refuses."""
        recipe, model, data = await self._found(unit, wanted, base_dir)
        spec = {
            "recipe": recipe.to_plain(),
            "model_path": str(model.path),
            "dataset_id": data.train,
            "validation_dataset_id": data.validation,
        }
        return await self.jobs.submit(unit, "forecast", spec, name=f"Forecast {recipe.name}"[:200])

    async def _found(
        self, unit: Unit, wanted: Recipe | JobForm, base_dir: Path | None
    ) -> tuple[Recipe, ResolvedModel, RunData]:
        """What is wanted as a recipe that this engine can do, its model and its data."""
        recipe = wanted if isinstance(wanted, Recipe) else await self._recipe_of(unit, wanted, base_dir)
        problems = [*self.known_problems(recipe), *await asyncio.to_thread(self.engine.check, recipe)]
        if problems:
            faults = [{"location": p.location, "message": p.message, "value": p.value} for p in problems]
            if problems[0].location == "resources.gpu_ids":
                raise GpuIdsAbsent(problems[0].message, hint=problems[0].hint, errors=faults)
            raise RecipeError(" ".join(p.message for p in problems), hint=problems[0].hint, errors=faults)
        model = await self.models.resolve(recipe.model.base, unit=unit, base_dir=base_dir)
        check_revision(recipe.model.revision, model)
        return recipe, model, await self._data.ids_of(unit, recipe, base_dir)

    async def _recipe_of(self, unit: Unit, form: JobForm, base_dir: Path | None) -> Recipe:
        dataset = await self.datasets.get(unit, form.dataset_id)
        if form.resume_from_checkpoint is not None:
            ancestor = await get_ancestor(unit, form.resume_from_checkpoint)
            return form.to_recipe(f"dataset:{dataset.name}@{dataset.version}", hyperparameters_of(ancestor.job.recipe))
        model = await self.models.resolve(form.base_model, unit=unit, base_dir=base_dir)
        advice = await self._adviser.recommend(
            unit, model, form.dataset_id, objective=form.objective, adapter=form.adapter
        )
        return form.to_recipe(f"dataset:{dataset.name}@{dataset.version}", advice.parameters)

    async def _inherited(
        self, unit: Unit, checkpoint_id: int | None, recipe: Recipe, model: ResolvedModel
    ) -> Path | None:
        """The checkpoint of another run that this one goes on from. Raises RecipeError and CheckpointError."""
        if checkpoint_id is None:
            return None
        ancestor = await get_ancestor(unit, checkpoint_id)
        await check_fits(unit, ancestor, recipe, model, self.models)
        return await self._verified(unit, ancestor.job.id, checkpoint_id)

    async def get(self, unit: Unit, job_id: int) -> FinetuningJobResponse:
        """The job; raises FinetuningJobNotFound."""
        return (await self._views(unit, [await self._get_row(unit, job_id)]))[0]

    async def list_jobs(
        self, unit: Unit, page: PageRequest, wanted: repository.JobFilter = EVERYTHING
    ) -> FinetuningJobListResponse:
        """A page of jobs. Raises InvalidInput for an order that there is not."""
        if wanted.sort.removeprefix("-") not in repository.SORTABLE:
            fault = {"location": "query.sort", "message": "unknown column", "value": wanted.sort}
            columns = ", ".join(repository.SORTABLE)
            raise InvalidInput(
                f"A list cannot be sorted by {wanted.sort!r}; there are {columns}, and - before one for the reverse.",
                errors=[fault],
            )
        rows, total = await repository.list_jobs(unit.session, unit.principal, page, wanted)
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

    async def delete(self, unit: Unit, job_id: int) -> None:
        """Put the run away and, once that is committed, remove its files. Raises RunActive while anything of it goes on."""
        row = await self._get_row(unit, job_id)
        jobs = list((await self._jobs_of(unit, [row])).values())
        for job in jobs:
            if job.state.is_held:
                raise RunActive(f"Job {job_id} ({row.job_name}) has not ended: its {job.kind} job is {job.state}.")
        for job in jobs:
            if (await self.jobs.get(unit, job.id)).state in (JobState.WAITING, JobState.QUEUED):
                await self.jobs.cancel(unit, job.id)
        row.archived_at = utc_now()
        await repository.delete_checkpoints(unit.session, job_id)
        folder = self.settings.runs_dir / str(job_id)

        async def reclaim() -> None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

        unit.after_commit(reclaim)

    async def _verified(self, unit: Unit, job_id: int, checkpoint_id: int) -> Path:
        found = await self._checkpoint(unit, job_id, checkpoint_id)
        folder = self.settings.runs_dir / str(job_id) / found.path
        try:
            await asyncio.to_thread(verify_checkpoint, folder)
        except CheckpointDamaged as error:
            raise CheckpointError(str(error)) from None
        return folder

    async def _checkpoint(self, unit: Unit, job_id: int, checkpoint_id: int) -> TrainingCheckpointRow:
        await self._get_row(unit, job_id)
        found = await repository.find_checkpoint(unit.session, job_id, checkpoint_id)
        if found is None:
            raise CheckpointNotFound(f"Job {job_id} has no checkpoint {checkpoint_id}.")
        return found

    async def verify_checkpoint(self, unit: Unit, job_id: int, checkpoint_id: int) -> CheckpointResponse:
        """Look at every file of a checkpoint again; the answer says whether it still verifies."""
        found = await self._checkpoint(unit, job_id, checkpoint_id)
        try:
            await self._verified(unit, job_id, checkpoint_id)
            found.verified = True
        except CheckpointError:
            found.verified = False
        return CheckpointResponse.model_validate(found, from_attributes=True)

    async def keep_checkpoint(self, unit: Unit, job_id: int, checkpoint_id: int) -> CheckpointResponse:
        """Keep a checkpoint beside those that come and go: its files are linked into a folder that no run removes.

        Raises CheckpointError when it does not verify.
        """
        found = await self._checkpoint(unit, job_id, checkpoint_id)
        if not found.is_kept:
            folder = await self._verified(unit, job_id, checkpoint_id)
            path = f"kept/{found.attempt}-{folder.name}"
            await asyncio.to_thread(link_folder, folder, self.settings.runs_dir / str(job_id) / path)
            found.path, found.is_kept = path, True
        return CheckpointResponse.model_validate(found, from_attributes=True)

    async def delete_checkpoint(self, unit: Unit, job_id: int, checkpoint_id: int) -> None:
        """Remove a checkpoint of a run that has ended. Raises RunActive."""
        row = await self._get_row(unit, job_id)
        found = await self._checkpoint(unit, job_id, checkpoint_id)
        if row.status in (FinetuningStatus.PENDING, FinetuningStatus.RUNNING):
            raise RunActive(f"Job {job_id} ({row.job_name}) is {row.status}; its checkpoints are in use.")
        folder = self.settings.runs_dir / str(job_id) / found.path
        await unit.session.delete(found)

        async def reclaim() -> None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

        unit.after_commit(reclaim)

    async def list_logs(
        self,
        unit: Unit,
        job_id: int,
        *,
        tail: int | None,
        after_offset: int = 0,
        before_offset: int | None = None,
        limit: int = 1000,
    ) -> JobLogsResponse:
        """Lines of the log."""
        await self._get_row(unit, job_id)
        return await self.jobs.list_logs(
            unit, job_id, tail=tail, after_offset=after_offset, before_offset=before_offset, limit=limit
        )

    async def list_samples(self, unit: Unit, job_id: int) -> JobSamplesResponse:
        """What the model said on the way."""
        await self._get_row(unit, job_id)
        events = await self.jobs.list_events(unit, job_id, types=("sample",))
        samples = [SampleView(**{**event.payload, "offset": event.offset, "at": event.at}) for event in events]
        return JobSamplesResponse(job_id=job_id, samples=samples)

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
        newest = await repository.list_newest_points(unit.session, job_id, NEWEST_POINTS)
        there = [*CURVE_NAMES, *sorted({name for row in newest for name in row.figures or {}})]
        unknown = sorted(set(names or []) - set(there) - MEASURED)
        if unknown:
            raise InvalidInput(
                f"There is no curve {', '.join(unknown)}; there are {', '.join(there)}.",
                errors=[{"location": "names", "message": "unknown curve", "value": name} for name in unknown],
            )
        wanted = [name for name in there if not names or name in names]
        rows, total = await repository.list_points(unit.session, job_id, from_step=from_step, max_points=max_points)
        points = [_point(row, wanted) for row in rows]
        return JobMetricsResponse(job_id=job_id, names=wanted, total=total, points=points)

    async def newest_values(self, unit: Unit, job_id: int) -> dict[str, float]:
        """The newest value of every curve that has one."""
        await self._get_row(unit, job_id)
        found: dict[str, float] = {}
        for row in await repository.list_newest_points(unit.session, job_id, NEWEST_POINTS):
            for name in CURVE_NAMES:
                value = getattr(row, name)
                if value is not None:
                    found.setdefault(name, value)
        return found

    async def has(self, unit: Unit, job_id: int) -> bool:
        """Whether there is such a run."""
        return await repository.find_job(unit.session, unit.principal, job_id) is not None

    async def _get_row(self, unit: Unit, job_id: int) -> FinetuningJobRow:
        row = await repository.find_job(unit.session, unit.principal, job_id)
        if row is None:
            raise FinetuningJobNotFound(f"There is no fine-tuning job {job_id}.")
        return row

    async def _views(self, unit: Unit, rows: list[FinetuningJobRow]) -> list[FinetuningJobResponse]:
        best = await repository.list_best(unit.session, [row.id for row in rows])
        jobs = await self._jobs_of(unit, rows)
        elsewhere = {"best_checkpoint", "hint", "graph", "links", "queue_position", "priority", "device", "tracking"}
        fields = set(FinetuningJobResponse.model_fields) - elsewhere
        tracking = await self.mirrors.views(unit, [row.id for row in rows])
        return [
            FinetuningJobResponse.model_validate(
                {
                    **{name: getattr(row, name) for name in fields},
                    "best_checkpoint": best.get(row.id),
                    "hint": row.error_hint,
                    "tracking": tracking.get(row.id, []),
                    "graph": [_step(jobs[job_id]) for job_id in row.graph.values() if job_id in jobs],
                    "queue_position": next((p for job_id in row.graph.values() if (p := _place(jobs, job_id))), None),
                    "priority": jobs[row.id].priority if row.id in jobs else 0,
                    "device": jobs[row.id].device if row.id in jobs else None,
                    "links": _links(row.id),
                }
            )
            for row in rows
        ]

    async def _jobs_of(self, unit: Unit, rows: list[FinetuningJobRow]) -> dict[int, JobView]:
        ids = [job_id for row in rows for job_id in row.graph.values()]
        if not ids:
            return {}
        found = await self.jobs.list_jobs(unit, PageRequest(1, len(ids)), ids=ids)
        return {job.id: job for job in found.items}


def _step(job: JobView) -> GraphStep:
    return GraphStep(job_id=job.id, kind=job.kind, name=job.name, state=job.state)


def _place(jobs: dict[int, JobView], job_id: int) -> int | None:
    return jobs[job_id].position if job_id in jobs else None


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
    figures = {name: value for name, value in (row.figures or {}).items() if name in wanted}
    return TrainingMetrics(step=row.step, timestamp=row.at, figures=figures, **values)
