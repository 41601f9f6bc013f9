"""From what a person names to what can be loaded: a folder, a run, a registered version, the bundled model, a Hub id."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tunesmith.db import Unit
from tunesmith.domains.jobs import JobService, JobState
from tunesmith.domains.models import ModelNotFound, ModelStore, is_path
from tunesmith.domains.registry import Publication, RegistryService
from tunesmith.domains.runtime.errors import RunNotServable
from tunesmith.kit.paging import PageRequest
from tunesmith.ports.serving import Servable
from tunesmith.settings import Settings

_RUN = re.compile(r"^run:([1-9]\d{0,8})$")
_REMOTE = re.compile(r"^remote:([A-Za-z0-9_-]{1,64})$")
_VERSION = re.compile(r"^[A-Za-z0-9_-]{1,255}@[A-Za-z0-9.]{1,64}$")
LISTED = 200


class ModelResolver:
    """Every form in which a model may be named, in one place."""

    def __init__(self, *, settings: Settings, models: ModelStore, registry: RegistryService, jobs: JobService) -> None:
        self._remotes = settings.runtime.remote_addresses()
        self._models = models
        self._registry = registry
        self._jobs = jobs

    async def resolve(self, unit: Unit, reference: str, *, base_dir: Path | None = None) -> Servable:
        """What to load for ``./folder``, an absolute path, ``run:ID``, ``name@version``, ``tunesmith/tiny`` or a Hub id;
        also ``./file.gguf`` and ``remote:NAME``.

        Raises ``ModelNotFound``, ``JobNotFound``, ``RunNotServable``, and what the model store raises for a folder.
        """
        if run := _RUN.match(reference):
            return await self._run(unit, int(run[1]))
        if _VERSION.match(reference):
            return await self._version(unit, reference)
        if (elsewhere := self.find_elsewhere(reference)) is not None:
            return elsewhere
        if is_path(reference) and reference.endswith(".gguf"):
            return Servable(reference, await self._models.allowed_file(reference, base_dir=base_dir))
        found = await self._models.resolve(reference, unit=unit, base_dir=base_dir)
        return Servable(reference, found.path, None, found.path)

    def find_elsewhere(self, reference: str) -> Servable | None:
        """What ``remote:NAME`` names, which no database knows; None for every other form. Raises ``ModelNotFound``."""
        remote = _REMOTE.match(reference)
        return self._remote(remote[1]) if remote else None

    async def resolve_pair(self, unit: Unit, base: str, adapter: str) -> Servable:
        """A base model with an adapter: a folder, or that of ``run:ID`` or ``name@version``."""
        below = await self.resolve(unit, base)
        if is_path(adapter):
            folder = await self._models.allowed_folder(adapter)
        else:
            named = await self.resolve(unit, adapter)
            if named.adapter_path is None:
                raise ModelNotFound(
                    f"{adapter} is a whole model, not an adapter.", hint="Name it as the model instead."
                )
            folder = named.adapter_path
        return replace(below, name=f"{below.name}+{adapter}", adapter_path=folder)

    def _remote(self, name: str) -> Servable:
        remotes = self._remotes
        if name not in remotes:
            raise ModelNotFound(
                f"There is no remote model {name!r}.", hint="Name its address in TUNESMITH_RUNTIME__REMOTES."
            )
        return Servable(f"remote:{name}", Path("remote") / name, remote=remotes[name])

    async def list_names(self, unit: Unit) -> list[str]:
        """Every name that can be asked for now: local models, registered versions, finished training runs."""
        local = [model.model_id for model in await self._models.list_local(unit)]
        versions = await self._registry.list_versions(unit, PageRequest(1, LISTED))
        runs = await self._jobs.list_jobs(unit, PageRequest(1, LISTED), kind="train", state=JobState.SUCCEEDED)
        remotes = (f"remote:{name}" for name in self._remotes)
        return [
            *local,
            *(version.reference for version in versions.items),
            *(f"run:{job.id}" for job in runs.items),
            *remotes,
        ]

    async def _run(self, unit: Unit, job_id: int) -> Servable:
        job = await self._jobs.get(unit, job_id)
        document = (job.result or {}).get("publication")
        if document is None:
            raise RunNotServable(f"Job {job_id} ({job.kind}) is {job.state} and has left no model.")
        made = Publication.model_validate(document)
        return _present(made.servable(f"run:{job_id}"))

    async def _version(self, unit: Unit, reference: str) -> Servable:
        found = await self._registry.find_by_name(unit, reference)
        if found is None:
            raise ModelNotFound(f"There is no model version {reference!r}.", hint="GET /v1/models lists what answers.")
        files = await self._registry.files(unit, found.id)
        return _present(files.servable(reference))


def _present(model: Servable) -> Servable:
    whole = "model" if model.trained_from else "base model"
    for what, folder in ((whole, model.base_path), ("adapter", model.adapter_path)):
        if folder is not None and not folder.is_dir():
            raise ModelNotFound(f"The {what} of {model.name} is no longer at {folder.name!r} on this machine.")
    return model
