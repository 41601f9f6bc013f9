"""Keeping a run's model outside of the run: its folder is copied to a place of the server's machine, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.db import Unit
from tunesmith.domains.jobs import GraphNode, JobContext, JobKind, JobService, JobState, JobStateConflict, JobView
from tunesmith.domains.models import PathNotAllowed
from tunesmith.domains.training.errors import SaveTargetExists
from tunesmith.kit.errors import InvalidInput
from tunesmith.settings import Settings

KIND = "save-model"
FOLDER = "saved"
MANIFEST = ("manifest.json",)
"""Belongs to the run's own verification, not to the model."""


class SaveModelSpec(BaseModel):
    """What is copied where."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    run_id: int = Field(description="Run whose model it is.")
    format: Literal["adapter", "merged"] = Field(description="What is kept.")
    source: str = Field(description="Folder that is copied.")
    target: str = Field(description="Folder that it is copied to.")
    overwrite: bool = Field(False, description="Whether a folder that is there may be replaced.")
    certificate: dict[str, Any] | None = Field(None, description="Certificate of a merged model.")


class SavedModel(BaseModel):
    """A model that was kept."""

    model_config = ConfigDict(protected_namespaces=())
    job_id: int = Field(description="Run whose model it is.")
    format: str = Field(description="`adapter` or `merged`.")
    path: str = Field(description="Where it lies on the server's machine.")
    files: list[str] = Field(description="Its files.")
    size_bytes: int = Field(description="Size of all files.")
    sha256: str = Field(description="SHA-256 of the list of files as `sha256sum` prints it.")
    certificate: dict[str, Any] | None = Field(None, description="Whether a merged model behaves like the run's.")


def target_of(path: str | None, default: str, settings: Settings, *, overwrite: bool) -> Path:
    """The real folder that was asked for. Raises PathNotAllowed, InvalidInput and SaveTargetExists."""
    asked = path if path is not None else default
    if "\x00" in asked:
        raise InvalidInput("The path has a NUL character.", errors=[{"location": "body.path", "message": "NUL"}])
    data_dir = settings.data_dir.resolve()
    own = data_dir / FOLDER
    try:
        target = (own / Path(asked).expanduser()).resolve()
        there = target.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(
            f"{asked[:200]!r} is not a usable path.",
            errors=[{"location": "body.path", "message": type(error).__name__}],
        ) from None
    roots = [root.resolve() for root in settings.allowed_model_roots if root.resolve() != data_dir]
    is_own = own in target.parents
    is_allowed = any(root in target.parents for root in roots) and data_dir not in (target, *target.parents)
    if not (is_own or is_allowed):
        raise PathNotAllowed(
            f"{asked[:200]} is outside the folders that may be written.",
            hint=f"Give a name without a folder (it lies in {FOLDER} of the data folder), or add the folder to "
            "TUNESMITH_MODELS__ALLOWED_ROOTS.",
        )
    if there and not (overwrite and target.is_dir()) and not (target.is_dir() and not any(target.iterdir())):
        raise SaveTargetExists(f"There is a {'folder' if target.is_dir() else 'file'} {target.name!r} already.")
    return target


class ModelSaver:
    """Saves what runs have made."""

    def __init__(self, *, settings: Settings, jobs: JobService) -> None:
        self._settings = settings
        self._jobs = jobs

    async def start(
        self, unit: Unit, run_id: int, format: Literal["adapter", "merged"], path: str | None, *, overwrite: bool
    ) -> JobView:
        """Queue the copy; a merged model is made (and certified) first. Raises JobStateConflict without a finished run."""
        run = await self._jobs.get(unit, run_id)
        made = (run.result or {}).get("publication") or {}
        if run.state is not JobState.SUCCEEDED or not (made.get("adapter_dir") or made.get("model_dir")):
            raise JobStateConflict(
                f"Run {run_id} ({run.name}) is {run.state}; there is no model to save yet.",
                hint="Wait for its end, or resume it.",
                state=run.state.value,
            )
        target = target_of(path, f"run-{run_id}-{format}", self._settings, overwrite=overwrite)
        spec: dict[str, Any] = {"run_id": run_id, "format": format, "target": str(target), "overwrite": overwrite}
        name = f"save {run.name}: {format}"
        if format == "adapter" and not made.get("adapter_dir"):
            raise InvalidInput(
                f"All weights of run {run_id} were trained; it has no adapter.", hint="Save it as merged."
            )
        if format == "adapter":
            return await self._jobs.submit(unit, KIND, {**spec, "source": made["adapter_dir"]}, name=name[:200])
        output = {"model": f"run:{run_id}", "outputs": [{"format": "merged", "method": None}]}
        save = GraphNode("save", KIND, name[:200], spec)
        save.inputs = {"source": ("export", "exports.0.path"), "certificate": ("export", "exports.0.certificate")}
        nodes = [GraphNode("export", "export", f"{run.name}: merge"[:200], output), save]
        return (await self._jobs.submit_graph(unit, nodes, name=name[:200]))["save"]


def kinds() -> list[JobKind]:
    """The kind of job that copies."""
    return [JobKind(KIND, SaveModelSpec, SavedModel, _save)]


async def _save(context: JobContext) -> SavedModel:
    spec = context.spec
    assert isinstance(spec, SaveModelSpec)
    await context.progress(0, 1, "copying")
    files = await context.in_thread(copy_model, Path(spec.source), Path(spec.target), overwrite=spec.overwrite)
    await context.progress(1, 1, "done")
    lines = "".join(f"{digest}  {name}\n" for name, (digest, _size) in sorted(files.items()))
    return SavedModel(
        job_id=spec.run_id,
        format=spec.format,
        path=spec.target,
        files=sorted(files),
        size_bytes=sum(size for _digest, size in files.values()),
        sha256=hashlib.sha256(lines.encode()).hexdigest(),
        certificate=spec.certificate,
    )


def copy_model(source: Path, target: Path, *, overwrite: bool) -> dict[str, tuple[str, int]]:
    """Copy the files of a model; answers the digest and size of each. What is there already, byte for byte, is left alone."""
    if not source.is_dir():
        raise InvalidInput(
            f"The model's folder {source.name!r} is no longer there.", hint="Run the training or the export again."
        )
    wanted = digests(source)
    if target.is_dir() and digests(target) == wanted:
        return wanted
    if target.exists() and not overwrite and any(target.iterdir()):
        raise SaveTargetExists(f"There is a folder {target.name!r} already.")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    old = target.with_name(f".{target.name}.{secrets.token_hex(6)}.old")
    try:
        shutil.copytree(source, temporary, ignore=shutil.ignore_patterns(*MANIFEST))
        if target.exists():
            os.replace(target, old)
        os.replace(temporary, target)
    finally:
        for leftover in (temporary, old):
            shutil.rmtree(leftover, ignore_errors=True)
    return wanted


def digests(folder: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and size of every file below ``folder`` that belongs to the model, by its path there."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name not in MANIFEST:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            found[file.relative_to(folder).as_posix()] = (digest, file.stat().st_size)
    return found
