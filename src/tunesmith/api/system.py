"""Liveness, readiness, metrics, effective settings, and what this machine can do."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Annotated, Any

import anyio
import psutil
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from tunesmith import __version__
from tunesmith.bootstrap import Services
from tunesmith.db import Access
from tunesmith.kit.machine import processor_count
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import allow, problem_responses, public

router = APIRouter(tags=["system"])
MIN_FREE_BYTES = 64 * 2**20
EXTRAS = {
    "train": ("torch", "transformers", "peft", "trl"),
    "serve": ("torch", "transformers", "xllamacpp"),
    "export": ("torch", "gguf", "xllamacpp"),
    "scale": ("asyncpg", "obstore"),
    "tracking": ("mlflow", "wandb"),
}


class Health(BaseModel):
    """Liveness."""

    status: str = Field(description="`ok` while the process answers.", examples=["ok"])
    version: str = Field(description="Version of Tunesmith.")


class Check(BaseModel):
    """One thing that the program needs."""

    ok: bool = Field(description="Whether it works.")
    detail: str = Field(description="What was found.")


class Readiness(BaseModel):
    """Readiness."""

    ready: bool = Field(description="Whether work can be done.")
    checks: dict[str, Check] = Field(description="database, storage, disk.")


class ExtraState(BaseModel):
    """An optional part of the program."""

    installed: bool = Field(description="Whether its packages are there.")
    install: str = Field(description="How to install it.")


class TrackerInfo(BaseModel):
    """A tracker that is configured."""

    name: str = Field(description="`mlflow` or `wandb`.")
    target: str = Field(description="Where it is, without secrets.")
    installed: bool = Field(description="Whether its client library is there.")
    reachable: bool = Field(description="Whether it could be reached now.")
    waiting_runs: int = Field(description="Runs that it is, or may soon be, owed something about.")
    message: str | None = Field(description="What stands in the way.")


class SystemInfo(BaseModel):
    """What this machine has and can do."""

    version: str = Field(description="Version of Tunesmith.")
    python: str = Field(description="Version of Python.")
    platform: str = Field(description="Operating system and processor.")
    data_dir: str = Field(description="The data folder.")
    database: str = Field(description="`sqlite` or `postgresql`.")
    storage: str = Field(description="`local` or `s3`.")
    device: str = Field(description="Device that models run on.")
    cpu_count: int = Field(description="Processors that this process may use.")
    memory_total_bytes: int = Field(description="Memory of the machine.")
    memory_available_bytes: int = Field(description="Memory that is free now.")
    disk_free_bytes: int = Field(description="Free space in the data folder.")
    trackers: list[TrackerInfo] = Field(
        description="Trackers that runs are mirrored to; empty when none is configured."
    )
    extras: dict[str, ExtraState] = Field(description="Optional parts.")
    packages: dict[str, str] = Field(description="Versions of the packages that matter for results.")


@router.get("/health", dependencies=[public()])
async def health() -> Health:
    """Liveness: the process answers."""
    return Health(status="ok", version=__version__)


@router.get("/ready", dependencies=[public()], response_model=Readiness, responses={503: {"model": Readiness}})
async def ready(request: Request) -> JSONResponse:
    """Readiness: database, storage and disk; 503 with the same body when one of them does not work."""
    services: Services = request.app.state.services
    checks = {
        "database": await _check(services.database.check(), "answers"),
        "storage": await _check(services.storage.check(), "can be written"),
        "disk": _disk(services),
    }
    state = Readiness(ready=all(c.ok for c in checks.values()), checks=checks)
    return JSONResponse(state.model_dump(), status_code=200 if state.ready else 503)


async def _check(awaitable: Any, fine: str) -> Check:
    try:
        with anyio.fail_after(5):
            await awaitable
    except Exception as error:
        return Check(ok=False, detail=f"{type(error).__name__}: {error}"[:200])
    return Check(ok=True, detail=fine)


def _disk(services: Services) -> Check:
    free = shutil.disk_usage(services.settings.data_dir).free
    return Check(ok=free >= MIN_FREE_BYTES, detail=f"{free} bytes free in the data folder")


@router.get("/metrics", dependencies=[public()], response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Prometheus metrics."""
    registry: CollectorRegistry = request.app.state.metrics.registry
    return PlainTextResponse(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/config", responses=problem_responses(403))
async def config(request: Request, access: Annotated[Access, allow(Permission.ADMIN)]) -> dict[str, Any]:
    """The effective settings; secrets are masked."""
    services: Services = request.app.state.services
    document: dict[str, Any] = services.settings.model_dump(mode="json")
    for group, name in (("database", "url"), ("tracking", "mlflow_uri")):
        url = document[group].get(name)
        if url and "@" in url:
            scheme, rest = url.split("://", 1)
            document[group][name] = f"{scheme}://***@{rest.rsplit('@', 1)[1]}"
    return document


@router.get("/api/v1/admin/system", responses=problem_responses(403))
async def get_system(request: Request, access: Annotated[Access, allow(Permission.READ)]) -> SystemInfo:
    """What this machine has and can do."""
    services: Services = request.app.state.services
    return await system_info(services, access)


async def system_info(services: Services, access: Access) -> SystemInfo:
    """What there is, trackers included."""
    trackers = await _trackers(services, access)
    return await anyio.to_thread.run_sync(_system_info, services, trackers)


async def _trackers(services: Services, access: Access) -> list[TrackerInfo]:
    mirrors, found = services.training.mirrors, []
    for tracker in mirrors.trackers:
        async with access.read() as unit:
            waiting, problem = await mirrors.waiting(unit, tracker.name)
        obstacle = await tracker.find_obstacle()
        found.append(
            TrackerInfo(
                name=tracker.name,
                target=tracker.target,
                installed=tracker.is_installed(),
                reachable=obstacle is None,
                waiting_runs=waiting,
                message=obstacle or problem,
            )
        )
    return found


def _system_info(services: Services, trackers: list[TrackerInfo]) -> SystemInfo:
    memory = psutil.virtual_memory()
    return SystemInfo(
        version=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        data_dir=str(services.settings.data_dir),
        database="sqlite" if services.database.is_sqlite else "postgresql",
        storage=services.settings.storage.backend,
        device=services.settings.device,
        cpu_count=processor_count(),
        memory_total_bytes=memory.total,
        memory_available_bytes=memory.available,
        disk_free_bytes=shutil.disk_usage(services.settings.data_dir).free,
        trackers=trackers,
        extras={
            name: ExtraState(
                installed=all(find_spec(p) is not None for p in needed), install=f"pip install 'tunesmith[{name}]'"
            )
            for name, needed in EXTRAS.items()
        },
        packages={p: v for p in ("torch", "transformers", "peft", "trl", "xllamacpp", "gguf") if (v := _version(p))},
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
