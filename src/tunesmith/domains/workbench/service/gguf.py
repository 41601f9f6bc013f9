"""Conversions to GGUF of one person: started, looked back at, counted."""

from __future__ import annotations

import shutil
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

from anyio import to_thread

from tunesmith.db import Access, Unit
from tunesmith.domains.export import (
    ExportOutput,
    ExportRequest,
    ExportResponse,
    ExportService,
    ExportStatus,
    GgufMethodList,
    GgufRecommendation,
    method_table,
    recommend,
)
from tunesmith.domains.jobs import JobService, JobState, JobView
from tunesmith.domains.models import ModelMetadata, ModelStore
from tunesmith.domains.runtime import ModelResolver
from tunesmith.domains.workbench import repository
from tunesmith.domains.workbench.errors import NoCurrentModel
from tunesmith.domains.workbench.schemas.gguf import (
    GgufConversion,
    GgufConvertRequest,
    GgufFile,
    GgufHealth,
    GgufHistory,
    GgufHistoryCleared,
    GgufMethodStatistics,
    GgufStatistics,
)
from tunesmith.domains.workbench.tables import GgufConversionRow
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paging import PageRequest
from tunesmith.settings import Settings
from tunesmith.wire.gguf_architectures import GGUF_ARCHITECTURES
from tunesmith.wire.gguf_methods import GGUF_METHODS

DEFAULT_METHOD = "Q4_K_M"
DEFAULT_SIZE_GB = 14.0
"""Sizes are estimated for a model of seven billion weights where nothing else is said."""
LOOKED_AT = 200
_GOES_ON = {JobState.WAITING, JobState.QUEUED, JobState.RUNNING, JobState.STOPPING}


class GgufBench:
    """The GGUF calls of the workbench: thin steps onto the export service."""

    def __init__(
        self,
        *,
        settings: Settings,
        export: ExportService,
        jobs: JobService,
        models: ModelStore,
        resolver: ModelResolver,
    ) -> None:
        self._settings = settings
        self._export = export
        self._jobs = jobs
        self._models = models
        self._resolver = resolver

    async def health(self) -> GgufHealth:
        """Whether models can be converted here."""
        return await to_thread.run_sync(self._health)

    def _health(self) -> GgufHealth:
        missing = [name for name in ("gguf", "xllamacpp", "tokenizers") if find_spec(name) is None]
        message = "Models can be converted; no compiler is needed."
        if missing:
            message = f"{', '.join(missing)} is missing: install tunesmith[export]."
        return GgufHealth(
            status="unavailable" if missing else "healthy",
            message=message,
            quantizer_available="xllamacpp" not in missing,
            methods=list(GGUF_METHODS),
            architectures=list(GGUF_ARCHITECTURES),
            memory=self._models.memory(),
            free_disk_bytes=shutil.disk_usage(self._settings.data_dir).free,
        )

    async def methods(self, unit: Unit, model_size_gb: float | None) -> GgufMethodList:
        """The ten methods, with sizes for that model, else the current one, else one of seven billion weights."""
        return method_table(model_size_gb or await self._current_size_gb(unit) or DEFAULT_SIZE_GB)

    async def recommended(self, unit: Unit, model_size_gb: float | None) -> GgufRecommendation:
        """The method for a model of that size, else for the current one."""
        size = model_size_gb if model_size_gb is not None else await self._current_size_gb(unit)
        if size is None:
            fault = {"location": "query.model_size_gb", "message": "missing", "value": None}
            raise InvalidInput(
                "model_size_gb is missing, and no model is loaded.",
                hint="Add ?model_size_gb=, the size at 16 bits in 10⁹ bytes; a model of 7 billion weights has 14.",
                errors=[fault],
            )
        memory = await to_thread.run_sync(self._models.memory)
        return recommend(size, memory.available_gb)

    async def convert(self, unit: Unit, request: GgufConvertRequest) -> JobView:
        """Queue an `export` job and remember it; raises what can be refused at once."""
        reference = await self._reference(unit, request)
        methods = _methods(request)
        outputs = [ExportOutput(format="gguf", method=method) for method in methods]
        wanted = ExportRequest(
            model=reference,
            outputs=outputs,
            adapter=request.adapter,
            name=request.output_name,
            importance=request.importance,
        )
        job = await self._export.start_for(unit, wanted)
        source = await self._resolver.resolve(unit, reference)
        unit.session.add(
            GgufConversionRow(
                project_id=unit.principal.project_id,
                created_by=unit.principal.user_id,
                job_id=job.id,
                model=reference,
                methods=[output["method"] for output in job.spec["outputs"]],
                uses_importance=request.importance is not None,
                source_bytes=await to_thread.run_sync(_weight_bytes, source.base_path),
            )
        )
        await unit.session.flush()
        return job

    async def history(self, unit: Unit, page: PageRequest) -> GgufHistory:
        """Conversions of this person, newest first."""
        items, total = await self._conversions(unit, page)
        return GgufHistory(items=items, total=total, page=page.page, page_size=page.page_size)

    async def clear(self, access: Access) -> GgufHistoryCleared:
        """Forget them; files and exports stay."""
        cleared = 0
        async with access.write("gguf.history.clear") as unit:
            while rows := (await repository.list_conversions(unit, PageRequest(1, LOOKED_AT)))[0]:
                for row in rows:
                    await unit.session.delete(row)
                await unit.session.flush()
                cleared += len(rows)
        return GgufHistoryCleared(cleared=cleared, message=f"{cleared} entries were removed; their files stay.")

    async def statistics(self, unit: Unit) -> GgufStatistics:
        """Compression ratios and counts."""
        items, total = await self._conversions(unit, PageRequest(1, LOOKED_AT))
        files = [file for item in items for file in item.files]
        sources = sum(item.source_bytes * len(item.files) for item in items)
        ratios = [file.compression_ratio for file in files]
        size = sum(file.size_bytes for file in files)
        return GgufStatistics(
            total_conversions=total,
            succeeded=sum(item.state == JobState.SUCCEEDED for item in items),
            failed=sum(item.state not in _GOES_ON and item.state != JobState.SUCCEEDED for item in items),
            running=sum(item.state in _GOES_ON for item in items),
            total_files=len(files),
            total_source_bytes=sources,
            total_size_bytes=size,
            average_compression_ratio=round(sum(ratios) / len(ratios), 4) if ratios else None,
            best_compression_ratio=max(ratios, default=None),
            saved_bytes=sources - size,
            by_method=_by_method(files),
        )

    async def _conversions(self, unit: Unit, page: PageRequest) -> tuple[list[GgufConversion], int]:
        rows, total = await repository.list_conversions(unit, page)
        made: dict[int, list[ExportResponse]] = defaultdict(list)
        for export in await self._export.list_of_jobs(unit, [row.job_id for row in rows]):
            made[export.job_id].append(export)
        items = []
        for row in rows:
            job = await self._jobs.get(unit, row.job_id)
            items.append(
                GgufConversion(
                    id=row.id,
                    job_id=row.job_id,
                    model=row.model,
                    methods=row.methods,
                    uses_importance=row.uses_importance,
                    state=job.state,
                    progress=job.progress,
                    error=job.error.message if job.error else None,
                    source_bytes=row.source_bytes,
                    files=[_file(export, row.source_bytes) for export in made[row.job_id]],
                    created_at=row.created_at,
                )
            )
        return items, total

    async def _reference(self, unit: Unit, request: GgufConvertRequest) -> str:
        if request.model is not None and request.base is not None:
            raise InvalidInput("Give model, or base and adapter, not both.")
        if request.base is not None and request.adapter is None:
            raise InvalidInput("base is for a base model with an adapter.", hint="Give adapter too, or model alone.")
        if named := request.model or request.base:
            return named
        row = await repository.find_state(unit)
        if row is None or row.model_path is None:
            raise NoCurrentModel("No model is named, and none is loaded.")
        return row.model_path

    async def _current_size_gb(self, unit: Unit) -> float | None:
        row = await repository.find_state(unit)
        if row is None or row.model_metadata is None:
            return None
        return ModelMetadata.model_validate(row.model_metadata).num_parameters * 2 / 1e9


def _methods(request: GgufConvertRequest) -> list[str]:
    if request.method is not None and request.methods is not None:
        raise InvalidInput("Give either method or methods, not both.")
    named = request.methods or [request.method or DEFAULT_METHOD]
    return list(GGUF_METHODS) if [name.lower() for name in named] == ["all"] else named


def _weight_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _file(export: ExportResponse, source_bytes: int) -> GgufFile:
    return GgufFile(
        export_id=export.id,
        method=export.method or "",
        path=export.path,
        size_bytes=export.size_bytes,
        compression_ratio=round(source_bytes / export.size_bytes, 4) if export.size_bytes else 0.0,
        status=export.status,
    )


def _by_method(files: list[GgufFile]) -> list[GgufMethodStatistics]:
    grouped: dict[str, list[GgufFile]] = defaultdict(list)
    for file in files:
        grouped[file.method].append(file)
    found = [
        GgufMethodStatistics(
            method=method,
            files=len(group),
            average_compression_ratio=round(sum(file.compression_ratio for file in group) / len(group), 4),
            total_size_bytes=sum(file.size_bytes for file in group),
            ready=sum(file.status == ExportStatus.READY for file in group),
        )
        for method, group in grouped.items()
    ]
    return sorted(found, key=lambda entry: -entry.average_compression_ratio)
