"""What the worker does for exports: write, certify, keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tunesmith.db import Unit
from tunesmith.domains.datasets import DatasetService
from tunesmith.domains.export.artefact import fetch, hash_files, keep, sha256_of
from tunesmith.domains.export.certificate import (
    THRESHOLDS,
    Source,
    compare,
    file_intact,
    file_unknown,
    listen,
    unmeasured,
)
from tunesmith.domains.export.prompts import BUILT_IN, Messages
from tunesmith.domains.export.schemas import (
    Certificate,
    CertifyJobSpec,
    Check,
    ExportFile,
    ExportJobSpec,
    ExportOutput,
    ExportResponse,
    ExportResult,
)
from tunesmith.domains.export.service import Artefact, ExportService
from tunesmith.domains.jobs import JobContext, JobKind
from tunesmith.domains.registry import RegistryService
from tunesmith.domains.runtime import ModelResolver, RuntimeService, Servable
from tunesmith.kit.errors import InvalidInput, TunesmithError
from tunesmith.kit.ids import slugify
from tunesmith.kit.paths import resolve_under
from tunesmith.ports.storage import Storage
from tunesmith.wire.recipe import ExportFormat
from tunesmith.wire.spec import ExportSpec

CHILD = "tunesmith.ml.export"
OWN_PROMPTS = 16
"""Prompts of the version's own held-out data; the built-in ones fill the rest."""


@dataclass(frozen=True)
class Subject:
    """What is exported or certified: the source, its names, and prompts of its own data."""

    reference: str
    file_stem: str
    source: Servable
    prompts: list[Messages]
    model_id: int | None


class Exporter:
    """Runs `export` and `certify` jobs. Nothing is recorded before it is complete, and a second run records nothing twice."""

    def __init__(
        self,
        *,
        service: ExportService,
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

    async def export(self, context: JobContext) -> ExportResult:
        """The task of an `export` job."""
        spec = cast(ExportJobSpec, context.spec)
        subject = await self._subject(context, spec.model_id, spec.model)
        source = subject.source
        finished = await context.run_child(
            CHILD,
            ExportSpec(
                job_id=context.job.id,
                model_path=str(source.base_path),
                adapter_path=str(source.adapter_path) if source.adapter_path else None,
                outputs=[output.model_dump() for output in spec.outputs],
                name=subject.file_stem,
            ),
        )
        if context.run is None:
            raise RuntimeError("a finished child has a run directory")
        heard = await self._listen(context, subject)
        exports = []
        for output, written in zip(spec.outputs, finished.result["exports"], strict=True):
            path = resolve_under(context.run.path, written["path"])
            exports.append(await self._finish(context, subject, output, path, written["sha256"], heard))
        return ExportResult(exports=exports)

    async def _finish(
        self, context: JobContext, subject: Subject, output: ExportOutput, path: Path, sha256: str, heard: Source
    ) -> ExportResponse:
        files = await hash_files(path)
        intact = sha256_of(files, is_folder=path.is_dir()) == sha256
        certificate = await self._certify(context, output, path, heard, file_intact(intact))
        key = f"exports/job-{context.job.id}/{path.name}"
        await keep(self._storage, path, key)
        artefact = Artefact(output, key, files, sha256, certificate)
        async with context.write() as unit:
            return await self._service.record(
                unit, artefact, model_id=subject.model_id, source=subject.reference, job_id=context.job.id
            )

    async def certify(self, context: JobContext) -> Certificate:
        """The task of a `certify` job: an artefact and its source, both as they are now."""
        spec = cast(CertifyJobSpec, context.spec)
        if spec.model_id is not None and spec.export_id is not None:
            return await self._certify_kept(context, spec.model_id, spec.export_id)
        if spec.artefact is None or spec.source is None or spec.output is None:
            raise InvalidInput("Give model_id and export_id, or artefact, source and output.")
        path = Path(spec.artefact)
        sha256 = sha256_of(await hash_files(path), is_folder=path.is_dir())
        async with context.read() as unit:
            check = file_intact(True) if await self._service.is_known(unit, sha256) else file_unknown()
        heard = await self._listen(context, await self._subject(context, None, spec.source))
        return await self._certify(context, spec.output, path, heard, check)

    async def _certify_kept(self, context: JobContext, model_id: int, export_id: int) -> Certificate:
        async with context.read() as unit:
            export = await self._service.get(unit, model_id, export_id)
            key = await self._service.get_storage_key(unit, model_id, export_id)
        is_folder = export.format == ExportFormat.MERGED
        path = await fetch(self._storage, key, export.files, is_folder=is_folder, into=context.folder / "artefact")
        intact = path is not None and await _is_intact(path, export.files, export.sha256)
        output = ExportOutput(format=export.format, method=export.method)
        heard = await self._listen(context, await self._subject(context, model_id, None)) if intact else None
        certificate = await self._certify(context, output, path, heard, file_intact(intact))
        async with context.write() as unit:
            await self._service.record_certificate(unit, model_id, export_id, certificate, job_id=context.job.id)
        return certificate

    async def _certify(
        self, context: JobContext, output: ExportOutput, path: Path | None, heard: Source | None, intact: Check
    ) -> Certificate:
        thresholds = THRESHOLDS[output.format, output.method]
        label = f"{output.format} {output.method or ''}".strip()
        if path is None or heard is None or not intact.passed:
            checks = unmeasured(thresholds, "The file is not what was written.")
        else:
            await context.progress(0, None, f"certifying {label}")
            context.check()
            try:
                # No tokenizer beside a GGUF file: it has to speak for itself.
                async with self._runtime.session(Servable(path.name, path)) as artefact:
                    checks = await compare(heard, artefact, thresholds)
            except TunesmithError as error:
                checks = unmeasured(thresholds, error.message)
        certificate = Certificate.of([intact, *checks])
        failed = [check.name for check in certificate.checks if not check.passed]
        await context.log(
            f"{label}: certificate {'passed' if certificate.passed else 'failed: ' + ', '.join(failed)}",
            "info" if certificate.passed else "error",
        )
        return certificate

    async def _listen(self, context: JobContext, subject: Subject) -> Source:
        await context.progress(0, None, "asking the source")
        async with self._runtime.session(subject.source) as source:
            health = await source.health()
            prompts = [*subject.prompts, *BUILT_IN]
            return await listen(source, prompts, vocab_size=health.vocab_size, context_length=health.context_length)

    async def _subject(self, context: JobContext, model_id: int | None, model: str | None) -> Subject:
        async with context.read() as unit:
            if model_id is None and model is not None:
                version = await self._registry.find_by_name(unit, model) if "@" in model else None
                if version is None:
                    source = await self._resolver.resolve(unit, model)
                    return Subject(model, slugify(source.name, "model"), source, [], None)
                model_id = version.id
            if model_id is None:
                raise InvalidInput("The job names no model.", hint="Give model_id or model.")
            detail = await self._registry.get(unit, model_id)
            files = await self._registry.files(unit, model_id)
            prompts = await self._own_prompts(unit, context, model_id)
        source = Servable(detail.reference, files.base_path, files.adapter_path, files.base_path)
        return Subject(detail.reference, f"{detail.model_name}-{detail.version}", source, prompts, model_id)

    async def _own_prompts(self, unit: Unit, context: JobContext, model_id: int) -> list[Messages]:
        """Questions that the version was evaluated on, where that data can still be read."""
        evidence = await self._registry.list_evidence(unit, model_id, "evaluation")
        named = [found.document.get("questions_dataset_id") for found in evidence]
        dataset_id = next((number for number in reversed(named) if number), None)
        if dataset_id is None:
            return []
        try:
            file = await self._datasets.export_messages(unit, dataset_id, context.folder / "prompts.jsonl")
        except TunesmithError as error:
            await context.log(f"The held-out questions cannot be read ({error.message}); the built-in ones are asked.")
            return []
        return await context.in_thread(_first_questions, file.path)


def _first_questions(file: Path) -> list[Messages]:
    prompts: list[Messages] = []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            messages = json.loads(line)["messages"]
            if len(messages) > 1 and messages[-1].get("role") == "assistant":
                prompts.append(messages[:-1])
            if len(prompts) == OWN_PROMPTS:
                break
    return prompts


async def _is_intact(path: Path, files: Sequence[ExportFile], sha256: str) -> bool:
    found = await hash_files(path)
    same = {file.name: file.sha256 for file in found} == {file.name: file.sha256 for file in files}
    return same and sha256_of(found, is_folder=path.is_dir()) == sha256


def kinds(exporter: Exporter) -> list[JobKind]:
    """The job kinds of exports."""
    return [
        JobKind(name="export", spec=ExportJobSpec, result=ExportResult, run=exporter.export),
        JobKind(name="certify", spec=CertifyJobSpec, result=Certificate, run=exporter.certify),
    ]
