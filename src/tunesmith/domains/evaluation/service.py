"""Rules of evaluations."""

from __future__ import annotations

from tunesmith.db import Unit
from tunesmith.domains.datasets import DataFormat, DatasetNotFoundError, DatasetService
from tunesmith.domains.evaluation import repository
from tunesmith.domains.evaluation.errors import MetricUnsupported, NothingToEvaluate
from tunesmith.domains.evaluation.schemas import (
    METRICS,
    OF_PAIRS,
    OF_QUESTIONS,
    OF_ROWS,
    EvaluateSpec,
    EvaluationRequest,
    EvaluationResponse,
    MetricName,
    ModelEvaluationListResponse,
    ModelEvaluationRequest,
    ModelEvaluationResponse,
    RunEvaluationRequest,
)
from tunesmith.domains.evaluation.tables import EvaluationRow
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.registry import RegistryService
from tunesmith.domains.runtime import ModelResolver
from tunesmith.kit.paging import PageRequest


class EvaluationService:
    """Evaluations of versions, kept with them as evidence."""

    def __init__(
        self, *, jobs: JobService, registry: RegistryService, datasets: DatasetService, resolver: ModelResolver
    ) -> None:
        self._jobs = jobs
        self._registry = registry
        self._datasets = datasets
        self._resolver = resolver

    async def start(self, unit: Unit, model_id: int, request: ModelEvaluationRequest) -> JobView:
        """Check what can be refused at once, and queue an `evaluate` job."""
        _known(request.metrics)
        version = await self._registry.get(unit, model_id)
        metrics = await self._metrics(unit, request.metrics, request.dataset_id, None)
        if request.general_dataset_id is not None:
            await self._datasets.get(unit, request.general_dataset_id)
        spec = EvaluateSpec(
            model_id=model_id,
            dataset_id=request.dataset_id,
            general_dataset_id=request.general_dataset_id,
            metrics=metrics,
            max_new_tokens=request.max_new_tokens,
            max_questions=request.max_questions,
        )
        return await self._jobs.submit(unit, "evaluate", spec, name=f"evaluate {version.reference}")

    async def start_for(self, unit: Unit, request: EvaluationRequest) -> JobView:
        """The same for any model; an evaluation of a registered version is kept with it."""
        _known(request.metrics)
        version = await self._registry.find_by_name(unit, request.model) if "@" in request.model else None
        for model in (request.model, request.base):
            if model is not None:
                await self._resolver.resolve(unit, model)
        if request.data is None and request.questions is None:
            raise NothingToEvaluate("Neither data nor questions are named.")
        data, questions = await self._dataset_id(unit, request.data), await self._dataset_id(unit, request.questions)
        metrics = await self._metrics(unit, request.metrics, data, questions)
        spec = EvaluateSpec(
            model_id=version.id if version else None,
            model=None if version else request.model,
            base=request.base,
            dataset_id=data,
            questions_dataset_id=questions,
            general_dataset_id=await self._dataset_id(unit, request.general),
            metrics=metrics,
            max_new_tokens=request.max_new_tokens,
            max_questions=request.max_questions,
        )
        return await self._jobs.submit(unit, "evaluate", spec, name=f"evaluate {request.model}"[:200])

    async def start_for_run(self, unit: Unit, job_id: int, request: RunEvaluationRequest) -> JobView:
        """The same for what a training job has made, on what the run itself held out unless other rows are named.

        Raises JobNotFound, RunNotServable while there is no model, and NothingToEvaluate when nothing was held out.
        """
        _known(request.metrics)
        job = await self._jobs.get(unit, job_id)
        await self._resolver.resolve(unit, f"run:{job_id}")
        dataset_id = request.dataset_id or await self._held_out(unit, job)
        if dataset_id is None:
            raise NothingToEvaluate(
                f"Run {job_id} ({job.name}) held nothing out.",
                hint="Name a dataset that it was not trained on as dataset_id.",
            )
        metrics = await self._metrics(unit, request.metrics, dataset_id, None)
        spec = EvaluateSpec(
            model=f"run:{job_id}",
            dataset_id=dataset_id,
            metrics=metrics,
            max_new_tokens=request.max_new_tokens,
            max_questions=request.max_questions,
        )
        return await self._jobs.submit(unit, "evaluate", spec, name=f"evaluate {job.name}"[:200])

    async def holds_pairs(self, unit: Unit, dataset_id: int) -> bool:
        """Whether the rows are preference pairs, which are measured by what is likelier."""
        return (await self._datasets.get(unit, dataset_id)).format == DataFormat.PREFERENCE

    async def _metrics(
        self, unit: Unit, wanted: list[str] | None, data: int | None, questions: int | None
    ) -> list[MetricName]:
        """What is measured: all that the rows allow, or what was asked for; raises MetricUnsupported where they do not."""
        has_pairs = data is not None and await self.holds_pairs(unit, data)
        has_rows = data is not None and not has_pairs
        allowed = [
            *(OF_ROWS if has_rows else ()),
            *(OF_QUESTIONS if has_rows or questions is not None else ()),
            *(OF_PAIRS if has_pairs else ()),
        ]
        if impossible := [name for name in wanted or () if name not in allowed]:
            raise MetricUnsupported(
                f"{', '.join(impossible)} cannot be measured on this data; it allows {', '.join(allowed)}."
            )
        return allowed if wanted is None else [name for name in allowed if name in wanted]

    async def _held_out(self, unit: Unit, job: JobView) -> int | None:
        """The rows that the run's own evaluation takes, else those of its evaluation loss."""
        if job.graph_id is not None:
            steps = await self._jobs.list_jobs(unit, PageRequest(1, 20), kind="evaluate", graph_id=job.graph_id)
            for step in steps.items:
                if step.spec.get("dataset_id"):
                    return int(step.spec["dataset_id"])
        found = job.spec.get("validation_dataset_id")
        return int(found) if found else None

    async def _dataset_id(self, unit: Unit, reference: str | None) -> int | None:
        if reference is None:
            return None
        found = await self._datasets.find_by_reference(unit, reference)
        if found is None:
            raise DatasetNotFoundError(f"There is no dataset {reference!r}.")
        return found.id

    async def record(
        self, unit: Unit, spec: EvaluateSpec, result: EvaluationResponse, *, job_id: int
    ) -> EvaluationResponse:
        """Keep a result, and add it to its version as evidence; a second call of the same job changes nothing."""
        row = await repository.find_by_job(unit, job_id)
        if row is None:
            row = EvaluationRow(
                project_id=unit.principal.project_id,
                created_by=unit.principal.user_id,
                model_id=spec.model_id,
                job_id=job_id,
                dataset_id=spec.dataset_id if spec.dataset_id is not None else spec.questions_dataset_id,
                metrics={},
                evaluator=unit.principal.user_id,
                answers_key=result.answers_key,
            )
            unit.session.add(row)
            await unit.session.flush()
            result = result.model_copy(update={"evaluation_id": row.id, "job_id": job_id})
            row.metrics = result.model_dump(mode="json")
            if spec.model_id is not None:
                await self._registry.add_evidence(
                    unit, spec.model_id, "evaluation", row.metrics, source=f"job:{job_id}"
                )
        return EvaluationResponse.model_validate(row.metrics)

    async def list_evaluations(self, unit: Unit, model_id: int, page: PageRequest) -> ModelEvaluationListResponse:
        """Evaluations of a version, newest first; those of its training run, made before it was registered, included."""
        evidence = await self._registry.list_evidence(unit, model_id, "evaluation")
        job_ids = [int(found.document["job_id"]) for found in evidence if found.document.get("job_id")]
        rows, total = await repository.list_of_model(unit, model_id, job_ids, page)
        items = [_response(row, model_id) for row in rows]
        return ModelEvaluationListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def get_by_job(self, unit: Unit, model_id: int, job_id: int) -> ModelEvaluationResponse:
        """The evaluation that a job has made."""
        row = await repository.get_by_job(unit, job_id)
        return _response(row, model_id)


def _response(row: EvaluationRow, model_id: int) -> ModelEvaluationResponse:
    return ModelEvaluationResponse(
        id=row.id,
        model_id=row.model_id if row.model_id is not None else model_id,
        job_id=row.job_id,
        dataset_id=row.dataset_id,
        metrics=EvaluationResponse.model_validate(row.metrics),
        evaluator=row.evaluator,
        created_at=row.created_at,
    )


def _known(names: list[str] | None) -> None:
    unknown = [name for name in names or () if name not in METRICS]
    if unknown:
        raise MetricUnsupported(f"{', '.join(unknown)}: the metrics of this version are {', '.join(METRICS)}.")
