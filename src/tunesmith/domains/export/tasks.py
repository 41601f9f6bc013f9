"""What the worker does for exports: write, certify, keep."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from tunesmith.db import Unit
from tunesmith.domains.datasets import DatasetService
from tunesmith.domains.export.answering import open_artefact, unpack
from tunesmith.domains.export.artefact import fetch, forget, hash_files, keep, sha256_of
from tunesmith.domains.export.certificate import Source, compare, file_check, listen, unmeasured
from tunesmith.domains.export.errors import ArtefactNotFound
from tunesmith.domains.export.prompts import BUILT_IN, SHORT, Messages
from tunesmith.domains.export.schemas import (
    CertificateDocument,
    CertifyJobSpec,
    Check,
    ExportFile,
    ExportJobSpec,
    ExportOutput,
    ExportResponse,
    ExportResult,
    PromptResult,
)
from tunesmith.domains.export.service import CALIBRATING, Artefact, ExportService
from tunesmith.domains.export.thresholds import thresholds_of
from tunesmith.domains.jobs import Cancelled, JobContext, JobKind
from tunesmith.domains.registry import RegistryService
from tunesmith.domains.runtime import ModelResolver, RuntimeBusy, RuntimeService, RuntimeStartSlow, Servable
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import InvalidInput, MissingExtra, TunesmithError
from tunesmith.kit.ids import slugify
from tunesmith.kit.paths import resolve_under
from tunesmith.ports.storage import Storage
from tunesmith.settings import Settings
from tunesmith.text import ChatTemplate, ChatTemplateMissing
from tunesmith.text.folder import read_json
from tunesmith.wire.formats import SINGLE_FILES, file_stem
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
    base_model: str


class Exporter:
    """Runs `export` and `certify` jobs. Nothing is recorded before it is complete, and a second run records nothing twice."""

    def __init__(
        self,
        *,
        settings: Settings,
        service: ExportService,
        registry: RegistryService,
        datasets: DatasetService,
        runtime: RuntimeService,
        resolver: ModelResolver,
        storage: Storage,
    ) -> None:
        self._settings = settings
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
        if spec.adapter is not None:
            source = Servable(source.name, source.base_path, Path(spec.adapter), source.base_path)
            subject = replace(subject, source=source)
        if spec.name is not None:
            subject = replace(subject, file_stem=slugify(spec.name, "model"))
        finished = await context.run_child(
            CHILD,
            ExportSpec(
                **await self._importance(context, spec),
                job_id=context.job.id,
                model_path=str(source.base_path),
                adapter_path=str(source.adapter_path) if source.adapter_path else None,
                outputs=[output.model_dump() for output in spec.outputs],
                name=subject.file_stem,
                title=subject.reference,
                base_model=subject.base_model,
                card=await self._card(context, subject),
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

    async def _importance(self, context: JobContext, spec: ExportJobSpec) -> dict[str, Any]:
        """What the child measures the importance matrix on, or where there is one."""
        wanted = spec.importance
        if wanted is None:
            return {}
        if wanted.dataset_id is None:
            return {"importance_path": wanted.file}
        await context.progress(0, None, "writing the calibration rows")
        async with context.read() as unit:
            target = context.folder / "calibration.jsonl"
            file = await self._datasets.export_rows(
                unit, wanted.dataset_id, target, accepted=CALIBRATING, skip_invalid=True
            )
        return {"calibration_path": str(file.path), "calibration_rows": wanted.rows}

    async def _finish(
        self, context: JobContext, subject: Subject, output: ExportOutput, path: Path, sha256: str, heard: Source
    ) -> ExportResponse:
        context.check()
        files = await hash_files(path)
        intact = sha256_of(files, is_folder=path.is_dir()) == sha256
        check = file_check(None if intact else "The file is not what was written.")
        certificate = await self._judge(context, output, path, subject, heard, check)
        key = f"exports/job-{context.job.id}/{path.name}"
        try:
            context.check()
            await keep(self._storage, path, key)
            artefact = Artefact(output, key, files, sha256, certificate)
            async with context.write() as unit:
                return await self._service.record(
                    unit, artefact, model_id=subject.model_id, source=subject.reference, job_id=context.job.id
                )
        except (TunesmithError, Cancelled):  # a full disk, say: nothing half stays behind
            await forget(self._storage, key)
            raise

    async def certify(self, context: JobContext) -> CertificateDocument:
        """The task of a `certify` job: an artefact and its source, both as they are now."""
        spec = cast(CertifyJobSpec, context.spec)
        if spec.model_id is not None and spec.export_id is not None:
            return await self._certify_kept(context, spec.model_id, spec.export_id)
        if spec.artefact is None or spec.source is None or spec.output is None:
            raise InvalidInput("Give model_id and export_id, or artefact, source and output.")
        path = Path(spec.artefact)
        try:
            sha256 = sha256_of(await hash_files(path), is_folder=path.is_dir())
        except OSError as error:
            raise ArtefactNotFound(f"{path.name} cannot be read ({error.strerror}).") from error
        async with context.read() as unit:
            known = await self._service.is_known(unit, sha256)
        check = file_check(None, message=None if known else "No export of this server has these bytes.")
        subject = await self._subject(context, None, spec.source)
        heard = await self._listen(context, subject)
        return await self._judge(context, spec.output, path, subject, heard, check)

    async def _certify_kept(self, context: JobContext, model_id: int, export_id: int) -> CertificateDocument:
        async with context.read() as unit:
            export = await self._service.get(unit, model_id, export_id)
            _, key = await self._service.get_kept(unit, export_id, model_id=model_id)
        is_folder = export.format not in SINGLE_FILES
        path = await fetch(self._storage, key, export.files, is_folder=is_folder, into=context.folder / "artefact")
        intact = path is not None and await _is_intact(path, export.files, export.sha256)
        check = file_check(None if intact else "The file is not what was written.")
        output = ExportOutput(format=export.format, method=export.method)
        subject = await self._subject(context, model_id, None)
        heard = await self._listen(context, subject) if intact else None
        certificate = await self._judge(context, output, path, subject, heard, check)
        async with context.write() as unit:
            await self._service.record_certificate(unit, model_id, export_id, certificate, job_id=context.job.id)
        return certificate

    async def _judge(
        self,
        context: JobContext,
        output: ExportOutput,
        path: Path | None,
        subject: Subject,
        heard: Source | None,
        intact: Check,
    ) -> CertificateDocument:
        label = f"{output.format} {output.method or ''}".strip()
        thresholds = thresholds_of(output.format, output.method)
        prompts: list[PromptResult] = []
        if path is None or heard is None or not intact.passed:
            checks = [intact, *unmeasured(thresholds, "The file is not what was written.")]
        else:
            await context.progress(0, None, f"certifying {label}")
            context.check()
            checks, prompts = await self._ask(context, output, path, subject, heard, intact)
        certificate = CertificateDocument(
            passed=all(check.passed for check in checks),
            checks=checks,
            artefact=path.name if path else "",
            source=subject.reference,
            format=output.format,
            method=output.method,
            certified_at=utc_now(),
            prompts=prompts,
        )
        failed = [check.name for check in checks if not check.passed]
        await context.log(
            f"{label}: certificate {'failed: ' + ', '.join(failed) if failed else 'passed'}",
            "error" if failed else "info",
        )
        return certificate

    async def _ask(
        self,
        context: JobContext,
        output: ExportOutput,
        path: Path,
        subject: Subject,
        heard: Source,
        intact: Check,
    ) -> tuple[list[Check], list[PromptResult]]:
        """Load the artefact and compare; one that cannot be loaded is not intact."""
        source, unpacked = subject.source, context.folder / "unpacked"
        try:
            if output.format == "zip":
                path, output = await context.in_thread(unpack, path, unpacked, output.method)
            base = await self._base_of(context, path, source) if output.format == "adapter" else source.base_path
            async with open_artefact(
                self._runtime, path, output, base=base, tokenizer=source.tokenizer_path or source.base_path
            ) as artefact:
                thresholds = thresholds_of(output.format, output.method)
                checks, prompts = await compare(heard, artefact, thresholds)
                return [intact, *checks], prompts
        except (MissingExtra, RuntimeBusy, RuntimeStartSlow):
            raise  # that is no fault of the artefact
        except TunesmithError as error:
            thresholds = thresholds_of(output.format, output.method)
            return [file_check(error.message), *unmeasured(thresholds, "It cannot be loaded.")], []
        finally:
            await context.in_thread(shutil.rmtree, unpacked, ignore_errors=True)

    async def _base_of(self, context: JobContext, adapter: Path, source: Servable) -> Path:
        """The base that an adapter names, where it is here; else the source's own."""
        try:
            named = read_json(adapter / "adapter_config.json").get("base_model_name_or_path")
            async with context.read() as unit:
                found = await self._resolver.resolve(unit, str(named))
        except (TunesmithError, ValueError):
            return source.base_path
        return source.base_path if found.adapter_path else found.base_path

    async def _listen(self, context: JobContext, subject: Subject) -> Source:
        await context.progress(0, None, "asking the source")
        texts = subject.source.tokenizer_path or subject.source.base_path
        plain = await context.in_thread(_has_no_template, texts)
        async with self._runtime.session(subject.source) as source:
            health = await source.health()
            return await listen(
                source,
                [*subject.prompts, *BUILT_IN, *SHORT],
                vocab_size=health.vocab_size,
                context_length=health.context_length,
                wanted=self._settings.export.certificate_prompts,
                plain=plain,
                ends=[] if health.backend == "llamacpp" else health.end_token_ids,  # that names one of several
            )

    async def _card(self, context: JobContext, subject: Subject) -> str | None:
        if subject.model_id is None:
            return None
        async with context.read() as unit:
            return await self._registry.card(unit, subject.model_id)

    async def _subject(self, context: JobContext, model_id: int | None, model: str | None) -> Subject:
        async with context.read() as unit:
            if model_id is None and model is not None:
                version = await self._registry.find_by_name(unit, model) if "@" in model else None
                if version is None:
                    source = await self._resolver.resolve(unit, model)
                    return Subject(model, file_stem(model), source, [], None, _name_of(source))
                model_id = version.id
            if model_id is None:
                raise InvalidInput("The job names no model.", hint="Give model_id or model.")
            detail = await self._registry.get(unit, model_id)
            source = await self._resolver.resolve(unit, detail.reference)
            prompts = await self._own_prompts(unit, context, model_id)
        stem = file_stem(detail.reference)
        return Subject(detail.reference, stem, source, prompts, model_id, detail.base_model)

    async def _own_prompts(self, unit: Unit, context: JobContext, model_id: int) -> list[Messages]:
        """Questions that the version was evaluated on, where that data can still be read."""
        evidence = await self._registry.list_evidence(unit, model_id, "evaluation")
        named = [found.document.get("questions_dataset_id") for found in evidence]
        dataset_id = next((number for number in reversed(named) if number), None)
        if dataset_id is None:
            return []
        try:
            file = await self._datasets.export_rows(unit, dataset_id, context.folder / "prompts.jsonl")
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


def _has_no_template(folder: Path) -> bool:
    """Whether this is a model that continues text and knows no conversations."""
    try:
        ChatTemplate.from_folder(folder)
    except ChatTemplateMissing:
        return True
    except TunesmithError:
        return False
    return False


def _name_of(source: Servable) -> str:
    """How an adapter names its base: by name where it has one, else by its folder."""
    by_name = source.adapter_path is None and not source.name.startswith((".", "/", "~"))
    return source.name if by_name else str(source.base_path)


def kinds(exporter: Exporter) -> list[JobKind]:
    """The job kinds of exports."""
    return [
        JobKind(name="export", spec=ExportJobSpec, result=ExportResult, run=exporter.export),
        JobKind(name="certify", spec=CertifyJobSpec, result=CertificateDocument, run=exporter.certify),
    ]
