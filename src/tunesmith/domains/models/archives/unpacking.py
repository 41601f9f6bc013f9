"""Unpack a model's archive into an empty folder: files only, under their folder, within limits of count, size and ratio."""

from __future__ import annotations

import contextlib
import io
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import zstandard

from tunesmith.domains.models.errors import ArchiveInvalid, ArchiveTooLarge, ArchiveUnsafe, PickleWeights
from tunesmith.kit.errors import OutOfSpace
from tunesmith.settings import ModelSettings

MAX_MEMBERS = 10_000
PIECE_BYTES = 1 << 20
RATIO_FREE_BYTES = 64 << 20
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError, OSError)


@dataclass
class Member:
    """A file of an archive."""

    name: str
    size_bytes: int
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, folder: Path, limits: ModelSettings, check: Callable[[], None] = lambda: None) -> Path:
    """Unpack into ``folder``; answers the folder in it that holds config.json. ``check`` may raise between pieces.

    Raises ``ArchiveInvalid``, ``ArchiveUnsafe``, ``ArchiveTooLarge``, ``PickleWeights`` and ``OutOfSpace``.
    """
    folder.mkdir(parents=True)
    writer = _Writer(archive.stat().st_size, folder, limits, check)
    try:
        with _members(archive) as members:
            for member in members:
                writer.write(member)
    except (ArchiveInvalid, ArchiveUnsafe, ArchiveTooLarge, OutOfSpace):
        raise
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the archive
        raise ArchiveInvalid(f"The archive is damaged: {str(error)[:200] or type(error).__name__}.") from None
    configs = sorted(folder.rglob("config.json"), key=lambda path: len(path.parts))
    if not configs:
        raise ArchiveInvalid("The archive has no config.json, so it holds no model folder.")
    home = configs[0].parent
    if writer.pickles and not any(home.glob("*.safetensors")):
        raise PickleWeights(f"The archive has its weights only as {writer.pickles[0]}, which is a pickle.")
    return home


class _Writer:
    def __init__(self, packed_bytes: int, folder: Path, limits: ModelSettings, check: Callable[[], None]) -> None:
        self.pickles: list[str] = []
        self._folder = folder
        self._limits = limits
        self._check = check
        self._ratio_bytes = max(RATIO_FREE_BYTES, packed_bytes * limits.max_unpacked_ratio)
        self._written = 0
        self._count = 0
        self._names: set[str] = set()

    def write(self, member: Member) -> None:
        """Write one file, unless it is none of a model's."""
        self._count += 1
        if self._count > MAX_MEMBERS:
            raise ArchiveTooLarge(f"The archive has more than {MAX_MEMBERS} entries.")
        path = safe_path(member.name)
        if path.name.startswith(".") or "__MACOSX" in path.parts:
            return
        if path.name.lower().endswith(PICKLES):
            self.pickles.append(path.name)
            return
        if str(path).lower() in self._names:
            raise ArchiveUnsafe(f"The archive has {str(path)[:100]!r} twice.")
        self._names.add(str(path).lower())
        source = member.open()
        if source is None:
            raise ArchiveInvalid(f"{str(path)[:100]!r} in the archive cannot be read.")
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, target.open("xb") as out:
            while piece := source.read(PIECE_BYTES):
                self._grow(len(piece))
                out.write(piece)

    def _grow(self, size_bytes: int) -> None:
        self._check()
        self._written += size_bytes
        if self._written > self._limits.max_unpacked_bytes:
            raise ArchiveTooLarge(f"The archive unpacks to more than {self._limits.max_unpacked_bytes} bytes.")
        if self._written > self._ratio_bytes:
            raise ArchiveTooLarge(
                f"The archive grows more than {self._limits.max_unpacked_ratio} times, which no model's weights do."
            )
        if shutil.disk_usage(self._folder).free - size_bytes < self._limits.min_free_disk_bytes:
            raise OutOfSpace("The disk of the data folder has no room for what the archive holds.")


def safe_path(name: str) -> PurePosixPath:
    """The relative path that an entry names; raises ``ArchiveUnsafe`` when it could lead anywhere else."""
    path = PurePosixPath(name)
    has_drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or "\\" in name or "\x00" in name or ".." in path.parts or has_drive or not path.parts:
        raise ArchiveUnsafe(f"The archive holds {name[:100]!r}, which would be written outside its folder.")
    if len(name.encode(errors="replace")) > 1000 or any(
        len(part.encode(errors="replace")) > 250 for part in path.parts
    ):
        raise ArchiveUnsafe(f"The archive holds a name of {len(name)} characters.")
    return path


@contextlib.contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    with archive.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start[:2] == b"PK":
            with zipfile.ZipFile(file) as opened:
                yield _of_zip(opened)
        elif start == b"\x28\xb5\x2f\xfd":
            with zstandard.ZstdDecompressor().stream_reader(file) as plain, _tar(plain) as opened_tar:
                yield _of_tar(opened_tar)
        else:
            with _tar(file) as opened_tar:
                yield _of_tar(opened_tar)


def _tar(file: IO[bytes]) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=file, mode="r|*")
    except tarfile.ReadError:
        raise ArchiveInvalid("The file is neither a ZIP nor a tar archive.") from None


def _of_zip(opened: zipfile.ZipFile) -> Iterator[Member]:
    for entry in opened.infolist():
        safe_path(entry.filename)
        if entry.flag_bits & 0x1:
            raise ArchiveInvalid("The archive is encrypted.", hint="Pack it again without a password.")
        kind = (entry.external_attr >> 16) & 0o170000
        if kind not in (0, 0o100000, 0o040000):
            raise ArchiveUnsafe(f"The archive holds {entry.filename[:100]!r}, which is a link or a device.")
        if not entry.is_dir():
            yield Member(entry.filename, entry.file_size, _opener(opened, entry))


def _opener(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    def open_entry() -> IO[bytes]:
        try:
            return opened.open(entry)
        except RuntimeError as error:  # a method that this Python has not
            raise ArchiveInvalid(
                f"{entry.filename[:100]!r} is packed in a way that is not known here: {error}."
            ) from None

    return open_entry


def _of_tar(opened: tarfile.TarFile) -> Iterator[Member]:
    for entry in opened:
        if entry.name in (".", "./"):
            continue
        safe_path(entry.name)
        if entry.isdir():
            continue
        if not entry.isreg() or entry.issym() or entry.islnk():
            raise ArchiveUnsafe(f"The archive holds {entry.name[:100]!r}, which is a link or a device.")
        yield Member(entry.name, entry.size, lambda entry=entry: opened.extractfile(entry) or io.BytesIO())  # type: ignore[misc]
