"""Paths of exports."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from tunesmith.db import Access, Unit
from tunesmith.domains.export.schemas import (
    Certificate,
    CertificateRequest,
    ExportListResponse,
    ExportRequest,
    ExportResult,
    ModelExportRequest,
)
from tunesmith.domains.export.service import ExportService
from tunesmith.domains.jobs import JobService
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    ID_MAX,
    Accepted,
    Wait,
    allow,
    paging,
    problem_responses,
    provide,
    reading,
    result_or_accepted,
)

router = APIRouter(prefix="/api/v1/admin", tags=["export"])

Reads = Annotated[Unit, reading(Permission.READ)]
Exports = Annotated[Access, allow(Permission.REGISTRY_WRITE)]
Service = Annotated[ExportService, provide(ExportService)]
Jobs = Annotated[JobService, provide(JobService)]
ModelId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the version.")]
ExportId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the export.")]


@router.post(
    "/models/{id}/export",
    response_model=ExportResult,
    responses={202: {"model": Accepted}, **problem_responses(404, 422)},
)
async def export_model(
    id: ModelId, request: ModelExportRequest, access: Exports, service: Service, jobs: Jobs, wait: Wait = 2
) -> Any:
    """Write a version in another format, and certify that it behaves like the version."""
    async with access.write("model.export", resource=f"model:{id}") as unit:
        job = await service.start(unit, id, request)
    return await result_or_accepted(jobs, access, job, wait)


@router.get("/models/{id}/exports", responses=problem_responses(404, 422))
async def list_model_exports(
    id: ModelId, unit: Reads, service: Service, page: Annotated[PageRequest, paging()]
) -> ExportListResponse:
    """Exports of a version with their certificates, newest first."""
    return await service.list_exports(unit, id, page)


@router.post(
    "/models/{id}/exports/{export_id}/certify",
    response_model=Certificate,
    responses={202: {"model": Accepted}, **problem_responses(404, 422)},
)
async def certify_export(
    id: ModelId, export_id: ExportId, access: Exports, service: Service, jobs: Jobs, wait: Wait = 2
) -> Any:
    """Check an export again: its bytes, and its behaviour beside its source."""
    async with access.write("export.certify", resource=f"export:{export_id}") as unit:
        job = await service.start_certification(unit, id, export_id)
    return await result_or_accepted(jobs, access, job, wait)


@router.post(
    "/exports",
    response_model=ExportResult,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 422)},
)
async def export_any_model(
    request: ExportRequest, access: Exports, service: Service, jobs: Jobs, wait: Wait = 2
) -> Any:
    """The same for any model by name; exports of a registered version are kept with it."""
    async with access.write("model.export", resource=request.model[:200]) as unit:
        job = await service.start_for(unit, request)
    return await result_or_accepted(jobs, access, job, wait)


@router.post(
    "/certificates",
    response_model=Certificate,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 422)},
)
async def certify_artefact(
    request: CertificateRequest, access: Exports, service: Service, jobs: Jobs, wait: Wait = 2
) -> Any:
    """Judge any artefact that the server may read beside the model that it was made from."""
    async with access.write("artefact.certify", resource=request.artefact[:200]) as unit:
        job = await service.start_certificate(unit, request)
    return await result_or_accepted(jobs, access, job, wait)
