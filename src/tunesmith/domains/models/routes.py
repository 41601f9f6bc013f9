"""`/api/v1/admin/base-models`: the catalogue of what one can start from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.models.conversion import ConversionRequest, start_conversion
from tunesmith.domains.models.hub.filters import ModelFilters
from tunesmith.domains.models.hub.schemas import (
    HUB_ID,
    REVISION,
    BaseModelDetails,
    BaseModelListResponse,
    DeletedModel,
    DownloadRequest,
    ModelNotes,
    ModelSort,
    ModelSource,
    StoredModel,
)
from tunesmith.domains.models.hub.service import HubService
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    Accepted,
    Wait,
    allow,
    paging,
    problem_responses,
    provide,
    result_or_accepted,
    writing,
)

router = APIRouter(prefix="/api/v1/admin/base-models", tags=["base models"])
Service = Annotated[HubService, provide(HubService)]
Jobs = Annotated[JobService, provide(JobService)]
ModelPath = Annotated[str, Path(pattern=HUB_ID, description="Id, one or two segments.", examples=["Qwen/Qwen3-0.6B"])]
Text = Annotated[str | None, Query(max_length=200, description="Words to look for.")]


def hub_token(
    access_token: Annotated[
        SecretStr | None, Query(max_length=500, description="Token for gated and private models; never logged.")
    ] = None,
    x_hf_token: Annotated[str | None, Header(max_length=500, description="The same as a header.")] = None,
) -> str | None:
    """The token that a call brings, from its query or its header."""
    return (access_token.get_secret_value() if access_token else None) or x_hf_token


Token = Annotated[str | None, Depends(hub_token)]


def _filters(
    search: Text = None,
    author: Annotated[str | None, Query(max_length=100, description="Owner of the models.")] = None,
    task: Annotated[str | None, Query(max_length=100, description="Task of the Hub, such as text-generation.")] = None,
    tag: Annotated[str | None, Query(max_length=100, description="Tag of the Hub, or a label given here.")] = None,
    license: Annotated[str | None, Query(max_length=100, description="Licence, such as apache-2.0.")] = None,
    architecture: Annotated[str | None, Query(max_length=100, description="Part of the architecture's name.")] = None,
    min_parameters: Annotated[int | None, Query(ge=0, le=10**15, description="Smallest number of parameters.")] = None,
    max_parameters: Annotated[int | None, Query(ge=0, le=10**15, description="Largest number of parameters.")] = None,
    fits: Annotated[
        Literal["inference", "lora", "qlora", "full"] | None, Query(description="Only what fits here for that use.")
    ] = None,
    sort: Annotated[ModelSort | None, Query(description="Order of the list.")] = None,
) -> ModelFilters:
    return ModelFilters(search, author, task, tag, license, architecture, min_parameters, max_parameters, fits, sort)


@router.get("", responses=problem_responses(401, 403, 404, 422, 503))
async def list_base_models(
    access: Annotated[Access, allow(Permission.READ)],
    service: Service,
    page: Annotated[PageRequest, paging()],
    filters: Annotated[ModelFilters, Depends(_filters)],
    token: Token,
    source: Annotated[ModelSource, Query(description="Where to look.")] = ModelSource.LOCAL,
) -> BaseModelListResponse:
    """Search the local store, or the Hub; filter by words, licence, size and what fits here."""
    return await service.list_models(access, source, filters, page, token)


@router.post(
    "/download",
    response_model=StoredModel,
    responses={202: {"model": Accepted}, **problem_responses(401, 403, 404, 409, 422, 503, 507)},
)
async def download_base_model(
    body: DownloadRequest,
    access: Annotated[Access, allow(Permission.RUNTIME)],
    service: Service,
    jobs: Jobs,
    x_hf_token: Annotated[str | None, Header(max_length=500, description="Token, as a header.")] = None,
    wait: Wait = 2,
) -> StoredModel | dict[str, Any] | JSONResponse:
    """Fetch a model of the Hub into the local store: resumable, verified, whole or not at all."""
    token = (body.access_token.get_secret_value() if body.access_token else None) or x_hf_token
    outcome = await service.start_download(access, body.model_id, revision=body.revision, token=token)
    if isinstance(outcome, JobView):
        return await result_or_accepted(jobs, access, outcome, wait)
    return StoredModel(**outcome.metadata.model_dump(), path=str(outcome.path), cached=True)


@router.post(
    "/convert",
    response_model=StoredModel,
    responses={202: {"model": Accepted}, **problem_responses(403, 404, 409, 422, 507)},
)
async def convert_weights(
    body: ConversionRequest,
    access: Annotated[Access, allow(Permission.RUNTIME)],
    service: Service,
    jobs: Jobs,
    wait: Wait = 2,
) -> dict[str, Any] | JSONResponse:
    """Make safetensors of pickled weights without running them; the result is a new model of the local store."""
    async with access.write("model.convert", resource=body.model_path[:200]) as unit:
        job = await start_conversion(service.settings, jobs, unit, body)
    return await result_or_accepted(jobs, access, job, wait)


@router.get("/{model_id:path}", responses=problem_responses(401, 403, 404, 422, 503))
async def get_base_model(
    model_id: ModelPath,
    access: Annotated[Access, allow(Permission.READ)],
    service: Service,
    token: Token,
    source: Annotated[ModelSource | None, Query(description="Ask only there; default is the Hub, then here.")] = None,
    revision: Annotated[str | None, Query(pattern=REVISION, description="Branch, tag or commit.")] = None,
) -> BaseModelDetails:
    """Details of a model without fetching its weights: architecture, size, licence, files, and whether it fits here."""
    return await service.details(access, model_id, source=source, revision=revision, token=token)


@router.patch("/{model_id:path}", responses=problem_responses(403, 404, 409, 422))
async def annotate_base_model(
    model_id: ModelPath,
    body: ModelNotes,
    unit: Annotated[Unit, writing(Permission.RUNTIME)],
    service: Service,
) -> BaseModelDetails:
    """Give a model of the local store a title, a description or labels."""
    return await service.annotate(unit, model_id, body)


@router.delete("/{model_id:path}", responses=problem_responses(403, 404, 409, 422))
async def delete_base_model(
    model_id: ModelPath,
    unit: Annotated[Unit, writing(Permission.RUNTIME)],
    service: Service,
) -> DeletedModel:
    """Delete a model from the local store; a folder that lies elsewhere is only forgotten."""
    return await service.delete(unit, model_id)
