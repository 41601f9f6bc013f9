"""Workers, queues, devices, disk, versions, and what the machines were using: ``/api/v1/admin/system/…``."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from tunesmith.api.system import SystemInfo, system_info
from tunesmith.bootstrap import Services
from tunesmith.db import Access, Unit
from tunesmith.domains.jobs import (
    QueuesResponse,
    ResourceHistory,
    WorkerView,
    history,
    list_queues,
    list_workers,
)
from tunesmith.kit.clock import utc_now
from tunesmith.kit.machine import Device, Usage, list_devices, measure
from tunesmith.kit.principal import Permission
from tunesmith.kit.web import allow, problem_responses, reading

router = APIRouter(prefix="/api/v1/admin/system", tags=["system"])
Reads = Annotated[Unit, reading(Permission.READ)]
Asks = Annotated[Access, allow(Permission.READ)]
SIZES_FRESH_SECONDS = 30.0


class WorkerListResponse(BaseModel):
    """The workers that are there."""

    items: list[WorkerView] = Field(description="Workers, oldest first.")


class DevicesResponse(BaseModel):
    """What the server's own machine can train on."""

    chosen: str = Field(description="The setting: `auto`, `mps`, `cuda` or `cpu`.")
    devices: list[Device] = Field(description="Devices, in the order in which jobs get them.")
    now: Usage = Field(description="What is in use now.")


class FolderUse(BaseModel):
    """A part of the data folder."""

    name: str = Field(description="What lies there.", examples=["runs"])
    size_bytes: int = Field(description="Size of all its files.")


class DiskResponse(BaseModel):
    """Space where the data folder lies."""

    path: str = Field(description="The data folder.")
    total_bytes: int = Field(description="Space there is.")
    free_bytes: int = Field(description="Space that is free.")
    folders: list[FolderUse] = Field(description="What of it is ours; counted at most twice a minute.")


class VersionsResponse(BaseModel):
    """What this program is made of."""

    version: str = Field(description="Version of Tunesmith.")
    python: str = Field(description="Version of Python.")
    platform: str = Field(description="Operating system and processor.")
    database: str = Field(description="`sqlite` or `postgresql`.")
    packages: dict[str, str] = Field(description="Versions of the packages that matter for results.")


@router.get("/info", responses=problem_responses(403))
async def get_system_info(request: Request, access: Asks) -> SystemInfo:
    """What this machine has and can do; the same as `GET /api/v1/admin/system`."""
    services: Services = request.app.state.services
    return await system_info(services, access)


@router.get("/workers", responses=problem_responses(403))
async def get_workers(request: Request, unit: Reads) -> WorkerListResponse:
    """Workers that give signs of life, their devices and the jobs that they hold."""
    services: Services = request.app.state.services
    workers = await list_workers(unit, services.settings.jobs.lease_seconds)
    return WorkerListResponse(items=workers)


@router.get("/queues", responses=problem_responses(403))
async def get_queues(request: Request, unit: Reads) -> QueuesResponse:
    """Devices with one slot each, what runs on them, and how many jobs wait; the jobs themselves are under `/jobs`."""
    services: Services = request.app.state.services
    return await list_queues(unit, services.settings.jobs.lease_seconds)


@router.get("/devices", responses=problem_responses(403))
async def get_devices(request: Request, access: Asks) -> DevicesResponse:
    """Devices of the server's machine, and what is in use."""
    services: Services = request.app.state.services
    chosen = services.settings.device
    devices = await anyio.to_thread.run_sync(list_devices, chosen)
    now = await anyio.to_thread.run_sync(measure, services.settings.data_dir)
    return DevicesResponse(chosen=chosen, devices=devices, now=now)


@router.get("/disk", responses=problem_responses(403))
async def get_disk(request: Request, access: Asks) -> DiskResponse:
    """Free space, and what the store, runs, caches and logs take."""
    services: Services = request.app.state.services
    folder = services.settings.data_dir
    space = await anyio.to_thread.run_sync(shutil.disk_usage, folder)
    sizes = await anyio.to_thread.run_sync(_sizes.of, folder)
    return DiskResponse(path=str(folder), total_bytes=space.total, free_bytes=space.free, folders=sizes)


@router.get("/versions", responses=problem_responses(403))
async def get_versions(request: Request, access: Asks) -> VersionsResponse:
    """Versions of the program and of the packages that matter for results."""
    services: Services = request.app.state.services
    info = await system_info(services, access)
    return VersionsResponse(
        version=info.version,
        python=info.python,
        platform=info.platform,
        database=info.database,
        packages=info.packages,
    )


@router.get("/resources", responses=problem_responses(403, 422))
async def get_resource_history(
    unit: Reads,
    host: Annotated[str | None, Query(max_length=200, description="Machine; default is the one seen last.")] = None,
    hours: Annotated[float, Query(gt=0, le=24, description="How far back.")] = 1.0,
    max_points: Annotated[int, Query(ge=2, le=2000, description="At most about this many, evenly chosen.")] = 360,
) -> ResourceHistory:
    """What a machine was using: a sample every ten seconds, kept for a day."""
    return await history(unit.session, host, hours=hours, max_points=max_points, now=utc_now())


class _Sizes:
    """Sizes of the parts of a data folder; looking through a large one takes time, so an answer is kept for a while."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[float, list[FolderUse]]] = {}

    def of(self, folder: Path) -> list[FolderUse]:
        """The parts, largest first."""
        at, known = self._known.get(folder, (0.0, []))
        if known and time.monotonic() - at < SIZES_FRESH_SECONDS:
            return known
        parts = [part for part in folder.iterdir() if part.is_dir()]
        files = sum(_file_bytes(part) for part in folder.iterdir() if part.is_file())
        sizes = [FolderUse(name=part.name, size_bytes=_size_bytes(part)) for part in parts]
        sizes.append(FolderUse(name="database", size_bytes=files))
        sizes.sort(key=lambda use: -use.size_bytes)
        self._known[folder] = (time.monotonic(), sizes)
        return sizes


_sizes = _Sizes()


def _size_bytes(folder: Path) -> int:
    """Bytes of all files below a folder in which others write and remove meanwhile."""
    return sum(_file_bytes(Path(place) / name) for place, _folders, names in os.walk(folder) for name in names)


def _file_bytes(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # gone since it was listed
        return 0
