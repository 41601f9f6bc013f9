"""Paths of exports."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse

from tunesmith.db import Access, Unit
from tunesmith.domains.export.download import Download, RangeUnsatisfiable, wanted_range
from tunesmith.domains.export.errors import RangeRefused
from tunesmith.domains.export.pushing import PushRequest, PushResult, PushService
from tunesmith.domains.export.schemas import (
    NO_NUL,
    Certificate,
    CertificateDocument,
    CertificateRequest,
    ExportListResponse,
    ExportOptions,
    ExportRequest,
    ExportResponse,
    ExportResult,
    ModelExportRequest,
)
from tunesmith.domains.export.service import ExportService
from tunesmith.domains.jobs import JobService
from tunesmith.kit.ids import slugify
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
from tunesmith.wire.certificate_page import certificate_page

router = APIRouter(prefix="/api/v1/admin", tags=["export"])

Reads = Annotated[Unit, reading(Permission.READ)]
Reader = Annotated[Access, allow(Permission.READ)]
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


@router.get("/models/{id}/export-options", responses=problem_responses(404, 409, 422))
async def list_export_options(id: ModelId, unit: Reads, service: Service) -> ExportOptions:
    """What a version can be exported to on this machine: sizes, memory, what is refused and why, what to take."""
    return await service.options(unit, id)


@router.get("/models/{id}/exports/{export_id}", responses=problem_responses(404, 422))
async def get_export(id: ModelId, export_id: ExportId, unit: Reads, service: Service) -> ExportResponse:
    """One export with its files and certificate."""
    return await service.get(unit, id, export_id)


@router.delete("/models/{id}/exports/{export_id}", status_code=204, responses=problem_responses(404, 422))
async def delete_export(id: ModelId, export_id: ExportId, access: Exports, service: Service) -> None:
    """Remove an export and its files; what the registry has noted of it stays."""
    async with access.write("export.delete", resource=f"export:{export_id}") as unit:
        keys = await service.delete(unit, id, export_id)
    await service.remove_files(keys)


@router.get(
    "/models/{id}/exports/{export_id}/certificate",
    response_model=CertificateDocument,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **problem_responses(404, 422)},
)
async def get_certificate(
    id: ModelId,
    export_id: ExportId,
    unit: Reads,
    service: Service,
    format: Annotated[Literal["json", "html"], Query(description="`json`, or `html` for a page of its own.")] = "json",
) -> Any:
    """The parity certificate with every prompt and both answers, as JSON or as a page."""
    document = await service.get_certificate(unit, id, export_id)
    return HTMLResponse(certificate_page(document.model_dump(mode="json"))) if format == "html" else document


_FILE: dict[str, Any] = {
    "response_model": None,
    "response_class": StreamingResponse,
    "responses": {
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        206: {
            "description": "The part that the Range header asked for.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problem_responses(404, 416, 422),
    },
}
FileName = Annotated[str | None, Query(max_length=255, pattern=NO_NUL, description="One file of a folder.")]


@router.get("/models/{id}/exports/{export_id}/download", **_FILE)
async def download_export(
    id: ModelId, export_id: ExportId, request: Request, access: Reader, service: Service, file: FileName = None
) -> Response:
    """The artefact: a file as it is, a folder as a tar. Range and If-Range take an interrupted download up again."""
    async with access.read() as unit:
        found = await service.get_download(unit, export_id, model_id=id, file=file)
    return _sent(service, found, request)


@router.get("/exports/{export_id}/download", **_FILE)
async def download_any_export(
    export_id: ExportId, request: Request, access: Reader, service: Service, file: FileName = None
) -> Response:
    """The same by the export's id alone, also of a model that is not registered."""
    async with access.read() as unit:
        found = await service.get_download(unit, export_id, file=file)
    return _sent(service, found, request)


def _sent(service: ExportService, download: Download, request: Request) -> Response:
    size, etag = download.size_bytes, f'"{download.etag}"'
    stem, dot, suffix = download.file_name.rpartition(".")
    plain = f"{slugify(stem or suffix, 'export')}{dot}{suffix if stem else ''}"
    headers = {
        "accept-ranges": "bytes",
        "etag": etag,
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(download.file_name, safe='')}",
        "x-content-type-options": "nosniff",
    }
    asked = request.headers.get("range")
    if request.headers.get("if-range", etag) != etag:
        asked = None  # it was made anew meanwhile: from the beginning
    try:
        part = wanted_range(asked, size)
    except RangeUnsatisfiable:
        problem = RangeRefused(
            f"The artefact has {size} bytes; the range {asked[:60] if asked else ''} lies behind them."
        )
        return JSONResponse(
            problem.problem(),
            status_code=416,
            headers={"content-range": f"bytes */{size}"},
            media_type="application/problem+json",
        )
    start, stop = part or (0, size)
    headers["content-length"] = str(stop - start)
    if part:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    pieces = service.send(download, start, stop)
    status = 206 if part else 200
    return StreamingResponse(pieces, status_code=status, media_type=download.media_type, headers=headers)


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


@router.post(
    "/models/push",
    response_model=PushResult,
    responses={202: {"model": Accepted}, **problem_responses(401, 403, 404, 422, 503)},
)
async def push_model(
    request: PushRequest,
    access: Exports,
    service: Annotated[PushService, provide(PushService)],
    jobs: Jobs,
    x_hf_token: Annotated[str | None, Header(max_length=500, description="Token, as a header.")] = None,
    wait: Wait = 2,
) -> Any:
    """Push a run, a version, an export or a model folder to the Hub, with its card, as one commit."""
    async with access.write("model.push", resource=f"hub:{request.repo_id}") as unit:
        job = await service.start(unit, request, x_hf_token)
    return await result_or_accepted(jobs, access, job, wait)
