"""Pickled weights become safetensors: a child reads them without running them, and the result is a model of the local store."""

from __future__ import annotations

from pathlib import Path

import anyio
from pydantic import BaseModel, ConfigDict, Field

from tunesmith.db import Unit
from tunesmith.domains.jobs import JobService, JobView
from tunesmith.domains.models import places
from tunesmith.domains.models.errors import ModelInvalid
from tunesmith.domains.models.hub import storing
from tunesmith.kit.ids import display_name, slugify
from tunesmith.settings import Settings

CONVERT = "convert-weights"
PICKLED = ("*.bin", "*.pt", "*.pth")


class ConversionRequest(BaseModel):
    """What to convert. The folder itself stays as it is."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_path: str = Field(
        min_length=1, max_length=4096, description="Folder of this machine with config.json and *.bin or *.pt."
    )
    name: str | None = Field(
        None, min_length=1, max_length=200, description="Name in the local store; default is the folder's."
    )


class ConversionSpec(BaseModel):
    """What a `convert-weights` job does."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_path: str = Field(description="Folder to convert.")
    model_id: str = Field(description="Name that the model gets in the local store.")


async def start_conversion(settings: Settings, jobs: JobService, unit: Unit, request: ConversionRequest) -> JobView:
    """Queue a conversion. Raises ``PathNotAllowed``, ``ModelNotFound``, ``ModelInvalid`` and ``OutOfSpace``."""
    folder = await anyio.to_thread.run_sync(places.allowed_folder, request.model_path, settings, None)
    size = await anyio.to_thread.run_sync(_pickled_bytes, folder)
    storing.check_disk(settings, size, f"The converted {folder.name!r}")
    wanted = slugify(request.name or folder.name, "model")
    name, number = wanted, 2
    while places.own_folder(name, settings).exists():
        name, number = f"{wanted}-{number}", number + 1
    spec = ConversionSpec(model_path=str(folder), model_id=name)
    return await jobs.submit(unit, CONVERT, spec, name=display_name(f"Convert {folder.name}"))


def _pickled_bytes(folder: Path) -> int:
    if not (folder / "config.json").is_file():
        raise ModelInvalid(f"{folder.name!r} has no config.json, so it is not a model folder.")
    files = [file for pattern in PICKLED for file in folder.glob(pattern) if file.is_file()]
    if not files:
        raise ModelInvalid(f"{folder.name!r} has no *.bin or *.pt file to convert.")
    return sum(file.stat().st_size for file in files)
