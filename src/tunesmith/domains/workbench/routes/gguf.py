"""`/gguf/…`: models as GGUF files, converted, checked and counted for one person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from tunesmith.db import Access, Unit
from tunesmith.domains.export import ExportResult, ExportService, GgufMethodList, GgufRecommendation, GgufValidation
from tunesmith.domains.jobs import JobService
from tunesmith.domains.workbench.schemas.gguf import (
    GgufConvertRequest,
    GgufHealth,
    GgufHistory,
    GgufHistoryCleared,
    GgufStatistics,
    GgufValidateRequest,
)
from tunesmith.domains.workbench.service.gguf import GgufBench
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import (
    Accepted,
    allow,
    paging,
    problem_responses,
    provide,
    reading,
    result_or_accepted,
)

router = APIRouter(prefix="/gguf", tags=["workbench: gguf"])
Bench = Annotated[GgufBench, provide(GgufBench)]
Exports = Annotated[ExportService, provide(ExportService)]
Jobs = Annotated[JobService, provide(JobService)]
Reads = Annotated[Unit, reading(Permission.READ)]
Runs = Annotated[Access, allow(Permission.RUNTIME)]
Wait = Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the result before 202.")]
ModelSize = Annotated[
    float | None,
    Query(gt=0, le=1e6, description="Size of the model at 16 bits, in 10⁹ bytes; default is the current model's."),
]
ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"model": Accepted}, **problem_responses(403, 404, 422)}


@router.get("/health", responses=problem_responses(422))
async def get_gguf_health(_: Reads, bench: Bench) -> GgufHealth:
    """Whether models can be converted here, with what, and how much room there is."""
    return await bench.health()


@router.get("/methods", responses=problem_responses(422))
async def list_gguf_methods(unit: Reads, bench: Bench, model_size_gb: ModelSize = None) -> GgufMethodList:
    """The ten methods: bits per weight, quality, size, and when to take which."""
    return await bench.methods(unit, model_size_gb)


@router.get("/methods/recommended", responses=problem_responses(422))
async def recommend_gguf_method(unit: Reads, bench: Bench, model_size_gb: ModelSize = None) -> GgufRecommendation:
    """The method to take for a model of that size, with the free memory considered."""
    return await bench.recommended(unit, model_size_gb)


@router.post("/convert", response_model=ExportResult, responses=ACCEPTED)
async def convert_to_gguf(
    request: GgufConvertRequest,
    access: Annotated[Access, allow(Permission.REGISTRY_WRITE)],
    bench: Bench,
    jobs: Jobs,
    wait: Wait = 30,
) -> Any:
    """Write a model, or a base with an adapter, as GGUF; every file is certified beside its source."""
    async with access.write("gguf.convert", resource=(request.model or request.base or "current")[:200]) as unit:
        job = await bench.convert(unit, request)
    return await result_or_accepted(jobs, access, job, wait)


@router.post("/validate", response_model=GgufValidation, responses=ACCEPTED)
async def validate_gguf(
    request: GgufValidateRequest, access: Runs, export: Exports, jobs: Jobs, wait: Wait = 30
) -> Any:
    """Check a file: header, metadata, tensors, truncation; then load it and let it generate."""
    async with access.write("gguf.validate", resource=request.file_path[:200]) as unit:
        job = await export.start_validation(unit, request.file_path, request.prompt)
    return await result_or_accepted(jobs, access, job, wait)


@router.get("/validate/{file_path:path}", response_model=GgufValidation, responses=ACCEPTED)
async def validate_gguf_by_path(
    file_path: Annotated[str, Path(max_length=4096, description="Path relative to an allowed root or the store.")],
    access: Runs,
    export: Exports,
    jobs: Jobs,
    wait: Wait = 30,
) -> Any:
    """The same for a file below an allowed root."""
    async with access.write("gguf.validate", resource=file_path[:200]) as unit:
        job = await export.start_validation(unit, file_path, "Hello")
    return await result_or_accepted(jobs, access, job, wait)


@router.get("/history", responses=problem_responses(422))
async def list_gguf_conversions(unit: Reads, bench: Bench, page: Annotated[PageRequest, paging()]) -> GgufHistory:
    """Your conversions with their files, newest first."""
    return await bench.history(unit, page)


@router.post("/history/clear", responses=problem_responses(403))
async def clear_gguf_history(
    access: Annotated[Access, allow(Permission.REGISTRY_WRITE)], bench: Bench
) -> GgufHistoryCleared:
    """Forget your conversions; their files and exports stay."""
    return await bench.clear(access)


@router.get("/statistics", responses=problem_responses(422))
async def get_gguf_statistics(unit: Reads, bench: Bench) -> GgufStatistics:
    """Compression ratios and counts of your conversions, in all and by method."""
    return await bench.statistics(unit)
