"""Where a dataset may be written on the server's machine, and the writing: whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
import zipfile
from pathlib import Path
from typing import IO

from tunesmith.domains.datasets.errors import TargetExistsError
from tunesmith.domains.datasets.schemas.saving import DatasetSaveRequest, SaveFormat
from tunesmith.domains.models import PathNotAllowed
from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paths import atomic_file
from tunesmith.settings import Settings

FOLDER = "saved"
PIECE_BYTES = 1 << 20


def target_of(asked: DatasetSaveRequest, settings: Settings) -> Path | None:
    """The real path that was asked for; None without one.

    Raises PathNotAllowed outside the roots and inside the program's own data, InvalidInput for another extension, and
    TargetExistsError.
    """
    if asked.path is None:
        return None
    if "\x00" in asked.path:
        raise InvalidInput("The path has a NUL character.", errors=[{"location": "body.path", "message": "NUL"}])
    own = settings.data_dir.resolve() / FOLDER
    path = (own / Path(asked.path).expanduser()).resolve()
    data_dir = settings.data_dir.resolve()
    roots = [root.resolve() for root in settings.allowed_model_roots if root.resolve() != data_dir]
    is_own = own in path.parents
    is_allowed = any(root in path.parents for root in roots) and data_dir not in (path, *path.parents)
    if not (is_own or is_allowed):
        raise PathNotAllowed(
            f"{asked.path} is outside the folders that may be written.",
            hint=f"Give a name without a folder (it lies in {FOLDER} of the data folder), or add the folder to "
            "TUNESMITH_MODELS__ALLOWED_ROOTS.",
        )
    if asked.format is not SaveFormat.HF and path.suffix.lower() != f".{asked.format}":
        fault = {"location": "body.path", "message": f"expected .{asked.format}", "value": path.name}
        raise InvalidInput(
            f"{path.name!r} does not end in .{asked.format}.",
            hint=f"Name the file {path.stem}.{asked.format}, or ask for another format.",
            errors=[fault],
        )
    refuse_existing(path, asked)
    return path


def refuse_existing(path: Path, asked: DatasetSaveRequest) -> None:
    """Raise TargetExistsError for what is there and must not be replaced."""
    is_folder = asked.format is SaveFormat.HF
    if is_folder and path.is_dir() and (asked.overwrite or not any(path.iterdir())):
        return
    if path.exists() and (path.is_dir() or is_folder or not asked.overwrite):
        kind = "folder" if path.is_dir() else "file"
        raise TargetExistsError(f"There is a {kind} {path.name!r} already.")


def write_target(packed: Path, path: Path, asked: DatasetSaveRequest) -> None:
    """Copy what was packed to ``path``; a dataset folder is unpacked, each file whole or not at all.

    What lies there byte for byte already, from a run that was killed, is left as it is. Raises TargetExistsError and
    PathNotAllowed.
    """
    try:
        with contextlib.ExitStack() as stack:
            files = _files(stack, packed, path, asked.format)
            if all(target.is_file() and _is_equal(source, target) for target, source in files.items()):
                return
            refuse_existing(path, asked)
            for target, source in files.items():
                source.seek(0)
                with atomic_file(target) as file:
                    shutil.copyfileobj(source, file, PIECE_BYTES)
    except PermissionError as error:
        raise PathNotAllowed(
            f"{path} cannot be written: {error.strerror}.", hint="Choose a folder that the server may write to."
        ) from None


def _files(stack: contextlib.ExitStack, packed: Path, path: Path, fmt: SaveFormat) -> dict[Path, IO[bytes]]:
    """What is to be written where."""
    if fmt is not SaveFormat.HF:
        return {path: stack.enter_context(packed.open("rb"))}
    archive = stack.enter_context(zipfile.ZipFile(packed))  # our own: two files with fixed names
    return {path / entry.filename: stack.enter_context(archive.open(entry)) for entry in archive.infolist()}


def _is_equal(source: IO[bytes], target: Path) -> bool:
    with target.open("rb") as file:
        while piece := source.read(PIECE_BYTES):
            if file.read(len(piece)) != piece:
                return False
        return not file.read(1)
