"""Paths of the registry."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from tunesmith.db import Access, Unit
from tunesmith.domains.registry.repository import VersionFilter
from tunesmith.domains.registry.schemas import (
    TAG_PATTERN,
    ModelCardResponse,
    ModelDetailResponse,
    ModelListResponse,
    ModelRegisterRequest,
    ModelResponse,
    ModelStatus,
)
from tunesmith.domains.registry.service import RegistryService
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import ID_MAX, allow, paging, problem_responses, provide, reading

router = APIRouter(prefix="/api/v1/admin/models", tags=["registry"])

Reads = Annotated[Unit, reading(Permission.READ)]
Registers = Annotated[Access, allow(Permission.REGISTRY_WRITE)]
Registry = Annotated[RegistryService, provide(RegistryService)]
ModelId = Annotated[int, Path(ge=1, le=ID_MAX, description="Id of the version.")]


@router.post("/register", status_code=201, responses=problem_responses(404, 409, 422))
async def register_model(request: ModelRegisterRequest, access: Registers, registry: Registry) -> ModelResponse:
    """Register what a completed training job made, as a version in staging."""
    return await registry.register(access, request)


@router.get("", responses=problem_responses(422))
async def list_models(
    unit: Reads,
    registry: Registry,
    page: Annotated[PageRequest, paging()],
    status: Annotated[ModelStatus | None, Query(description="Only versions that stand there.")] = None,
    base_model: Annotated[
        str | None, Query(max_length=512, pattern=r"^[^\x00]*$", description="Only versions of this base model.")
    ] = None,
    search: Annotated[
        str | None,
        Query(
            max_length=200, pattern=r"^[^\x00]*$", description="Text in the name, the description or the base model."
        ),
    ] = None,
    tags: Annotated[
        str | None,
        Query(pattern=f"^{TAG_PATTERN[1:-1]}(,{TAG_PATTERN[1:-1]})*$", description="Tags, separated by commas."),
    ] = None,
    match_all: Annotated[bool, Query(description="Whether every tag must be there, or one is enough.")] = False,
) -> ModelListResponse:
    """A page of versions, newest first."""
    wanted = VersionFilter(
        status=status, base_model=base_model, search=search, tags=tags.split(",") if tags else (), match_all=match_all
    )
    return await registry.list_versions(unit, page, wanted)


@router.get("/{id}", responses=problem_responses(404, 422))
async def get_model(id: ModelId, unit: Reads, registry: Registry) -> ModelDetailResponse:
    """A version with where it comes from, its files and its evidence."""
    return await registry.get(unit, id)


@router.get("/{id}/card", responses=problem_responses(404, 422))
async def get_model_card(id: ModelId, unit: Reads, registry: Registry) -> ModelCardResponse:
    """The model card: what it is, where it comes from, what it can do, how to use it."""
    return ModelCardResponse(markdown=await registry.card(unit, id))
