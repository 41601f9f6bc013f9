"""`/model/…`: the current model of one person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from tunesmith.db import Access, Unit
from tunesmith.domains.models import ModelMetadata
from tunesmith.domains.workbench.errors import ArchiveUnsupported
from tunesmith.domains.workbench.schemas.model import (
    LoadedModelResponse,
    LocalModelListResponse,
    ModelHealthResponse,
    ModelLoading,
    UnloadResponse,
)
from tunesmith.domains.workbench.service.models import ModelBench
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import allow, paging, problem_responses, provide, reading

router = APIRouter(prefix="/model", tags=["workbench: model"])
Bench = Annotated[ModelBench, provide(ModelBench)]
LOADING: dict[int | str, dict[str, Any]] = {
    202: {"model": ModelLoading, "description": "The model is still being loaded."}
}


@router.post(
    "/upload",
    response_model=LoadedModelResponse | ModelLoading,
    responses={**LOADING, **problem_responses(400, 403, 404, 409, 422, 503)},
)
async def upload_model(
    request: Request,
    response: Response,
    access: Annotated[Access, allow(Permission.RUNTIME)],
    bench: Bench,
    model_path: Annotated[
        str | None,
        Query(
            max_length=4096, description="A model folder of this machine, or the name of a model in the local store."
        ),
    ] = None,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait until it is loaded.")] = 30,
) -> LoadedModelResponse | ModelLoading:
    """Load a model folder of this machine (config, safetensors, tokenizer) and make it the current model."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise ArchiveUnsupported("A model archive cannot be uploaded in this version.")
    if not model_path:
        fault = {"location": "query.model_path", "message": "missing", "value": model_path}
        raise InvalidInput("model_path is missing.", hint="Add ?model_path=/folder/of/the/model.", errors=[fault])
    outcome = await bench.load(access, model_path, wait)
    if isinstance(outcome, ModelLoading):
        response.status_code = 202
    return outcome


@router.get(
    "/current",
    response_model=ModelMetadata | ModelLoading,
    responses={**LOADING, **problem_responses(403, 404, 503)},
)
async def get_current_model(
    response: Response, access: Annotated[Access, allow(Permission.READ)], bench: Bench
) -> ModelMetadata | ModelLoading:
    """Metadata of the current model; 404 when there is none."""
    outcome = await bench.current(access)
    if isinstance(outcome, ModelLoading):
        response.status_code = 202
    return outcome


@router.get("/local-models", responses=problem_responses(422))
async def list_local_models(
    unit: Annotated[Unit, reading(Permission.READ)], bench: Bench, page: Annotated[PageRequest, paging()]
) -> LocalModelListResponse:
    """What is in the local store: the bundled model, folders that were used here, and the Hub's cache."""
    return await bench.list_local(unit, page)


@router.post("/unload", responses=problem_responses(403))
async def unload_model(access: Annotated[Access, allow(Permission.RUNTIME)], bench: Bench) -> UnloadResponse:
    """Unload the current model; its memory goes back to the system. Says so when there was none."""
    return await bench.unload(access)


@router.get("/health", responses=problem_responses(422))
async def get_model_health(
    access: Annotated[Access, allow(Permission.READ)],
    bench: Bench,
    num_parameters: Annotated[
        int | None, Query(ge=1, le=10**15, description="Size of a model to estimate for; default is the current one.")
    ] = None,
) -> ModelHealthResponse:
    """State of the runtime, the device and its memory, and the batch size that fits."""
    return await bench.health(access, num_parameters)
