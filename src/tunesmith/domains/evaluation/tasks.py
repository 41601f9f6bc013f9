"""What the worker does for evaluations."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from tunesmith.db import Unit
from tunesmith.domains.datasets import SUPERVISED, DataFormat, DatasetService
from tunesmith.domains.evaluation.errors import NothingToEvaluate
from tunesmith.domains.evaluation.measure import Asked, Pair, Question, RowFile, questions_of
from tunesmith.domains.evaluation.schemas import (
    OF_PAIRS,
    OF_QUESTIONS,
    OF_ROWS,
    Comparison,
    EvaluateSpec,
    EvaluationResponse,
)
from tunesmith.domains.evaluation.service import EvaluationService
from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.domains.registry import RegistryService
from tunesmith.domains.runtime import ModelResolver, RuntimeService, Servable
from tunesmith.kit.paths import atomic_file
from tunesmith.ports.storage import Storage


@dataclass(frozen=True)
class Sources:
    """The rows of each set."""

    held_out: RowFile | None
    pairs: RowFile | None
    questions: RowFile | None
    general: RowFile | None


@dataclass(frozen=True)
class Models:
    """What is compared, and what it is called."""

    tuned: Servable
    tuned_name: str
    base: Servable | None
    base_name: str


class Evaluator:
    """Runs `evaluate` jobs. Whatever happens, a second run does the same work and records it once."""

    def __init__(
        self,
        *,
        service: EvaluationService,
        registry: RegistryService,
        datasets: DatasetService,
        runtime: RuntimeService,
        resolver: ModelResolver,
        storage: Storage,
    ) -> None:
        self._service = service
        self._registry = registry
        self._datasets = datasets
        self._runtime = runtime
        self._resolver = resolver
        self._storage = storage

    async def run(self, context: JobContext) -> EvaluationResponse:
        """The task."""
        spec = cast(EvaluateSpec, context.spec)
        async with context.read() as unit:
            models = await self._models(unit, spec)
            sources = await self._sources(unit, spec, context)
        result, answers = await self._measure(context, spec, models, sources)
        result.answers_key = await self._keep(context, answers)
        async with context.write() as unit:
            return await self._service.record(unit, spec, result, job_id=context.job.id)

    async def _models(self, unit: Unit, spec: EvaluateSpec) -> Models:
        if spec.publication is not None:
            made = spec.publication
            tuned = made.servable("tuned")
            names = (made.base_model, "tuned")
        elif spec.model_id is not None:
            files = await self._registry.files(unit, spec.model_id)
            version = await self._registry.get(unit, spec.model_id)
            tuned = files.servable(version.reference)
            names = (version.base_model, version.reference)
        elif spec.model is not None:
            tuned = await self._resolver.resolve(unit, spec.model)
            names = (f"base of {spec.model}", spec.model)
        else:
            raise NothingToEvaluate("The job names no model.", hint="Give publication, model_id or model.")
        if spec.base is not None:
            return Models(tuned, names[1], await self._resolver.resolve(unit, spec.base), spec.base)
        return Models(tuned, names[1], tuned.base if tuned.has_base else None, names[0])

    async def _sources(self, unit: Unit, spec: EvaluateSpec, context: JobContext) -> Sources:
        made: dict[int, RowFile] = {}

        async def rows(dataset_id: int | None, accepted: Collection[DataFormat] = SUPERVISED) -> RowFile | None:
            if dataset_id is None:
                return None
            if dataset_id not in made:
                target = context.folder / f"evaluate-{dataset_id}.jsonl"
                file = await self._datasets.export_rows(unit, dataset_id, target, accepted=accepted)
                made[dataset_id] = RowFile(file.path, file.rows)
            return made[dataset_id]

        has_pairs = spec.dataset_id is not None and await self._service.holds_pairs(unit, spec.dataset_id)
        conversations = None if has_pairs else spec.dataset_id
        return Sources(
            held_out=await rows(conversations),
            pairs=await rows(spec.dataset_id, [DataFormat.PREFERENCE]) if has_pairs else None,
            questions=await rows(spec.questions_dataset_id or conversations),
            general=await rows(spec.general_dataset_id),
        )

    async def _measure(
        self, context: JobContext, spec: EvaluateSpec, models: Models, sources: Sources
    ) -> tuple[EvaluationResponse, dict[str, list[Asked]]]:
        wanted = set(spec.metrics)
        held_out = sources.held_out if wanted & set(OF_ROWS) else None
        pairs = sources.pairs if wanted & set(OF_PAIRS) else None
        asks = bool(wanted & set(OF_QUESTIONS))

        async def questions_in(rows: RowFile | None) -> list[Question]:
            return await context.in_thread(questions_of, rows, spec.max_questions) if asks and rows is not None else []

        questions, general = await questions_in(sources.questions), await questions_in(sources.general)
        total = sum(len(items) for items in (questions, general, held_out, pairs) if items is not None)

        async def tell(done: int, message: str) -> None:
            context.check()
            await context.progress(done, total, message)

        answers: dict[str, list[Asked]] = {}
        async with contextlib.AsyncExitStack() as stack:
            # The tuned model first: its child then answers for the base too, with the adapter off.
            tuned_handle = await stack.enter_async_context(self._runtime.session(models.tuned))
            base_handle = await stack.enter_async_context(self._runtime.session(models.base)) if models.base else None
            pair = Pair(tuned_handle, base_handle, (models.base_name, models.tuned_name), tell)
            main, other = pair.comparison(), pair.comparison()
            if held_out is not None and (skipped := await pair.held_out(held_out, main)):
                await context.log(f"{skipped} rows are longer than the model's context and were left out.", "warning")
            if pairs is not None and (skipped := await pair.preferences(pairs, main)):
                await context.log(f"{skipped} pairs are longer than the model's context and were left out.", "warning")
            if questions:
                answers["questions"] = await pair.answers(questions, spec.max_new_tokens, main)
            if general:
                answers["general"] = await pair.answers(general, spec.max_new_tokens, other)
        await context.progress(total, total, "done")
        return _result(spec, main, other if general else None), answers

    async def _keep(self, context: JobContext, answers: dict[str, list[Asked]]) -> str | None:
        if not answers:
            return None
        file = context.folder / "answers.jsonl"

        def write() -> None:
            with atomic_file(file) as lines:
                for part, asked in answers.items():
                    for number, one in enumerate(asked, start=1):
                        lines.write(json.dumps(one.to_plain(part, number), ensure_ascii=False).encode() + b"\n")

        await context.in_thread(write)
        stored = await self._storage.put_file(file, f"evaluations/job-{context.job.id}/answers.jsonl")
        return stored.key


def _result(spec: EvaluateSpec, main: Comparison, general: Comparison | None) -> EvaluationResponse:
    return EvaluationResponse(
        **main.model_dump(),
        dataset_id=spec.dataset_id,
        questions_dataset_id=spec.questions_dataset_id or spec.dataset_id,
        general=general,
        conditions={
            "decoding": "greedy",
            "max_new_tokens": spec.max_new_tokens,
            "answer_rule": "exact after NFKC, case, white space and punctuation at the ends",
            "loss_rule": "mean over the assistant's tokens",
            "preference_rule": "mean log-probability of an answer's tokens",
        },
    )


def kinds(evaluator: Evaluator) -> list[JobKind]:
    """The job kinds of evaluations."""
    return [JobKind(name="evaluate", spec=EvaluateSpec, result=EvaluationResponse, run=evaluator.run)]
