"""Push to the Hub: a run's or a version's adapter, a merged folder, an export or a model folder, with its card."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tunesmith.db import Unit
from tunesmith.domains.export.artefact import fetch
from tunesmith.domains.export.errors import NothingToPush
from tunesmith.domains.export.service import ExportService
from tunesmith.domains.jobs import JobContext, JobKind, JobService, JobView
from tunesmith.domains.models import HUB_ID, REVISION, HubService, PickleWeights
from tunesmith.domains.registry import RegistryService
from tunesmith.domains.runtime import ModelResolver
from tunesmith.kit.ids import display_name
from tunesmith.ports.storage import Storage
from tunesmith.settings import Settings
from tunesmith.wire.formats import SINGLE_FILES
from tunesmith.wire.hub import PushSpec

PUSH = "push"
CHILD = "tunesmith.ml.push"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


class PushRequest(BaseModel):
    """What to push, and where to. A token is needed: here, in the X-HF-Token header, or in HF_TOKEN."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model: str | None = Field(
        None, min_length=1, max_length=4096, description="`run:ID`, `name@version`, a folder, or a model's name."
    )
    model_id: int | None = Field(
        None, ge=1, le=2**31 - 1, description="The version that the export belongs to, if any."
    )
    export_id: int | None = Field(None, ge=1, le=2**31 - 1, description="An export.")
    repo_id: str = Field(pattern=HUB_ID, description="Hub id to push to.", examples=["team/support-bot"])
    private: bool = Field(True, description="Whether a repository that is made is private.")
    revision: str | None = Field(None, pattern=REVISION, description="Branch; default is main.")
    message: str = Field("Upload with Tunesmith", min_length=1, max_length=500, description="Message of the commit.")
    access_token: SecretStr | None = Field(None, max_length=500, description="Token with write access.")

    @model_validator(mode="after")
    def _one_source(self) -> PushRequest:
        if (self.model is None) == (self.export_id is None) or (self.model_id is not None and self.export_id is None):
            raise ValueError("name one thing: `model` or `export_id`")
        return self


class PushJobSpec(BaseModel):
    """What a `push` job does."""

    model_config = ConfigDict(extra="forbid")
    source: str = Field(description="What is pushed, in words.")
    folder: str = Field(description="Its folder or file.")
    card: str | None = Field(None, description="Its card, where the folder has none.")
    repo_id: str = Field(description="Hub id.")
    private: bool = Field(description="Whether a repository that is made is private.")
    revision: str | None = Field(None, description="Branch.")
    message: str = Field(description="Message of the commit.")
    token_id: int | None = Field(None, description="Sealed token.")


class PushResult(BaseModel):
    """What was pushed."""

    repo_id: str = Field(description="Hub id.")
    url: str = Field(description="Address of the repository.")
    commit: str = Field(description="The commit.")
    files: list[str] = Field(description="Files of the commit.")
    size_bytes: int = Field(description="Their size.")


class PushService:
    """Starts `push` jobs, and runs them."""

    def __init__(
        self,
        *,
        settings: Settings,
        hub: HubService,
        jobs: JobService,
        registry: RegistryService,
        resolver: ModelResolver,
        exports: ExportService,
        storage: Storage,
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._jobs = jobs
        self._registry = registry
        self._resolver = resolver
        self._exports = exports
        self._storage = storage

    async def start(self, unit: Unit, request: PushRequest, token: str | None) -> JobView:
        """Queue a push. Raises what naming a model raises, ``NothingToPush``, ``PickleWeights`` and ``HubTokenNeeded``."""
        token = (request.access_token.get_secret_value() if request.access_token else None) or token
        self._hub.require_token(token, request.repo_id)
        source, folder, card = await self._source(unit, request)
        await to_thread.run_sync(_check, folder)
        spec = PushJobSpec(
            source=source,
            folder=str(folder),
            card=card,
            repo_id=request.repo_id,
            private=request.private,
            revision=request.revision,
            message=request.message,
            token_id=await self._hub.tokens.keep(unit, token),
        )
        return await self._jobs.submit(unit, PUSH, spec, name=display_name(f"Push {source} to {request.repo_id}"))

    async def run(self, context: JobContext) -> PushResult:
        """The task of a `push` job; a second run finds the large files uploaded and only commits."""
        spec = cast(PushJobSpec, context.spec)
        async with context.read() as unit:
            token = await self._hub.tokens.open(unit, spec.token_id)
        order = PushSpec(
            repo_id=spec.repo_id,
            folder=spec.folder,
            card=spec.card,
            private=spec.private,
            revision=spec.revision,
            message=spec.message,
        )
        finished = await context.run_child(CHILD, order, env=self._hub.hub.child_environment(token))
        return PushResult.model_validate(finished.result)

    def kinds(self) -> list[JobKind]:
        """The kind of job."""
        forget = self._hub.tokens.forget_ended
        return [JobKind(name=PUSH, spec=PushJobSpec, result=PushResult, run=self.run, on_change=forget)]

    async def _source(self, unit: Unit, request: PushRequest) -> tuple[str, Path, str | None]:
        if request.export_id is not None:
            return await self._export(unit, request.export_id, request.model_id, request.repo_id)
        reference = request.model or ""
        found = await self._resolver.resolve(unit, reference)
        folder = found.adapter_path or found.base_path
        version = await self._registry.find_by_name(unit, reference) if "@" in reference else None
        card = await self._registry.card(unit, version.id) if version else _plain_card(request.repo_id, reference)
        return reference, folder, card

    async def _export(self, unit: Unit, export_id: int, model_id: int | None, repo_id: str) -> tuple[str, Path, str]:
        made, key = await self._exports.get_kept(unit, export_id, model_id=model_id)
        into = self._settings.data_dir / "cache" / "exports" / str(export_id)
        is_folder = made.format not in SINGLE_FILES
        path = await fetch(self._storage, key, made.files, is_folder=is_folder, into=into)
        if path is None:
            raise NothingToPush(f"A file of export {export_id} is no longer in the store.")
        what = f"export {export_id} ({made.format}{f' {made.method}' if made.method else ''})"
        if made.model_id is None:
            return what, path, _plain_card(repo_id, made.source)
        return what, path, await self._registry.card(unit, made.model_id)


def _check(folder: Path) -> None:
    files = (
        [folder] if folder.is_file() else [f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")]
    )
    if not files:
        raise NothingToPush(f"{folder.name!r} has no files.")
    pickled = sorted(f.name for f in files if f.name.endswith(PICKLES))
    if pickled:
        raise PickleWeights(
            f"{folder.name!r} holds {pickled[0]}, which is a pickle; such files are not given to others."
        )


def _plain_card(repo_id: str, reference: str) -> str:
    name = repo_id.rsplit("/", 1)[-1]
    shown = Path(reference).name if reference.startswith(("/", ".", "~")) else reference
    return (
        f"---\nlibrary_name: transformers\ntags:\n- tunesmith\n---\n\n# {name}\n\nMade with Tunesmith from `{shown}`.\n"
    )
