"""`/model/…`: the current model of one person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import SecretStr

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import JobView
from tunesmith.domains.models import HUB_ID, REVISION, BaseModelDetails, DownloadRequest, HubService, ModelMetadata
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
from tunesmith.kit.web import Accepted, accepted, allow, body_of, paging, problem_responses, provide, reading

router = APIRouter(prefix="/model", tags=["workbench: model"])
Bench = Annotated[ModelBench, provide(ModelBench)]
_FORM = {
    "requestBody": {
        "required": False,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A model folder as .zip, .tar, .tar.gz, .tar.bz2, .tar.xz or .tar.zst.",
                        },
                        "name": {"type": "string", "maxLength": 200, "description": "Name; default is the file's."},
                    },
                }
            }
        },
    }
}
LOADING: dict[int | str, dict[str, Any]] = {
    202: {"model": ModelLoading, "description": "The model is still being loaded."}
}
GOING_ON: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted | ModelLoading, "description": "A job fetches or unpacks it, or it is being loaded."}
}


@router.post(
    "/download",
    response_model=LoadedModelResponse | ModelLoading,
    responses={**GOING_ON, **problem_responses(401, 403, 404, 409, 422, 503, 507)},
)
async def download_model(
    body: DownloadRequest,
    response: Response,
    access: Annotated[Access, allow(Permission.RUNTIME)],
    bench: Bench,
    x_hf_token: Annotated[str | None, Header(max_length=500, description="Token, as a header.")] = None,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait until it is loaded.")] = 30,
) -> Any:
    """Fetch a model of the Hub into the local store, load it, and make it the current one; here already, it loads at once."""
    token = (body.access_token.get_secret_value() if body.access_token else None) or x_hf_token
    return _answer(await bench.download(access, body, token, wait), response)


@router.post(
    "/upload",
    response_model=LoadedModelResponse | ModelLoading,
    responses={**GOING_ON, **problem_responses(400, 403, 404, 409, 413, 422, 503, 507)},
    openapi_extra=_FORM,
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
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_length: Annotated[int | None, Header(include_in_schema=False)] = None,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait until it is loaded.")] = 30,
) -> Any:
    """Load a model folder of this machine, or an archive of one that is sent, and make it the current model."""
    if content_type.startswith("multipart/") and model_path is None:
        return _answer(await bench.upload(access, (content_type, content_length, body_of(request)), wait), response)
    if not model_path:
        fault = {"location": "query.model_path", "message": "missing", "value": model_path}
        raise InvalidInput(
            "model_path is missing.",
            hint="Add ?model_path=/folder/of/the/model, or send an archive as the form's field `file`.",
            errors=[fault],
        )
    return _answer(await bench.load(access, model_path, wait), response)


def _answer(outcome: LoadedModelResponse | ModelLoading | JobView, response: Response) -> Any:
    """The loaded model, or 202 while the job or the load goes on."""
    if isinstance(outcome, JobView):
        return accepted(outcome.id, outcome.state)
    if isinstance(outcome, ModelLoading):
        response.status_code = 202
    return outcome


@router.get("/info/{model_id:path}", responses=problem_responses(401, 403, 404, 422, 503))
async def get_model_info(
    model_id: Annotated[
        str, Path(pattern=HUB_ID, description="Id, one or two segments.", examples=["Qwen/Qwen3-0.6B"])
    ],
    access: Annotated[Access, allow(Permission.READ)],
    hub: Annotated[HubService, provide(HubService)],
    access_token: Annotated[
        SecretStr | None, Query(max_length=500, description="Token for gated and private models; never logged.")
    ] = None,
    x_hf_token: Annotated[str | None, Header(max_length=500, description="The same as a header.")] = None,
    revision: Annotated[str | None, Query(pattern=REVISION, description="Branch, tag or commit.")] = None,
) -> BaseModelDetails:
    """What the Hub says of a model, without fetching it: size, licence, files, and whether it will fit here."""
    token = (access_token.get_secret_value() if access_token else None) or x_hf_token
    return await hub.details(access, model_id, revision=revision, token=token)


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
