"""Files that are either the old ones or the new ones, and paths that stay under their root."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


class OutsideRoot(ValueError):
    """A path that leads out of the folder it must stay in."""


def resolve_under(root: Path, relative: str) -> Path:
    """The real path of ``relative`` under ``root``; raises OutsideRoot for ``..``, absolute paths, links that lead out."""
    if not relative or "\x00" in relative or "\\" in relative or Path(relative).is_absolute():
        raise OutsideRoot(f"{relative!r} is not a path below the allowed folder")
    real_root = root.resolve()
    target = (real_root / relative).resolve()
    if target != real_root and real_root not in target.parents:
        raise OutsideRoot(f"{relative!r} leads out of the allowed folder")
    return target


def fsync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def atomic_file(target: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``target``; on success fsync and rename it, on failure remove it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            os.chmod(temporary, mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        fsync_folder(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A temporary folder beside ``target``, which becomes it on success and is removed on failure.

    Raises FileExistsError when there is one already and ``replace`` is not set; the old one stays until the new one is whole.
    """
    if target.exists() and not replace:
        raise FileExistsError(f"{target.name} exists already")
    target.parent.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(6)
    temporary = target.with_name(f".{target.name}.{mark}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        fsync_folder(temporary)
        if target.exists():
            aside = target.with_name(f".{target.name}.{mark}.old")
            os.replace(target, aside)
            os.replace(temporary, target)
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
        else:
            os.replace(temporary, target)
        fsync_folder(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_json(target: Path, value: Any, mode: int = 0o644) -> None:
    """Write ``value`` as JSON: the old file or the new one, never a mix."""
    with atomic_file(target, mode) as file:
        file.write(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n")


def folder_size_bytes(folder: Path) -> int:
    """Bytes of all files below ``folder``."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())


def link_folder(source: Path, target: Path) -> None:
    """Make ``target`` a folder with the files of ``source``, linked where the disk can and copied where not; whole or not at all."""
    if target.exists():
        return
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        shutil.copytree(source, temporary, copy_function=_link_or_copy)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary, target)
        fsync_folder(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
