"""A model that has come whole: looked through, written down, and moved to its place in one step."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from tunesmith.domains.models import places
from tunesmith.domains.models.inspection import inspect_folder
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import OutOfSpace
from tunesmith.kit.paths import fsync_folder, write_json
from tunesmith.settings import Settings

FORGOTTEN_SECONDS = 7 * 24 * 3600


def place(incoming: Path, target: Path, **facts: Any) -> None:
    """Make ``incoming`` the folder ``target``; an older one there is replaced.

    A kill between the two renames leaves ``incoming`` whole, and the job's next run ends the move. Raises what
    ``inspect_folder`` raises.
    """
    inspect_folder(incoming)
    write_json(incoming / places.MARKER, facts | {"stored_at": utc_now().isoformat()})
    (incoming / ".lock").unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    old = incoming.with_name(f".old-{secrets.token_hex(6)}")
    if target.exists():
        os.rename(target, old)
    os.rename(incoming, target)
    fsync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def remove(folder: Path, root: Path) -> None:
    """Delete a folder of ours: out of its place in one step, then its bytes; an empty owner's folder goes too."""
    trash = root / places.INCOMING / f".old-{secrets.token_hex(6)}"
    trash.parent.mkdir(parents=True, exist_ok=True)
    os.rename(folder, trash)
    shutil.rmtree(trash, ignore_errors=True)
    if folder.parent != root and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def sweep(settings: Settings) -> None:
    """Remove what unfinished downloads and uploads left a week ago, and what a killed deletion left."""
    root = places.own_root(settings) / places.INCOMING
    for entry in root.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # another process sweeps too
            is_old = time.time() - entry.stat().st_mtime > FORGOTTEN_SECONDS
            if is_old or entry.name.startswith(".old-"):
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()


def check_disk(settings: Settings, needed_bytes: int, what: str) -> None:
    """Raise ``OutOfSpace`` unless the disk keeps its reserve after ``needed_bytes`` more."""
    free = shutil.disk_usage(settings.data_dir).free
    reserve = settings.models.min_free_disk_bytes
    if needed_bytes > free - reserve:
        raise OutOfSpace(
            f"{what} needs {needed_bytes} bytes, and the disk of the data folder has {free} (of which {reserve} must stay free).",
            hint="Free some space, choose a smaller model, or lower TUNESMITH_MODELS__MIN_FREE_DISK_BYTES.",
        )


def fits_on_disk(settings: Settings, needed_bytes: int) -> bool:
    """Whether ``check_disk`` would let that through."""
    return needed_bytes <= shutil.disk_usage(settings.data_dir).free - settings.models.min_free_disk_bytes
