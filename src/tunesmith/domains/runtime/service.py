"""Keeps models loaded: one supervised child each, the least recently used one unloaded first, idle ones after a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import secrets
import time
from collections.abc import AsyncIterator, Mapping

import anyio

from tunesmith.domains.runtime.child import Child, sweep
from tunesmith.domains.runtime.errors import RuntimeBusy
from tunesmith.domains.runtime.freshness import files_of, stamps_of
from tunesmith.domains.runtime.handle import RuntimeHandle
from tunesmith.domains.runtime.schemas import LoadedModel
from tunesmith.kit.errors import Unsupported
from tunesmith.ports.serving import Servable, ServingBackend
from tunesmith.settings import Settings

log = logging.getLogger(__name__)

STAMP_SECONDS = 1.0
"""So long the files of a loaded model are taken for unchanged."""


class RuntimeService:
    """The only way to a loaded model, in the API process and in a worker alike.

    A base and everything tuned from it share one child where the backend can: an adapter is loaded when it is first asked for.
    """

    def __init__(self, *, settings: Settings, backends: Mapping[str, ServingBackend]) -> None:
        self._settings = settings
        self._backends = backends
        self._children: list[Child] = []
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._idle_watch: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def session(
        self, model: Servable, *, backend: str | None = None, device: str | None = None
    ) -> AsyncIterator[RuntimeHandle]:
        """A handle to ``model``, loaded now if it was not; it stays loaded at least as long as the session.

        Raises what the backend's ``check`` raises, ``RuntimeStartFailed`` and ``RuntimeBusy``.
        """
        child = await self._acquire(model, backend, device)
        try:
            yield RuntimeHandle(child, adapter=str(model.adapter_path) if model.adapter_path else None)
        finally:
            child.users -= 1
            child.last_used = time.monotonic()

    async def load(self, model: Servable, *, backend: str | None = None, device: str | None = None) -> LoadedModel:
        """Load ``model`` unless it is loaded already."""
        child = await self._acquire(model, backend, device)
        child.users -= 1
        return _view(child)

    def find_loaded(self, model: Servable) -> LoadedModel | None:
        """The loaded model that would answer for ``model``."""
        child = self._find(self._backend_of(model, None), model)
        return _view(child) if child else None

    def list_loaded(self) -> list[LoadedModel]:
        """Everything that is loaded in this process."""
        return [_view(child) for child in self._children if child.alive]

    async def unload(self, model: Servable | None = None, *, backend: str | None = None) -> list[str]:
        """Unload ``model`` (everything by default); answers names once the processes are gone and the memory is back."""
        if model is None:
            chosen = list(self._children)
        else:
            child = self._find(self._backend_of(model, backend), model)
            chosen = [child] if child else []
        for child in chosen:
            await self._drop(child)
        return [child.model.name for child in chosen]

    async def close(self) -> None:
        """End all children."""
        if self._idle_watch is not None:
            self._idle_watch.cancel()
            await asyncio.gather(self._idle_watch, return_exceptions=True)
            self._idle_watch = None
        await self.unload()

    def _backend_of(self, model: Servable, name: str | None) -> ServingBackend:
        elsewhere = model.remote.kind if model.remote else None
        chosen = name or elsewhere or ("llamacpp" if model.base_path.suffix == ".gguf" else "transformers")
        if chosen not in self._backends:
            raise Unsupported(f"There is no serving backend {chosen!r}; there are {', '.join(self._backends)}.")
        return self._backends[chosen]

    async def _acquire(self, model: Servable, backend_name: str | None, device: str | None) -> Child:
        backend = self._backend_of(model, backend_name)
        known = self._find(backend, model)
        if known is not None:
            await self._look_at_files(known, model)
        has_all = known is not None and (model.adapter_path is None or str(model.adapter_path) in known.adapters)
        if known is None or known.is_outdated or not has_all:
            await anyio.to_thread.run_sync(backend.check, model)
        lock = self._locks.setdefault((backend.name, str(model.base_path)), asyncio.Lock())
        async with lock:  # two requests for one model load it once
            child = self._find(backend, model)
            if child is None:
                child = await self._start(backend, model, device)
            child.users += 1
            child.adapters |= {str(model.adapter_path)} if model.adapter_path else set()
            child.last_used = time.monotonic()
            return child

    async def _look_at_files(self, child: Child, model: Servable) -> None:
        """Mark the child as outdated where files of the model have been replaced since they were first looked at."""
        now = time.monotonic()
        due = [file for file in files_of(model) if now - child.stamped_at.get(file, -math.inf) >= STAMP_SECONDS]
        if due:
            stamps = await anyio.to_thread.run_sync(stamps_of, due)
            child.stamped_at |= dict.fromkeys(due, now)
            child.is_outdated |= any(child.stamps.setdefault(file, stamp) != stamp for file, stamp in stamps.items())

    def _find(self, backend: ServingBackend, model: Servable) -> Child | None:
        fitting = [
            child
            for child in self._children
            if child.alive
            and not child.is_outdated
            and child.backend.name == backend.name
            and child.model.base_path == model.base_path
            and child.model.remote == model.remote
            and (child.model.tokenizer_path or child.model.base_path) == (model.tokenizer_path or model.base_path)
            and (backend.switches_adapters or child.model.adapter_path == model.adapter_path)
        ]
        return next(iter(fitting), None)

    async def _start(self, backend: ServingBackend, model: Servable, device: str | None) -> Child:
        folder = self._settings.data_dir / "runtime"
        await anyio.to_thread.run_sync(sweep, folder)
        stamps = await anyio.to_thread.run_sync(stamps_of, files_of(model))
        await self._make_room()
        child = Child(backend, model, device or self._settings.device, folder / f"{os.getpid()}-{secrets.token_hex(4)}")
        child.users = 1  # not idle while it loads
        child.stamps = stamps
        self._children.append(child)
        try:
            await child.start(self._settings)
        except BaseException:
            self._children.remove(child)
            raise
        child.users = 0
        log.info("model loaded", extra={"model": model.name, "backend": backend.name, "child_pid": child.pid})
        if self._idle_watch is None:
            self._idle_watch = asyncio.create_task(self._unload_idle())
        return child

    async def _make_room(self) -> None:
        for child in [c for c in self._children if (c.is_outdated or not c.alive) and c.users == 0]:
            await self._drop(child)
        while len(self._children) >= self._settings.runtime.max_loaded_models:
            idle = [child for child in self._children if child.users == 0]
            if not idle:
                raise RuntimeBusy(
                    f"All {self._settings.runtime.max_loaded_models} places for loaded models are in use."
                )
            await self._drop(min(idle, key=lambda child: child.last_used))

    async def _drop(self, child: Child) -> None:
        await child.stop()
        if child in self._children:
            self._children.remove(child)
            log.info("model unloaded", extra={"model": child.model.name})

    async def _unload_idle(self) -> None:
        limit = self._settings.runtime.idle_unload_seconds
        while True:
            await anyio.sleep(min(limit / 4, 5.0))
            now = time.monotonic()
            for child in list(self._children):
                is_over = now - child.last_used > limit or child.is_outdated or not child.alive
                if child.users == 0 and is_over:
                    await self._drop(child)


def _view(child: Child) -> LoadedModel:
    health = child.health
    return LoadedModel(
        name=child.model.name,
        backend=child.backend.name,
        device=health.device if health else "unknown",
        dtype=health.dtype if health else "unknown",
        adapter=bool(child.adapters),
        context_length=health.context_length if health else 0,
        memory_bytes=child.memory_bytes,
        active_requests=child.users,
        loaded_at=child.loaded_at,
        idle_seconds=0.0 if child.users else time.monotonic() - child.last_used,
    )
