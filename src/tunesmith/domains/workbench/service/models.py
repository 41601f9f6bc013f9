"""The current model of one person: loaded, looked at, unloaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.models import (
    ArchiveService,
    DownloadRequest,
    HubService,
    LocalModel,
    MemoryEstimate,
    MemoryState,
    ModelMetadata,
    ModelStore,
    ResolvedModel,
)
from tunesmith.domains.runtime import LoadedModel, RuntimeService, Servable
from tunesmith.domains.workbench import repository
from tunesmith.domains.workbench.errors import NoCurrentModel
from tunesmith.domains.workbench.schemas.model import (
    LoadedModelResponse,
    LocalModelListResponse,
    ModelHealthResponse,
    ModelLoading,
    UnloadResponse,
)
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.paging import PageRequest

Owner = tuple[int, int]
LOOK_SECONDS = 60.0


@dataclass
class _Load:
    """A load that goes on, or how the last one failed."""

    model_id: str
    task: asyncio.Task[LoadedModelResponse]

    @property
    def failure(self) -> TunesmithError | None:
        if not self.task.done() or self.task.cancelled():
            return None
        error = self.task.exception()
        return error if isinstance(error, TunesmithError) else None


class ModelBench:
    """The current model: its name is kept in the database, its weights in a child of the runtime."""

    def __init__(
        self,
        *,
        models: ModelStore,
        runtime: RuntimeService,
        hub: HubService,
        archives: ArchiveService,
        jobs: JobService,
    ) -> None:
        self._models = models
        self._runtime = runtime
        self._hub = hub
        self._archives = archives
        self._jobs = jobs
        self._loads: dict[Owner, _Load] = {}

    async def load(self, access: Access, reference: str, wait_seconds: float) -> LoadedModelResponse | ModelLoading:
        """Make the model of that name or folder the current one; answers ``ModelLoading`` when it takes longer than asked.

        Raises what the model store and the runtime raise.
        """
        async with access.read() as unit:
            found = await self._models.resolve(reference, unit=unit)
        return await self._load_found(access, found, wait_seconds)

    async def download(
        self, access: Access, wanted: DownloadRequest, token: str | None, wait_seconds: float
    ) -> LoadedModelResponse | ModelLoading | JobView:
        """Fetch a model of the Hub unless it is here, load it, make it the current one; answers the job while that goes on.

        Raises what starting a download raises, at once; and what the job or the load failed with, when it ends in time.
        """
        outcome = await self._hub.start_download(access, wanted.model_id, revision=wanted.revision, token=token)
        if isinstance(outcome, JobView):
            return await self._load_after(access, outcome, wanted.model_id, wait_seconds)
        return await self._load_found(access, outcome, wait_seconds, cached=True)

    async def upload(
        self, access: Access, form: tuple[str, int | None, AsyncIterator[bytes]], wait_seconds: float
    ) -> LoadedModelResponse | ModelLoading | JobView:
        """Unpack an archive (content type, length and body of a form) into the local store, load it, make it the current one."""
        job = await self._archives.receive(access, *form)
        return await self._load_after(access, job, str(job.spec["model_id"]), wait_seconds)

    async def _load_after(
        self, access: Access, job: JobView, model_id: str, wait_seconds: float
    ) -> LoadedModelResponse | JobView:
        """Load the model when its job has ended, however long the caller waits for it."""
        owner = _owner(access)
        running = self._loads.get(owner)
        if running is None or running.task.done() or running.model_id != model_id:
            running = _Load(model_id, asyncio.create_task(self._fetch_and_load(access, job.id, model_id)))
            self._loads[owner] = running
        done, _ = await asyncio.wait({running.task}, timeout=wait_seconds)
        if not done:
            async with access.read() as unit:
                return await self._jobs.get(unit, job.id)
        self._loads.pop(owner, None)
        return running.task.result()

    async def _fetch_and_load(self, access: Access, job_id: int, model_id: str) -> LoadedModelResponse:
        while (ended := await self._jobs.answer(access, job_id, LOOK_SECONDS)) is None:
            continue
        ended.result_or_raise()
        async with access.read() as unit:
            found = await self._models.resolve(model_id, unit=unit)
        await self._runtime.unload(_servable(found))  # an older revision of it
        return await self._load(access, found)

    async def _load_found(
        self, access: Access, found: ResolvedModel, wait_seconds: float, *, cached: bool = False
    ) -> LoadedModelResponse | ModelLoading:
        owner = _owner(access)
        model = _servable(found)
        if loaded := self._runtime.find_loaded(model):
            model_id = await self._keep(access, found)
            self._loads.pop(owner, None)
            return _response(found.metadata, loaded, model_id, cached=True)
        running = self._loads.get(owner)
        if running is None or running.task.done() or running.model_id != found.metadata.model_id:
            running = _Load(found.metadata.model_id, asyncio.create_task(self._load(access, found, cached=cached)))
            self._loads[owner] = running
        done, _ = await asyncio.wait({running.task}, timeout=wait_seconds)
        if not done:
            return ModelLoading(model_id=running.model_id, links={"self": "/model/current"})
        self._loads.pop(owner, None)
        return running.task.result()

    async def current(self, access: Access) -> ModelMetadata | ModelLoading:
        """The current model; raises ``NoCurrentModel``, or why the last load failed."""
        load = self._loads.get(_owner(access))
        if load is not None and not load.task.done():
            return ModelLoading(model_id=load.model_id, links={"self": "/model/current"})
        if load is not None and load.failure is not None:
            raise load.failure
        async with access.read() as unit:
            found = await self._find_current(unit)
        if found is None:
            raise NoCurrentModel("No model is loaded.")
        metadata, path = found
        return _described(metadata, self._runtime.find_loaded(_at(metadata, path)))

    async def list_local(self, unit: Unit, page: PageRequest) -> LocalModelListResponse:
        """A page of the local store."""
        listed: list[LocalModel] = await self._models.list_local(unit)
        items = listed[page.offset : page.offset + page.page_size]
        return LocalModelListResponse(items=items, total=len(listed), page=page.page, page_size=page.page_size)

    async def unload(self, access: Access) -> UnloadResponse:
        """Forget the current model and return its memory; says so when there was none."""
        load = self._loads.pop(_owner(access), None)
        if load is not None:
            load.task.cancel()
            await asyncio.gather(load.task, return_exceptions=True)
        async with access.write("model.unload") as unit:
            row = await repository.find_state(unit)
            model_id, path = (row.model_id, row.model_path) if row else (None, None)
            if row is not None:
                row.model_id = row.model_path = row.model_metadata = None
        if model_id is None or path is None:
            return UnloadResponse(unloaded=False, message="No model was loaded.")
        model = Servable(model_id, Path(path), None, Path(path))
        loaded = self._runtime.find_loaded(model)
        await self._runtime.unload(model)
        freed = loaded.memory_bytes if loaded else 0
        return UnloadResponse(
            unloaded=True,
            model_id=model_id,
            freed_bytes=freed,
            message=f"{model_id} was unloaded; {freed} bytes are free.",
        )

    async def health(self, access: Access, num_parameters: int | None) -> ModelHealthResponse:
        """State of runtime, device and memory, and what a model of that size (default: the current one) takes."""
        async with access.read() as unit:
            found = await self._find_current(unit)
        load = self._loads.get(_owner(access))
        metadata = found[0] if found else None
        loaded = self._runtime.list_loaded()
        ready = found is not None and self._runtime.find_loaded(_at(*found)) is not None
        loading = load is not None and not load.task.done()
        device, memory, estimate = await anyio.to_thread.run_sync(self._measure, metadata, num_parameters)
        return ModelHealthResponse(
            status="loading" if loading else "ready" if ready else "idle",
            current_model=metadata.model_id if metadata else None,
            device=device,
            memory=memory,
            loaded=loaded,
            optimal_batch_size=estimate.optimal_batch_size if estimate else None,
            estimated_memory_gb=estimate.inference_gb if estimate else None,
        )

    async def close(self) -> None:
        """Give up loads that go on."""
        tasks = [load.task for load in self._loads.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _measure(
        self, metadata: ModelMetadata | None, num_parameters: int | None
    ) -> tuple[str, MemoryState, MemoryEstimate | None]:
        estimate = None
        if num_parameters is not None:
            estimate = self._models.memory_estimate(num_parameters)
        elif metadata is not None:
            estimate = self._models.memory_estimate(metadata.num_parameters, metadata)
        return self._models.device(), self._models.memory(), estimate

    async def _load(self, access: Access, found: ResolvedModel, *, cached: bool = False) -> LoadedModelResponse:
        loaded = await self._runtime.load(_servable(found))
        model_id = await self._keep(access, found)
        return _response(found.metadata, loaded, model_id, cached=cached)

    async def _keep(self, access: Access, found: ResolvedModel) -> str:
        async with access.write("model.load", resource=f"model:{found.metadata.model_id}") as unit:
            model_id = await self._models.remember(unit, found)
            row = await repository.get_or_add_state(unit)
            row.model_id = model_id
            row.model_path = str(found.path)
            row.model_metadata = found.metadata.model_copy(update={"model_id": model_id}).model_dump(mode="json")
        return model_id

    async def _find_current(self, unit: Unit) -> tuple[ModelMetadata, Path] | None:
        row = await repository.find_state(unit)
        if row is None or row.model_metadata is None or row.model_path is None:
            return None
        return ModelMetadata.model_validate(row.model_metadata), Path(row.model_path)


def _owner(access: Access) -> Owner:
    return access.principal.user_id, access.principal.project_id


def _servable(found: ResolvedModel) -> Servable:
    return Servable(found.metadata.model_id, found.path, None, found.path)


def _at(metadata: ModelMetadata, path: Path) -> Servable:
    return Servable(metadata.model_id, path, None, path)


def _described(metadata: ModelMetadata, loaded: LoadedModel | None) -> ModelMetadata:
    if loaded is None:
        return metadata
    return metadata.model_copy(update={"device": loaded.device, "loaded_at": loaded.loaded_at})


def _response(metadata: ModelMetadata, loaded: LoadedModel, model_id: str, *, cached: bool) -> LoadedModelResponse:
    described = _described(metadata, loaded).model_copy(update={"model_id": model_id})
    return LoadedModelResponse(**described.model_dump(), cached=cached)
