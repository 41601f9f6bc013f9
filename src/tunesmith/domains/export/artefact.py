"""An artefact's files: hashed where the child wrote them, kept in the store, and found again on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from anyio import to_thread

from tunesmith.domains.export.schemas import ExportFile
from tunesmith.ports.storage import ObjectNotFound, Storage
from tunesmith.wire.checkpoint import sha256_file


def _hash_all(path: Path) -> list[ExportFile]:
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    return [ExportFile(name=f.name, sha256=sha256_file(f), size_bytes=f.stat().st_size) for f in files]


async def hash_files(path: Path) -> list[ExportFile]:
    """The file, or the files of the folder, with their hashes."""
    return await to_thread.run_sync(_hash_all, path)


def sha256_of(files: list[ExportFile], *, is_folder: bool) -> str:
    """Of the one file, or of the folder's list as ``sha256sum *`` prints it."""
    if not is_folder:
        return files[0].sha256
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda f: f.name))
    return hashlib.sha256(lines.encode()).hexdigest()


async def keep(storage: Storage, path: Path, key: str) -> None:
    """Copy a file to ``key``, or a folder's files below it."""
    if path.is_dir():
        for file in sorted(path.iterdir()):
            await storage.put_file(file, f"{key}/{file.name}")
    else:
        await storage.put_file(path, key)


async def forget(storage: Storage, key: str) -> None:
    """Remove what was kept at ``key`` or below it."""
    async for name in storage.list_keys(key):
        await storage.delete(name)
    await storage.delete(key)


async def fetch(storage: Storage, key: str, files: list[ExportFile], *, is_folder: bool, into: Path) -> Path | None:
    """The artefact on this machine: the store's own files, or copies below ``into``. None when a file is gone."""
    keys = {file.name: f"{key}/{file.name}" if is_folder else key for file in files}
    try:
        for name, object_key in keys.items():
            local = storage.local_path(object_key)
            if local is None:
                await storage.download(object_key, into / name)
        first = storage.local_path(next(iter(keys.values())))
    except ObjectNotFound:
        return None
    if first is None:
        return into if is_folder else into / files[0].name
    return first.parent if is_folder else first


def shown_path(storage: Storage, key: str, files: list[ExportFile], *, is_folder: bool) -> str:
    """Where people find it: a path when the store is a folder of this machine, else the key."""
    try:
        local = storage.local_path(f"{key}/{files[0].name}" if is_folder else key)
    except ObjectNotFound:
        return key
    if local is None:
        return key
    return str(local.parent if is_folder else local)
