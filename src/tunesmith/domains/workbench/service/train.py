"""The current run of one person: configured, started, watched, kept, measured. The work is training's, evaluation's, export's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio

from tunesmith.db import Access, Unit
from tunesmith.domains.datasets import DatasetResponse, DatasetStatus, DatasetXrayRequest, XrayService
from tunesmith.domains.evaluation import EvaluationService, RunEvaluationRequest
from tunesmith.domains.jobs import JobService, JobState, JobView, list_workers
from tunesmith.domains.models import ModelStore
from tunesmith.domains.training import FinetuningStatus, JobFilter, TrainingService
from tunesmith.domains.workbench import repository
from tunesmith.domains.workbench.errors import NoCurrentDataset, NoCurrentModel, NoCurrentRun, RunGoesOn
from tunesmith.domains.workbench.schemas.train import (
    EvaluateRunRequest,
    LoraConfigRequest,
    PastRun,
    PrepareDatasetRequest,
    PreparedDataset,
    StartRequest,
    TrainingArgsRequest,
    TrainingConfiguration,
    TrainingHealth,
    TrainingHistory,
    TrainingStarted,
    TrainingStatus,
)
from tunesmith.domains.workbench.service.configuration import (
    Sections,
    described,
    recipe_of,
    with_arguments,
    with_lora,
)
from tunesmith.domains.workbench.service.datasets import DatasetBench
from tunesmith.domains.workbench.tables import WorkbenchRow
from tunesmith.kit.paging import PageRequest
from tunesmith.wire.recipe import Adapter, Objective

LOG_LINES = 20
FEWEST_ROWS_TO_SPLIT = 10


class TrainBench:
    """The current run: its id and what is configured for the next one are kept in the database."""

    def __init__(
        self,
        *,
        training: TrainingService,
        evaluation: EvaluationService,
        datasets: DatasetBench,
        xray: XrayService,
        models: ModelStore,
        jobs: JobService,
    ) -> None:
        self.jobs = jobs
        self._training = training
        self._evaluation = evaluation
        self._datasets = datasets
        self._xray = xray
        self._models = models

    async def configure(self, access: Access, asked: LoraConfigRequest | TrainingArgsRequest) -> TrainingConfiguration:
        """Keep these settings for the next run. Raises RecipeError for what does not go together, or not here."""
        change: Callable[[Sections], Sections] = (
            (lambda old: with_lora(old, asked))
            if isinstance(asked, LoraConfigRequest)
            else (lambda old: with_arguments(old, asked))
        )
        async with access.write("train.configure") as unit:
            state = await repository.get_or_add_state(unit)
            state.training = change(state.training or {})
        return await self.configuration(access)

    async def configuration(self, access: Access) -> TrainingConfiguration:
        """What is configured for the next run."""
        async with access.read() as unit:
            state = await repository.find_state(unit)
        dataset = await self._find_dataset(access)
        train = f"dataset:{dataset.name}@{dataset.version}" if dataset else None
        return described((state.training if state else None) or {}, base=state.model_id if state else None, train=train)

    async def prepare_dataset(
        self, access: Access, asked: PrepareDatasetRequest, wait_seconds: float
    ) -> PreparedDataset | JobView:
        """The current dataset as the current model reads it: tokens, and which of them carry loss."""
        dataset = (await self._datasets.current(access)).dataset
        async with access.read() as unit:
            state = await repository.find_state(unit)
        named = asked.model_dump(exclude_unset=True)
        if "model" not in named and state is not None and state.model_id is not None:
            named["model"] = state.model_id
        if "max_length" not in named and state is not None and state.training:
            named["max_length"] = state.training.get("training", {}).get("max_length", asked.max_length)
        looked = DatasetXrayRequest.model_validate({"limit": asked.limit, **named})
        found = await self._xray.look(access, dataset.id, looked, wait_seconds)
        if isinstance(found, JobView):
            return found
        counts = found.counts
        share = counts.trained_tokens / counts.total_tokens if counts and counts.total_tokens else None
        return PreparedDataset(
            **found.model_dump(),
            dataset=f"{dataset.name}@{dataset.version}",
            format=dataset.format,
            trained_share=share,
            ready=dataset.status is DatasetStatus.READY,
        )

    async def start(self, access: Access, asked: StartRequest) -> TrainingStarted:
        """Queue a run. Raises RunGoesOn while one of this person has not ended, unless queuing is asked for."""
        dataset = (await self._datasets.current(access)).dataset
        async with access.write("train.start") as unit:
            state = await repository.get_or_add_state(unit, for_update=True)
            if state.model_id is None:
                raise NoCurrentModel("No model is loaded, so there is nothing to train.")
            if not asked.queue:
                await self._refuse_second(unit)
            recipe = recipe_of(
                state.training or {},
                name=asked.name or f"{dataset.name} {dataset.version}",
                base=state.model_id,
                data=await self._data(unit, dataset, asked.validation_share),
                evaluate={"enabled": asked.evaluate},
                **({"register": {"name": asked.register_as}} if asked.register_as else {}),
            )
            run = await self._training.start(unit, recipe, priority=asked.priority)
            state.training_job_id = run.id
        return TrainingStarted(
            job_id=run.id,
            status=run.status,
            name=run.job_name,
            queue_position=run.queue_position,
            recipe=run.recipe,
            warnings=run.warnings,
            links={**run.links, "socket": f"/api/v1/ws/jobs/{run.id}"},
        )

    async def status(self, access: Access) -> TrainingStatus:
        """The run that was started last, with its newest figures and lines."""
        async with access.read() as unit:
            job_id = await self._find_run(unit)
            if job_id is None:
                return TrainingStatus(status="idle")
            run = await self._training.get(unit, job_id)
            point = await self._training.newest_values(unit, job_id)
            lines = (await self._training.list_logs(unit, job_id, tail=LOG_LINES)).lines
        curves = ("epoch", "loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb")
        same = ("progress", "total_steps", "eta_seconds", "queue_position", "message", "figures")
        ended = ("error_type", "error_message", "hint", "started_at", "completed_at")
        return TrainingStatus(
            status=run.status,
            job_id=run.id,
            name=run.job_name,
            step=run.current_step,
            log=[line.message for line in lines],
            **{name: point.get(name) for name in curves},
            **{name: getattr(run, name) for name in (*same, *ended)},
        )

    async def history(self, access: Access, page: PageRequest, max_points: int) -> TrainingHistory:
        """This person's runs, newest first, with their curves."""
        async with access.read() as unit:
            mine = JobFilter(created_by=unit.principal.user_id)
            found = await self._training.list_jobs(unit, page, mine)
            items = [
                PastRun(
                    job_id=run.id,
                    name=run.job_name,
                    curves=(
                        await self._training.metrics(unit, run.id, names=None, from_step=0, max_points=max_points)
                    ).points,
                    **{name: getattr(run, name) for name in PastRun.model_fields if name not in RENAMED},
                )
                for run in found.items
            ]
        return TrainingHistory(items=items, total=found.total, page=found.page, page_size=found.page_size)

    async def evaluate(self, access: Access, asked: EvaluateRunRequest) -> JobView:
        """Have a run measured beside its base. Raises NoCurrentRun, JobStateConflict and NothingToEvaluate."""
        async with access.read() as unit:
            job_id = asked.job_id or await self._get_run(unit)
        request = RunEvaluationRequest.model_validate(asked.model_dump(exclude={"job_id"}))
        async with access.write("train.evaluate", resource=f"job:{job_id}") as unit:
            await self._training.get(unit, job_id)
            return await self._evaluation.start_for_run(unit, job_id, request)

    async def run_to_save(self, unit: Unit, job_id: int | None) -> int:
        """The run that is named or was started last; raises NoCurrentRun and FinetuningJobNotFound."""
        found = job_id or await self._get_run(unit)
        await self._training.get(unit, found)
        return found

    async def health(self, access: Access) -> TrainingHealth:
        """Whether training is possible, and what is going on."""
        configuration = await self.configuration(access)
        dataset = await self._find_dataset(access)
        async with access.read() as unit:
            state = await repository.find_state(unit)
            active = await self._active(unit)
            job_id = await self._find_run(unit)
            workers = await list_workers(unit, self._training.settings.jobs.lease_seconds)
        probe = recipe_of({}, name=None, base=None, data=None)
        problems = [problem.message for problem in self._training.engine.check(probe)]
        memory = await anyio.to_thread.run_sync(self._models.memory)
        running = any(run.status is FinetuningStatus.RUNNING for run in active)
        return TrainingHealth(
            status="unavailable" if problems else "training" if running else "queued" if active else "ready",
            engine=self._training.engine.name,
            problems=problems,
            device=await anyio.to_thread.run_sync(self._models.device),
            memory_total_gb=memory.total_gb,
            memory_available_gb=memory.available_gb,
            workers=len(workers),
            methods=[adapter.value for adapter in Adapter],
            objectives=[objective.value for objective in Objective],
            current_model=state.model_id if state else None,
            current_dataset=f"{dataset.name}@{dataset.version}" if dataset else None,
            job_id=job_id,
            configuration=configuration,
        )

    async def _find_dataset(self, access: Access) -> DatasetResponse | None:
        try:
            return (await self._datasets.current(access)).dataset
        except NoCurrentDataset:
            return None

    async def _find_run(self, unit: Unit) -> int | None:
        """The run that was started last here, or else this person's newest run."""
        state: WorkbenchRow | None = await repository.find_state(unit)
        mine = JobFilter(created_by=unit.principal.user_id)
        if (
            state is not None
            and state.training_job_id is not None
            and await self._training.has(unit, state.training_job_id)
        ):
            return state.training_job_id
        newest = (await self._training.list_jobs(unit, PageRequest(1, 1), mine)).items
        return newest[0].id if newest else None

    async def _get_run(self, unit: Unit) -> int:
        job_id = await self._find_run(unit)
        if job_id is None:
            raise NoCurrentRun("No run has been started.")
        return job_id

    async def _active(self, unit: Unit) -> list[Any]:
        found = []
        for status in (FinetuningStatus.RUNNING, FinetuningStatus.PENDING):
            mine = JobFilter(created_by=unit.principal.user_id, status=status)
            found += (await self._training.list_jobs(unit, PageRequest(1, 10), mine)).items
        return found

    async def _refuse_second(self, unit: Unit) -> None:
        active = await self._active(unit)
        if active:
            run = active[0]
            raise RunGoesOn(f"Run {run.id} ({run.job_name}) is {run.status}.", job_id=run.id)

    async def _data(self, unit: Unit, dataset: DatasetResponse, share: float) -> dict[str, Any]:
        """The data of the run: the parts of the dataset's newest split, else the dataset with a share held out."""
        splits = await self.jobs.list_naming(unit, ["dataset_id"], [dataset.id], kinds=["split"], limit=20)
        done = next((job for job in splits if job.state is JobState.SUCCEEDED and job.graph_id is None), None)
        if done is not None:
            parts = {part["part"]: part for part in (done.result or {}).get("parts", [])}
            if "train" in parts:
                return {name: f"dataset:{part['name']}@{part['version']}" for name, part in parts.items()}
        data: dict[str, Any] = {"train": f"dataset:{dataset.name}@{dataset.version}"}
        if share and (dataset.rows or 0) >= FEWEST_ROWS_TO_SPLIT:
            data["split"] = {"train": 1 - share, "validation": share}
        return data


RENAMED = ("job_id", "name", "curves")
