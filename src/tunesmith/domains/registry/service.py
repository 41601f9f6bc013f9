"""Rules of the registry."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import JobService
from tunesmith.domains.registry import repository
from tunesmith.domains.registry.card import write_card
from tunesmith.domains.registry.errors import ModelVersionNotFound, RegistrationConflict, RegistrationInvalid
from tunesmith.domains.registry.files import FileEntry, local_folder, manifest_sha256, store_weights
from tunesmith.domains.registry.repository import VersionFilter
from tunesmith.domains.registry.schemas import (
    EvidenceView,
    ModelDetailResponse,
    ModelFile,
    ModelListResponse,
    ModelRegisterRequest,
    ModelResponse,
    ModelStatus,
    Publication,
    RegisterSpec,
    VersionFiles,
)
from tunesmith.domains.registry.tables import EvidenceRow, ModelFileRow, VersionRow
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.paging import PageRequest
from tunesmith.ports.storage import Storage

FIRST_VERSION = "1.0.0"


class RegistryService:
    """Versions of models, their files and their evidence."""

    def __init__(self, *, storage: Storage, jobs: JobService, cache_dir: Path) -> None:
        self.storage = storage
        self._jobs = jobs
        self._cache_dir = cache_dir
        self.listeners: list[Callable[[Unit, ModelResponse], Awaitable[None]]] = []
        """Told of each new version, in the transaction that makes it."""

    async def register(self, access: Access, request: ModelRegisterRequest) -> ModelResponse:
        """Make a version of what a completed job left behind: check, copy without a transaction, write.

        Raises RegistrationConflict and RegistrationInvalid; files that were copied in vain are removed.
        """
        async with access.read() as unit:
            spec = await self._spec_of(unit, request)
        prefix = f"models/{secrets.token_hex(8)}"
        files = await store_weights(self.storage, spec.publication.weights_dir, prefix)
        try:
            async with access.write("model.register", resource=f"job:{request.job_id}") as unit:
                return await self.record(unit, spec, files)
        except (TunesmithError, SQLAlchemyError):
            for file in files:
                await self.storage.delete(file.storage_key)
            raise

    async def _spec_of(self, unit: Unit, request: ModelRegisterRequest) -> RegisterSpec:
        job = await self._jobs.get(unit, request.job_id)
        if job.state != "succeeded":
            raise RegistrationConflict(
                f"Job {job.id} ({job.name}) is {job.state}; only a completed one can be registered."
            )
        document = (job.result or {}).get("publication")
        if document is None:
            raise RegistrationInvalid(f"Job {job.id} is of kind {job.kind!r} and left nothing to register.")
        if request.version and await repository.is_taken(unit, request.model_name, request.version):
            raise _taken(request.model_name, request.version)
        try:
            publication = Publication.model_validate(document)
        except ValidationError as error:
            missing = ", ".join(".".join(map(str, fault["loc"])) or fault["msg"] for fault in error.errors())
            raise RegistrationInvalid(f"What job {job.id} left behind is incomplete: {missing}.") from error
        publication.job_id = job.id
        return RegisterSpec(
            publication=publication,
            name=request.model_name,
            version=request.version,
            tags=request.tags,
            description=request.description,
            model_metadata=request.model_metadata,
        )

    async def record(
        self, unit: Unit, spec: RegisterSpec, files: list[FileEntry], *, register_job_id: int | None = None
    ) -> ModelResponse:
        """Make the version, with its manifest and first evidence; a second call of the same job answers what the first made."""
        if register_job_id is not None:
            made = await repository.find_registered_by(unit, register_job_id)
            if made is not None:
                return _response(made)
        version = spec.version or _next_version(await repository.list_version_numbers(unit, spec.name))
        if await repository.is_taken(unit, spec.name, version):
            raise _taken(spec.name, version)
        owner: dict[str, Any] = {"project_id": unit.principal.project_id, "created_by": unit.principal.user_id}
        row = VersionRow(
            **owner,
            model_name=spec.name,
            version=version,
            base_model=spec.publication.base_model,
            job_id=spec.publication.job_id,
            register_job_id=register_job_id,
            status=ModelStatus.STAGING.value,
            description=spec.description,
            model_size_gb=sum(file.size_bytes for file in files) / 1e9,
            tags=list(dict.fromkeys(spec.tags)),
            publication=spec.publication.model_dump(mode="json") | {"manifest_sha256": manifest_sha256(files)},
            model_metadata=spec.model_metadata,
        )
        unit.session.add(row)
        try:
            await unit.session.flush()
        except IntegrityError as error:  # somebody else took it since we looked
            raise _taken(spec.name, version) from error
        for file in files:
            unit.session.add(ModelFileRow(**owner, model_id=row.id, **vars(file)))
        await unit.session.flush()
        if spec.evaluation:
            source = f"job:{spec.evaluation.get('job_id', register_job_id)}"
            await self.add_evidence(unit, row.id, "evaluation", spec.evaluation, source=source)
        for listener in self.listeners:
            await listener(unit, _response(row))
        return _response(row)

    async def note_tracker_uri(self, unit: Unit, model_id: int, uri: str) -> None:
        """Keep where MLflow has the version; a version that is gone needs none."""
        row = await repository.find_version(unit, model_id)
        if row is not None:
            row.mlflow_model_uri = uri

    async def get(self, unit: Unit, model_id: int) -> ModelDetailResponse:
        """A version with its files and evidence; raises ModelVersionNotFound."""
        row = await self._row(unit, model_id)
        files = await repository.list_files(unit, model_id)
        evidence = await repository.list_evidence(unit, model_id)
        return ModelDetailResponse(
            **_response(row).model_dump(),
            publication=Publication.model_validate(row.publication),
            model_metadata=row.model_metadata,
            files=[ModelFile(path=file.path, sha256=file.sha256, size_bytes=file.size_bytes) for file in files],
            evidence=[_evidence(found) for found in evidence],
        )

    async def find_by_name(self, unit: Unit, reference: str) -> ModelResponse | None:
        """The version that ``name@version`` or ``name@production`` names."""
        name, _, version = reference.partition("@")
        if version == ModelStatus.PRODUCTION:
            row = await repository.find_named(unit, name, status=version)
        else:
            row = await repository.find_named(unit, name, version=version)
        return _response(row) if row else None

    async def get_by_name(self, unit: Unit, reference: str) -> ModelResponse:
        """Like ``find_by_name``; raises ModelVersionNotFound."""
        found = await self.find_by_name(unit, reference)
        if found is None:
            raise ModelVersionNotFound(f"There is no model version {reference!r}.")
        return found

    async def list_versions(
        self, unit: Unit, page: PageRequest, wanted: VersionFilter | None = None
    ) -> ModelListResponse:
        """A page of versions, newest first."""
        rows, total = await repository.list_versions(unit, page, wanted or VersionFilter())
        items = [_response(row) for row in rows]
        return ModelListResponse(items=items, total=total, page=page.page, page_size=page.page_size)

    async def add_evidence(
        self, unit: Unit, model_id: int, kind: str, document: dict[str, Any], *, source: str
    ) -> EvidenceView:
        """Append what ``source`` found out; what it has said before stands."""
        await self._row(unit, model_id)
        row = await repository.find_evidence(unit, model_id, kind, source)
        if row is None:
            row = EvidenceRow(
                project_id=unit.principal.project_id,
                created_by=unit.principal.user_id,
                model_id=model_id,
                kind=kind,
                source=source,
                document=document,
            )
            unit.session.add(row)
            await unit.session.flush()
        return _evidence(row)

    async def list_evidence(self, unit: Unit, model_id: int, kind: str | None = None) -> list[EvidenceView]:
        """What was found out about a version, oldest first."""
        await self._row(unit, model_id)
        return [_evidence(row) for row in await repository.list_evidence(unit, model_id, kind)]

    async def files(self, unit: Unit, model_id: int) -> VersionFiles:
        """Where the version's files can be read here; raises FilesDamaged when they are not what was registered."""
        row = await self._row(unit, model_id)
        entries = [
            FileEntry(file.path, file.storage_key, file.sha256, file.size_bytes)
            for file in await repository.list_files(unit, model_id)
        ]
        weights = await local_folder(self.storage, entries, self._cache_dir / str(model_id))
        return VersionFiles(Publication.model_validate(row.publication), weights)

    async def card(self, unit: Unit, model_id: int) -> str:
        """The model card, as Markdown."""
        return write_card(await self.get(unit, model_id))

    async def _row(self, unit: Unit, model_id: int) -> VersionRow:
        row = await repository.find_version(unit, model_id)
        if row is None:
            raise ModelVersionNotFound(f"There is no model version with id {model_id}.")
        return row


def _taken(name: str, version: str) -> RegistrationConflict:
    return RegistrationConflict(
        f"{name}@{version} exists already.", hint="Leave the version empty to take the next free one."
    )


def _next_version(existing: list[str]) -> str:
    """The newest version with its last number raised."""
    if not existing:
        return FIRST_VERSION
    major, minor, patch = max([int(part) for part in version.split(".")] for version in existing)
    return f"{major}.{minor}.{patch + 1}"


def _response(row: VersionRow) -> ModelResponse:
    return ModelResponse(
        id=row.id,
        model_name=row.model_name,
        version=row.version,
        reference=f"{row.model_name}@{row.version}",
        base_model=row.base_model,
        status=ModelStatus(row.status),
        model_size_gb=row.model_size_gb,
        tags=row.tags,
        description=row.description,
        job_id=row.job_id,
        mlflow_model_uri=row.mlflow_model_uri,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _evidence(row: EvidenceRow) -> EvidenceView:
    return EvidenceView(id=row.id, kind=row.kind, source=row.source, document=row.document, created_at=row.created_at)
