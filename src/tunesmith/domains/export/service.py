"""Rules of exports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from anyio import to_thread

from tunesmith.db import Unit
from tunesmith.domains.datasets import SUPERVISED, DataFormat, DatasetService, refuse_format
from tunesmith.domains.export import repository
from tunesmith.domains.export.artefact import shown_path
from tunesmith.domains.export.download import Download, check_there, file_download, folder_download, send
from tunesmith.domains.export.errors import ExportNotFound
from tunesmith.domains.export.formats import artefact_output, check_possible, checked_outputs, outputs_of
from tunesmith.domains.export.gguf_checking import KIND, ValidateGgufSpec, get_file
from tunesmith.domains.export.given import given_files
from tunesmith.domains.export.options import export_options
from tunesmith.domains.export.schemas import (
    Certificate,
    CertificateDocument,
    CertificateRequest,
    CertifyJobSpec,
    ExportFile,
    ExportJobSpec,
    ExportListResponse,
    ExportOptions,
    ExportOutput,
    ExportRequest,
    ExportResponse,
    ExportStatus,
    ModelExportRequest,
)
from tunesmith.domains.export.sizes import check_room, weigh
from tunesmith.domains.export.tables import ExportRow
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.registry import RegistryService
from tunesmith.domains.runtime import ModelResolver, Servable
from tunesmith.kit.paging import PageRequest
from tunesmith.ports.storage import Storage
from tunesmith.settings import Settings
from tunesmith.wire.formats import SINGLE_FILES

CALIBRATING = frozenset((*SUPERVISED, DataFormat.TEXT))
"""Formats of rows that an importance matrix is measured on."""


@dataclass(frozen=True)
class Artefact:
    """What a job has written and judged."""

    output: ExportOutput
    storage_key: str
    files: list[ExportFile]
    sha256: str
    certificate: CertificateDocument


class ExportService:
    """Exports and their certificates."""

    def __init__(
        self,
        *,
        settings: Settings,
        jobs: JobService,
        registry: RegistryService,
        resolver: ModelResolver,
        storage: Storage,
        datasets: DatasetService,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._registry = registry
        self._resolver = resolver
        self._storage = storage
        self._datasets = datasets

    async def start(self, unit: Unit, model_id: int, request: ModelExportRequest) -> JobView:
        """Check what can be refused at once, and queue an `export` job of a version."""
        version = await self._registry.get(unit, model_id)
        asked = ExportRequest(model=version.reference, outputs=outputs_of(request), importance=request.importance)
        return await self.start_for(unit, asked)

    async def start_for(self, unit: Unit, request: ExportRequest) -> JobView:
        """The same of any model; what is exported of a registered version is kept with it."""
        outputs = checked_outputs(request.outputs)
        version = await self._registry.find_by_name(unit, request.model) if "@" in request.model else None
        source = await self._resolver.resolve(unit, request.model)
        await to_thread.run_sync(self._check, source, outputs)
        if request.importance is not None and request.importance.dataset_id is not None:
            dataset = await self._datasets.get(unit, request.importance.dataset_id)
            refuse_format(
                dataset.format, f"The dataset {dataset.name}@{dataset.version}", CALIBRATING, "an importance matrix"
            )
        adapter, importance = await to_thread.run_sync(given_files, request, self._settings)
        spec = ExportJobSpec(
            model_id=version.id if version else None,
            model=None if version else request.model,
            outputs=outputs,
            adapter=adapter,
            name=request.name,
            importance=importance,
        )
        return await self._jobs.submit(unit, "export", spec, name=f"export {request.model}"[:200])

    def _check(self, source: Servable, outputs: list[ExportOutput]) -> None:
        check_possible(source, outputs)
        check_room(self._settings.data_dir, weigh(source.base_path, source.adapter_path), outputs)

    async def options(self, unit: Unit, model_id: int) -> ExportOptions:
        """Everything that a version can be exported to, with sizes, and what to take on this machine."""
        version = await self._registry.get(unit, model_id)
        source = await self._resolver.resolve(unit, version.reference)
        return await to_thread.run_sync(export_options, source, self._settings.data_dir)

    async def get_certificate(self, unit: Unit, model_id: int, export_id: int) -> CertificateDocument:
        """The whole certificate of an export; raises ExportNotFound."""
        row = await self._row(unit, model_id, export_id)
        document = CertificateDocument.model_validate(row.certificate)
        return document if document.format else document.model_copy(update=_described(row))

    async def get_download(
        self, unit: Unit, export_id: int, *, model_id: int | None = None, file: str | None = None
    ) -> Download:
        """What is sent of an export: all of it, or one file of its folder. Raises ExportNotFound and ObjectNotFound."""
        row = await self._any_row(unit, export_id, model_id)
        files = [ExportFile.model_validate(entry) for entry in row.files]
        name = row.storage_key.rsplit("/", 1)[-1]
        download = _download(row, name, files, file)
        await check_there(self._storage, download)
        return download

    async def delete(self, unit: Unit, model_id: int, export_id: int) -> list[str]:
        """Forget an export; answers the keys of the files that are to be removed from the store."""
        row = await self._row(unit, model_id, export_id)
        key, names = row.storage_key, [str(entry["name"]) for entry in row.files]
        await unit.session.delete(row)
        await unit.session.flush()
        return [key] if row.format in SINGLE_FILES else [f"{key}/{name}" for name in names]

    async def remove_files(self, keys: list[str]) -> None:
        """Remove an export's files, after the row is gone."""
        for key in keys:
            await self._storage.delete(key)

    def send(self, download: Download, start: int, stop: int) -> AsyncIterator[bytes]:
        """Bytes of a download."""
        return send(self._storage, download, start, stop)

    async def start_validation(self, unit: Unit, file_path: str, prompt: str) -> JobView:
        """Queue a `validate_gguf` job for a file that may be read here."""
        path = await to_thread.run_sync(get_file, file_path, self._settings)
        spec = ValidateGgufSpec(path=str(path), prompt=prompt)
        return await self._jobs.submit(unit, KIND, spec, name=f"validate {path.name}"[:200])

    async def list_of_jobs(self, unit: Unit, job_ids: Sequence[int]) -> list[ExportResponse]:
        """What these jobs have made, oldest first."""
        return [self._view(row) for row in await repository.list_of_jobs(unit, job_ids)]

    async def start_certification(self, unit: Unit, model_id: int, export_id: int) -> JobView:
        """Queue a `certify` job for an export that exists."""
        row = await self._row(unit, model_id, export_id)
        spec = CertifyJobSpec(model_id=model_id, export_id=export_id)
        return await self._jobs.submit(unit, "certify", spec, name=f"certify {row.storage_key.rsplit('/', 1)[-1]}")

    async def start_certificate(self, unit: Unit, request: CertificateRequest) -> JobView:
        """Queue a `certify` job for any artefact that may be read here."""
        path, output = await to_thread.run_sync(artefact_output, request.artefact, request.method, self._settings)
        await self._resolver.resolve(unit, request.source)
        spec = CertifyJobSpec(artefact=str(path), source=request.source, output=output)
        return await self._jobs.submit(unit, "certify", spec, name=f"certify {path.name}"[:200])

    async def get(self, unit: Unit, model_id: int, export_id: int) -> ExportResponse:
        """An export; raises ExportNotFound."""
        return self._view(await self._row(unit, model_id, export_id))

    async def get_kept(self, unit: Unit, export_id: int, *, model_id: int | None = None) -> tuple[ExportResponse, str]:
        """An export, of a version or of any model, and where it lies in the store; raises ExportNotFound."""
        row = await self._any_row(unit, export_id, model_id)
        return self._view(row), row.storage_key

    async def is_known(self, unit: Unit, sha256: str) -> bool:
        """Whether an export with these bytes was made here."""
        return await repository.find_by_sha256(unit, sha256) is not None

    async def list_exports(self, unit: Unit, model_id: int, page: PageRequest) -> ExportListResponse:
        """Exports of a version, newest first."""
        await self._registry.list_evidence(unit, model_id, "export")  # raises when there is no such version
        rows, total = await repository.list_exports(unit, model_id, page)
        items = [self._view(row) for row in rows]
        return ExportListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def record(
        self, unit: Unit, artefact: Artefact, *, model_id: int | None, source: str, job_id: int
    ) -> ExportResponse:
        """Keep an artefact and its certificate, as evidence too; a second call of the same job answers the first's."""
        kind, method = artefact.output.format, artefact.output.method or ""
        row = await repository.find_made(unit, job_id, kind, method)
        if row is None:
            row = ExportRow(
                project_id=unit.principal.project_id,
                created_by=unit.principal.user_id,
                model_id=model_id,
                source=source,
                job_id=job_id,
                format=kind,
                method=method,
                status=_status(artefact.certificate),
                storage_key=artefact.storage_key,
                files=[file.model_dump() for file in artefact.files],
                size_bytes=sum(file.size_bytes for file in artefact.files),
                sha256=artefact.sha256,
                certificate=artefact.certificate.model_dump(mode="json"),
            )
            unit.session.add(row)
            await unit.session.flush()
            await self._tell_registry(unit, row, f"export:{row.id}")
        return self._view(row)

    async def record_certificate(
        self, unit: Unit, model_id: int, export_id: int, certificate: CertificateDocument, *, job_id: int
    ) -> None:
        """Replace an export's certificate by a newer one; the evidence of the older one stands."""
        row = await self._row(unit, model_id, export_id)
        row.certificate = certificate.model_dump(mode="json")
        row.status = _status(certificate)
        await unit.session.flush()
        await self._tell_registry(unit, row, f"export:{row.id}:job:{job_id}")

    async def _tell_registry(self, unit: Unit, row: ExportRow, source: str) -> None:
        if row.model_id is not None:
            document: dict[str, Any] = self._view(row).model_dump(mode="json", exclude={"files", "path"})
            await self._registry.add_evidence(unit, row.model_id, "export", document, source=source)

    async def _row(self, unit: Unit, model_id: int, export_id: int) -> ExportRow:
        row = await repository.find_export(unit, model_id, export_id)
        if row is None:
            raise ExportNotFound(f"Model version {model_id} has no export {export_id}.")
        return row

    async def _any_row(self, unit: Unit, export_id: int, model_id: int | None) -> ExportRow:
        if model_id is not None:
            return await self._row(unit, model_id, export_id)
        row = await repository.find_any(unit, export_id)
        if row is None:
            raise ExportNotFound(f"There is no export {export_id}.")
        return row

    def _view(self, row: ExportRow) -> ExportResponse:
        files = [ExportFile.model_validate(file) for file in row.files]
        is_folder = row.format not in SINGLE_FILES
        return ExportResponse(
            id=row.id,
            model_id=row.model_id,
            source=row.source,
            job_id=row.job_id,
            format=row.format,
            method=row.method or None,
            status=ExportStatus(row.status),
            path=shown_path(self._storage, row.storage_key, files, is_folder=is_folder),
            files=files,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            certificate=Certificate.model_validate(row.certificate),
            created_at=row.created_at,
        )


def _described(row: ExportRow) -> dict[str, Any]:
    """What a certificate of an older version of Tunesmith does not say itself."""
    name = row.storage_key.rsplit("/", 1)[-1]
    return {"artefact": name, "source": row.source, "format": row.format, "method": row.method or None}


def _download(row: ExportRow, name: str, files: list[ExportFile], file: str | None) -> Download:
    if file is not None:
        found = next((entry for entry in files if entry.name == file), None)
        if found is None:
            raise ExportNotFound(f"Export {row.id} has no file {file[:100]!r}.")
        key = row.storage_key if row.format in SINGLE_FILES else f"{row.storage_key}/{found.name}"
        return file_download(found.name, key, found)
    if row.format in SINGLE_FILES:
        return file_download(name, row.storage_key, files[0])
    return folder_download(name, row.storage_key, files, row.sha256)


def _status(certificate: Certificate) -> str:
    return (ExportStatus.READY if certificate.passed else ExportStatus.FAILED).value
