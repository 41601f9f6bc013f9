"""The catalogue of base models: the Hub and the local store, looked through, fetched from, and cleaned up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio

from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.models import places, repository
from tunesmith.domains.models.errors import ModelInUse, ModelKept, ModelNotFound
from tunesmith.domains.models.hub import catalogue, storing
from tunesmith.domains.models.hub.choice import chosen_files
from tunesmith.domains.models.hub.filters import ModelFilters
from tunesmith.domains.models.hub.schemas import (
    BaseModelDetails,
    BaseModelListResponse,
    BaseModelSummary,
    DeletedModel,
    DownloadSpec,
    ModelNotes,
    ModelSort,
    ModelSource,
)
from tunesmith.domains.models.hub.tokens import HubTokens
from tunesmith.domains.models.schemas import LocalModel, ResolvedModel
from tunesmith.domains.models.service import ModelStore
from tunesmith.kit.ids import display_name
from tunesmith.kit.paging import PageRequest
from tunesmith.kit.paths import folder_size_bytes
from tunesmith.ports.hub import (
    Hub,
    HubModel,
    HubModelNotFound,
    HubQuery,
    HubTokenNeeded,
    HubUnreachable,
    check_token,
)
from tunesmith.settings import Settings

T = TypeVar("T")
DOWNLOAD = "download"
SCANNED = 500
"""Most models of the Hub that one page looks through when it filters by what the Hub cannot filter by."""
LISTED = 200


class HubService:
    """Looks for models, starts downloads, deletes. Talks to the Hub in threads; weights are fetched by jobs."""

    def __init__(
        self,
        *,
        settings: Settings,
        hub: Hub,
        store: ModelStore,
        jobs: JobService,
        in_use: Callable[[Path], bool] = lambda _: False,
    ) -> None:
        self.settings = settings
        self.hub = hub
        self.store = store
        self.tokens = HubTokens(settings)
        self.jobs = jobs
        self._in_use = in_use

    async def list_models(
        self, access: Access, source: ModelSource, filters: ModelFilters, page: PageRequest, token: str | None
    ) -> BaseModelListResponse:
        """A page of the local store or the Hub. Raises ``HubUnreachable`` and its kin for the Hub."""
        if source is ModelSource.LOCAL:
            async with access.read() as unit:
                found = await self._local(unit, filters)
            items = found[page.offset : page.offset + page.page_size]
            more = page.offset + page.page_size < len(found)
            return BaseModelListResponse(
                items=items, total=len(found), page=page.page, page_size=page.page_size, has_more=more
            )
        wanted = page.offset + page.page_size + 1
        limit = max(wanted, SCANNED) if filters.narrow_after else wanted
        query = HubQuery(
            search=filters.search,
            author=filters.author,
            task=filters.task,
            tags=filters.hub_tags(),
            sort=filters.hub_sort(),
            limit=min(limit, 10 * SCANNED),
        )
        listed = await _in_thread(self.hub.search, query, token or self.tokens.default())
        matching = await _in_thread(self._narrowed, listed, filters)
        items = matching[page.offset : page.offset + page.page_size]
        more = len(matching) > page.offset + page.page_size
        total = page.offset + len(items) + (1 if more else 0) if not filters.narrow_after else len(matching)
        return BaseModelListResponse(items=items, total=total, page=page.page, page_size=page.page_size, has_more=more)

    async def details(
        self,
        access: Access,
        model_id: str,
        *,
        source: ModelSource | None = None,
        revision: str | None = None,
        token: str | None = None,
    ) -> BaseModelDetails:
        """What is known about a model: the Hub's word, else the local store's (or only the one asked for).

        No transaction is open while the Hub is asked. Raises ``ModelNotFound`` and what the port raises.
        """
        places.check_hub_id(model_id)
        async with access.read() as unit:
            local = None if source is ModelSource.HUB else await self._find_local(unit, model_id)
            notes = await self._notes(unit, model_id) if local else {}
        if source is ModelSource.LOCAL or (local is not None and model_id == places.BUNDLED):
            if local is None:
                raise ModelNotFound(f"There is no model {model_id!r} in the local store.")
            return await catalogue.details_of_folder(self.store, local, notes)
        try:
            found = await _in_thread(self.hub.details, model_id, revision, token or self.tokens.default())
        except (HubUnreachable, HubModelNotFound):
            if local is None or revision is not None:
                raise
            return await catalogue.details_of_folder(self.store, local, notes)
        return await _in_thread(catalogue.details_of_hub, self.store, self.settings, found)

    async def start_download(
        self, access: Access, model_id: str, *, revision: str | None = None, token: str | None = None
    ) -> ResolvedModel | JobView:
        """The model when it is here already, else the job that fetches it. Refusals come first, and nothing of them stays.

        Raises what the port raises, ``PickleWeights``, ``RemoteCode``, ``ModelInvalid`` and ``OutOfSpace``.
        """
        places.check_hub_id(model_id)
        here = await self._find_here(access, model_id)
        if here is not None and (revision is None or here.metadata.revision == revision):
            return here
        token = token or self.tokens.default()
        found = await _in_thread(self.hub.details, model_id, revision, token)
        commit = found.revision or revision or "main"
        if here is not None and here.metadata.revision == commit:
            return here
        files = chosen_files(found)
        await _in_thread(self.hub.check_access, model_id, commit, files[0].path, token)
        needed = sum(file.size_bytes or 0 for file in files)
        incoming = places.incoming_folder(f"{model_id}@{commit}", self.settings)
        already = await _in_thread(folder_size_bytes, incoming) if incoming.is_dir() else 0
        storing.check_disk(self.settings, max(0, needed - already), f"{model_id!r}")
        async with access.write("model.download", resource=f"model:{model_id}") as unit:
            running = await self._find_running(unit, model_id, commit)
            if running is not None:
                return running
            spec = DownloadSpec(
                model_id=model_id,
                revision=commit,
                files=[
                    {"path": f.path, "size_bytes": f.size_bytes, "sha256": f.sha256, "git_sha1": f.git_sha1}
                    for f in files
                ],
                license=found.license,
                token_id=await self.tokens.keep(unit, token),
            )
            return await self.jobs.submit(unit, DOWNLOAD, spec, name=display_name(f"Download {model_id}"))

    def require_token(self, token: str | None, repo_id: str) -> None:
        """Raise ``HubTokenNeeded`` when there is none to write with, ``HubUnreachable`` when the Hub is switched off."""
        if self.settings.models.hub_offline:
            raise HubUnreachable("The Hub is switched off (TUNESMITH_MODELS__HUB_OFFLINE).")
        check_token(token)
        if not (token or self.tokens.default()):
            raise HubTokenNeeded(
                f"Pushing to {repo_id!r} needs a token with write access.",
                hint="Make one on the Hub, and send it as access_token or in the X-HF-Token header (or set HF_TOKEN).",
            )

    async def annotate(self, unit: Unit, model_id: str, notes: ModelNotes) -> BaseModelDetails:
        """Write down what people here say about a local model. Raises ``ModelNotFound`` and ``ModelKept``."""
        if model_id == places.BUNDLED:
            raise ModelKept(f"{model_id!r} comes with the program and is described by it.")
        local = await self._find_local(unit, model_id)
        if local is None:
            raise ModelNotFound(f"There is no model {model_id!r} in the local store.")
        row = await repository.find_by_model_id(unit, model_id)
        if row is None:
            found = await self.store.resolve(model_id, unit=unit)
            row = await self.store.name_row(unit, found)
        said = notes.model_dump(exclude_unset=True)
        row.model_metadata = row.model_metadata | {"notes": ((row.model_metadata or {}).get("notes") or {}) | said}
        await unit.session.flush()
        return await catalogue.details_of_folder(self.store, local, row.model_metadata["notes"])

    async def delete(self, unit: Unit, model_id: str) -> DeletedModel:
        """Delete a model from the local store; one that lies elsewhere is only forgotten.

        Raises ``ModelNotFound``, ``ModelKept`` and ``ModelInUse``.
        """
        local = await self._find_local(unit, model_id)
        if local is None:
            raise ModelNotFound(f"There is no model {model_id!r} in the local store.")
        if model_id == places.BUNDLED:
            raise ModelKept(f"{model_id!r} comes with the program.")
        folder = Path(local.path)
        await self._refuse_used(unit, model_id, folder)
        row = await repository.find_by_model_id(unit, model_id)
        root = places.own_root(self.settings)
        is_ours = root in folder.parents
        if row is None and not is_ours:
            raise ModelKept(
                f"{model_id!r} lies in the Hub's cache, which other programs share.",
                hint="Delete it there (hf cache delete), or leave it.",
            )
        freed = 0
        if is_ours:
            freed = await _in_thread(folder_size_bytes, folder)
            await _in_thread(storing.remove, folder, root)
        if row is not None:
            await unit.session.delete(row)
        what = f"was deleted; {freed} bytes are free" if is_ours else f"is forgotten; its files stay in {folder}"
        return DeletedModel(model_id=model_id, freed_bytes=freed, message=f"{model_id} {what}.")

    async def _refuse_used(self, unit: Unit, model_id: str, folder: Path) -> None:
        if self._in_use(folder):
            raise ModelInUse(f"{model_id!r} is loaded.")
        for kind in ("train", "export"):
            for job in (await self.jobs.list_jobs(unit, PageRequest(1, LISTED), kind=kind)).items:
                if not job.is_final and _names(job, model_id, folder):
                    raise ModelInUse(f"Job {job.id} ({job.name}) works with {model_id!r}.", job_id=job.id)

    def _narrowed(self, listed: list[HubModel], filters: ModelFilters) -> list[BaseModelSummary]:
        items = [BaseModelSummary(**catalogue.of_hub(self.store, self.settings, model)) for model in listed]
        return [item for item in items if filters.matches(item)]

    async def _local(self, unit: Unit, filters: ModelFilters) -> list[BaseModelSummary]:
        listed = await self.store.list_local(unit)
        rows, _ = await repository.list_models(unit, 0, 1000)
        notes = {row.model_id: (row.model_metadata or {}).get("notes") or {} for row in rows}
        items = [catalogue.of_folder(self.store, model, notes.get(model.model_id, {})) for model in listed]
        matching = [item for item in items if filters.matches(item) and filters.names(item)]
        if filters.sort is ModelSort.NAME:
            matching.sort(key=lambda item: item.model_id.lower())
        elif filters.sort is ModelSort.SIZE:
            matching.sort(key=lambda item: item.size_bytes or 0)
        return matching

    async def _find_local(self, unit: Unit, model_id: str) -> LocalModel | None:
        return next((m for m in await self.store.list_local(unit) if m.model_id == model_id), None)

    async def _notes(self, unit: Unit, model_id: str) -> catalogue.Notes:
        row = await repository.find_by_model_id(unit, model_id)
        return ((row.model_metadata or {}).get("notes") or {}) if row else {}

    async def _find_here(self, access: Access, model_id: str) -> ResolvedModel | None:
        async with access.read() as unit:
            try:
                return await self.store.resolve(model_id, unit=unit)
            except ModelNotFound:
                return None

    async def _find_running(self, unit: Unit, model_id: str, commit: str) -> JobView | None:
        listed = await self.jobs.list_jobs(unit, PageRequest(1, LISTED), kind=DOWNLOAD)
        for job in listed.items:
            if not job.is_final and (job.spec.get("model_id"), job.spec.get("revision")) == (model_id, commit):
                return job
        return None


def _names(job: JobView, model_id: str, folder: Path) -> bool:
    base = ((job.spec.get("recipe") or {}).get("model") or {}).get("base")
    return bool({base, job.spec.get("model"), job.spec.get("model_path")} & {model_id, str(folder)})


async def _in_thread(function: Callable[..., T], *arguments: object) -> T:
    return await anyio.to_thread.run_sync(partial(function, *arguments))
