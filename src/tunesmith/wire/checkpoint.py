"""A checkpoint folder: files and a manifest with their SHA-256. It is whole, or it is not a checkpoint.

Written under a temporary name, fsynced, then renamed; read only after every byte was verified. Server and child share this.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from tunesmith.kit.paths import OutsideRoot, fsync_folder, resolve_under

MANIFEST_NAME = "manifest.json"
INHERITED = "inherited"
"""Folder of a run for the checkpoint of another one that it goes on from."""
BLOCK_BYTES = 1 << 20


class CheckpointDamaged(ValueError):
    """A checkpoint that does not verify; the message names the file and what is wrong with it."""


class CheckpointFile(BaseModel):
    """One file of a checkpoint."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes.")
    size_bytes: int = Field(ge=0, description="Size in bytes.")


class CheckpointManifest(BaseModel):
    """What a checkpoint holds."""

    step: int = Field(ge=0, description="Units of work done.")
    files: dict[str, CheckpointFile] = Field(description="Every file by its path in the folder.")

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size_bytes for file in self.files.values())


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(folder: Path, step: int) -> CheckpointManifest:
    """Hash and fsync every file of ``folder``, then write its manifest."""
    files = {}
    for path in sorted(f for f in folder.rglob("*") if f.is_file() and f.name != MANIFEST_NAME):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[path.relative_to(folder).as_posix()] = CheckpointFile(
            sha256=sha256_file(path), size_bytes=path.stat().st_size
        )
    manifest = CheckpointManifest(step=step, files=files)
    with (folder / MANIFEST_NAME).open("xb") as file:
        file.write(manifest.model_dump_json(indent=2).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    for inner in sorted((f for f in folder.rglob("*") if f.is_dir()), reverse=True):
        fsync_folder(inner)
    fsync_folder(folder)
    return manifest


@contextlib.contextmanager
def new_checkpoint(target: Path, step: int) -> Iterator[Path]:
    """A temporary folder to write into; when the block ends well it is manifested and becomes ``target`` at once.

    A ``target`` that already exists (the same step, reached again) is replaced.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        write_manifest(temporary, step)
        if target.exists():
            remove_checkpoint(target)
        temporary.rename(target)
        fsync_folder(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def remove_checkpoint(folder: Path) -> None:
    """Delete a checkpoint: it stops being one by a rename, then its files go."""
    doomed = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.tmp")
    folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def sweep_leftovers(folder: Path) -> None:
    """Delete what a killed writer left half written in ``folder``."""
    for leftover in folder.glob(".*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)


def read_manifest(folder: Path) -> CheckpointManifest:
    """The manifest as it was written; raises CheckpointDamaged when there is none or it cannot be read."""
    try:
        return CheckpointManifest.model_validate(json.loads((folder / MANIFEST_NAME).read_bytes()))
    except FileNotFoundError:
        raise CheckpointDamaged(f"{folder} has no {MANIFEST_NAME}: it was never completed.") from None
    except (OSError, ValueError, ValidationError) as error:
        raise CheckpointDamaged(f"{folder / MANIFEST_NAME} cannot be read: {error}") from None


def verify_checkpoint(folder: Path) -> CheckpointManifest:
    """The manifest, after the size and SHA-256 of every file were checked; raises CheckpointDamaged."""
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        try:
            path = resolve_under(folder, name)
            if path.stat().st_size != expected.size_bytes:
                raise CheckpointDamaged(
                    f"{folder / name} has {path.stat().st_size} bytes instead of {expected.size_bytes}."
                )
            if sha256_file(path) != expected.sha256:
                raise CheckpointDamaged(f"{folder / name} has other bytes than when it was saved (SHA-256 differs).")
        except (OSError, OutsideRoot) as error:
            raise CheckpointDamaged(f"{folder / name} cannot be read: {error}") from None
    return manifest


def find_newest_checkpoint(folders: Iterable[Path]) -> tuple[Path, CheckpointManifest] | None:
    """The checkpoint with the highest step below any of ``folders`` that verifies; damaged ones are passed over.

    Of two with the same step the one in the later folder wins.
    """
    found: list[tuple[int, int, Path]] = []
    for rank, folder in enumerate(folders):
        for manifest_file in folder.glob(f"[!.]*/{MANIFEST_NAME}"):
            with contextlib.suppress(CheckpointDamaged):
                found.append((read_manifest(manifest_file.parent).step, rank, manifest_file.parent))
    for _step, _rank, path in sorted(found, reverse=True):
        with contextlib.suppress(CheckpointDamaged):
            return path, verify_checkpoint(path)
    return None
