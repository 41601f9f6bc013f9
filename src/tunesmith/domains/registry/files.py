"""Files of a version: into the store with their hashes, and out of it again, checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from tunesmith.domains.registry.errors import FilesDamaged, RegistrationInvalid
from tunesmith.ports.storage import ObjectNotFound, Storage
from tunesmith.wire.checkpoint import sha256_file

KINDS = {
    "adapter": ("adapter_config.json", "adapter_model.safetensors"),
    "model": ("config.json", "model.safetensors"),
}
"""What a version may be, by the folder in it: configuration and weights that it must have."""
PICKLED = {".bin", ".pt", ".pth", ".pkl", ".ckpt"}


@dataclass(frozen=True)
class FileEntry:
    """One line of the manifest."""

    path: str
    storage_key: str
    sha256: str
    size_bytes: int


def _listed(folder: Path) -> tuple[str, list[Path]]:
    """What the folder is, and its files."""
    fitting = [kind for kind, needed in KINDS.items() if all((folder / name).is_file() for name in needed)]
    if not fitting:
        needed = " or ".join(f"{config} and {weights}" for config, weights in KINDS.values())
        raise RegistrationInvalid(f"{folder} is neither an adapter folder nor a model folder: it needs {needed}.")
    files = sorted(f for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    pickled = [file.name for file in files if file.suffix in PICKLED]
    if pickled:
        raise RegistrationInvalid(
            f"{folder.name} holds pickle files ({', '.join(pickled)}).", hint="Save weights as safetensors."
        )
    return fitting[0], files


async def store_weights(storage: Storage, folder: Path, prefix: str) -> list[FileEntry]:
    """Copy every file of an adapter or model folder below ``prefix``; a second run writes the same again."""
    entries = []
    kind, files = await to_thread.run_sync(_listed, folder)
    for file in files:
        path = f"{kind}/{file.relative_to(folder).as_posix()}"
        stored = await storage.put_file(file, f"{prefix}/{path}")
        entries.append(FileEntry(path, stored.key, stored.sha256, stored.size_bytes))
    return entries


async def local_folder(storage: Storage, entries: list[FileEntry], cache: Path) -> Path:
    """A folder of this machine that holds the weights: the store's own, or a checked copy below ``cache``."""
    for entry in entries:
        try:
            local = storage.local_path(entry.storage_key)
        except ObjectNotFound as error:
            raise FilesDamaged(f"{entry.path} is not in the store any more.") from error
        if local is not None and local.stat().st_size != entry.size_bytes:
            raise FilesDamaged(f"{entry.path} should have {entry.size_bytes} bytes but has {local.stat().st_size}.")
        if local is None:
            await _fetch(storage, entry, cache / entry.path)
    configs = {f"{kind}/{needed[0]}": kind for kind, needed in KINDS.items()}
    config = next(entry for entry in entries if entry.path in configs)
    local = storage.local_path(config.storage_key)
    return local.parent if local is not None else cache / configs[config.path]


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
