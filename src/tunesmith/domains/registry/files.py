"""Files of a version: into the store with their hashes, and out of it again, checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from tunesmith.domains.registry.errors import FilesDamaged, RegistrationInvalid
from tunesmith.ports.storage import ObjectNotFound, Storage
from tunesmith.wire.checkpoint import sha256_file

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
PICKLED = {".bin", ".pt", ".pth", ".pkl", ".ckpt"}


@dataclass(frozen=True)
class FileEntry:
    """One line of the manifest."""

    path: str
    storage_key: str
    sha256: str
    size_bytes: int


def _listed(folder: Path) -> list[Path]:
    if not (folder / ADAPTER_CONFIG).is_file() or not (folder / ADAPTER_WEIGHTS).is_file():
        raise RegistrationInvalid(f"{folder} is no adapter folder: it needs {ADAPTER_CONFIG} and {ADAPTER_WEIGHTS}.")
    files = sorted(f for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    pickled = [file.name for file in files if file.suffix in PICKLED]
    if pickled:
        raise RegistrationInvalid(
            f"{folder.name} holds pickle files ({', '.join(pickled)}).", hint="Save weights as safetensors."
        )
    return files


async def store_adapter(storage: Storage, folder: Path, prefix: str) -> list[FileEntry]:
    """Copy every file of an adapter folder below ``prefix``; a second run writes the same again."""
    entries = []
    for file in await to_thread.run_sync(_listed, folder):
        path = f"adapter/{file.relative_to(folder).as_posix()}"
        stored = await storage.put_file(file, f"{prefix}/{path}")
        entries.append(FileEntry(path, stored.key, stored.sha256, stored.size_bytes))
    return entries


async def local_folder(storage: Storage, entries: list[FileEntry], cache: Path) -> Path:
    """A folder of this machine that holds the adapter: the store's own, or a checked copy below ``cache``."""
    for entry in entries:
        try:
            local = storage.local_path(entry.storage_key)
        except ObjectNotFound as error:
            raise FilesDamaged(f"{entry.path} is not in the store any more.") from error
        if local is not None and local.stat().st_size != entry.size_bytes:
            raise FilesDamaged(f"{entry.path} should have {entry.size_bytes} bytes but has {local.stat().st_size}.")
        if local is None:
            await _fetch(storage, entry, cache / entry.path)
    config = next(entry for entry in entries if entry.path == f"adapter/{ADAPTER_CONFIG}")
    local = storage.local_path(config.storage_key)
    return local.parent if local is not None else cache / "adapter"


async def _fetch(storage: Storage, entry: FileEntry, target: Path) -> None:
    if target.is_file() and await to_thread.run_sync(sha256_file, target) == entry.sha256:
        return
    fetched = await storage.download(entry.storage_key, target)
    if fetched.sha256 != entry.sha256:
        target.unlink(missing_ok=True)
        raise FilesDamaged(f"{entry.path} has SHA-256 {fetched.sha256} but was registered with {entry.sha256}.")


def manifest_sha256(entries: list[FileEntry]) -> str:
    """One hash for all files, over lines as ``sha256sum`` prints them."""
    lines = "".join(f"{entry.sha256}  {entry.path}\n" for entry in sorted(entries, key=lambda e: e.path))
    return hashlib.sha256(lines.encode()).hexdigest()
