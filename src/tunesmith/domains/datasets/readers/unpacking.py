"""gzip, Zstandard and ZIP files as the one file inside: a piece at a time, with limits on what comes out."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tunesmith.domains.datasets.errors import FileSecurityError, PackedFileError
from tunesmith.domains.datasets.readers.records import Packing

PIECE_BYTES = 1 << 20
READ_BYTES = 32 << 10
"""What one read asks for: where a file is damaged, at most so much before it is lost."""
RATIO_FROM_BYTES = 64 << 20
"""Below this much, any ratio is harmless."""
MAX_MEMBERS = 1000
MAX_DIRECTORY_BYTES = 4 << 20
MAX_WINDOW_BYTES = 128 << 20
_NOT_DATA = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class UnpackLimits:
    """How much may come out of a packed file."""

    max_bytes: int = 64 << 30
    max_ratio: int = 250


def unpacked(path: Path, packing: Packing, limits: UnpackLimits) -> Iterator[bytes]:
    """The bytes of the file inside, in pieces, to the place where it is damaged if it is.

    Raises PackedFileError there, or where it grows too much.
    """
    with path.open("rb") as packed, _opened(path, packed, packing) as plain:
        size = 0
        piece = bytearray()
        damage: Exception | None = None
        while True:
            try:
                came = plain.read(READ_BYTES)
            except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, _zstd_error()) as error:
                came, damage = b"", error
            piece += came
            size += len(came)
            _check_growth(size, packed.tell(), limits)
            if piece and (len(piece) >= PIECE_BYTES or not came):
                yield bytes(piece)
                piece.clear()
            if damage is not None:
                raise PackedFileError(f"The {packing.value} file is damaged after {size:,} bytes: {damage}.")
            if not came:
                return


def member_of(path: Path) -> zipfile.ZipInfo:
    """The one data file of a ZIP archive; raises PackedFileError and FileSecurityError."""
    _check_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, RuntimeError, ValueError, struct.error) as error:
        raise PackedFileError(f"The ZIP archive cannot be read: {error}.") from None
    if len(members) > MAX_MEMBERS:
        raise PackedFileError(f"The ZIP archive has {len(members):,} members; at most {MAX_MEMBERS:,} are looked at.")
    for member in members:
        _check_member(member)
    files = [member for member in members if not member.is_dir() and not _is_of_the_system(member.filename)]
    if len(files) != 1:
        names = ", ".join(repr(member.filename[:60]) for member in files[:8]) or "none"
        raise PackedFileError(
            f"The ZIP archive has {len(files)} files ({names}); a data set is one file.",
            hint="Put one data file into the archive, or upload the files one by one.",
        )
    return files[0]


def _check_directory(path: Path) -> None:
    """Refuse a directory of members that would fill the memory, before anything reads it."""
    with path.open("rb") as file:
        end = file.seek(0, io.SEEK_END)
        file.seek(max(0, end - (1 << 16) - 1024))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise PackedFileError("The ZIP archive has no directory at its end: it was cut off.")
    (size,) = struct.unpack_from("<L", tail, at + 12)
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if wide >= 0 and len(tail) - wide >= 56:
        size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", tail, wide + 40)[0])
    if size > MAX_DIRECTORY_BYTES:
        raise PackedFileError(f"The directory of the ZIP archive has {size:,} bytes; a data set is one file.")


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = repr(name[:80])
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or ":" in name[:3] or "\x00" in name:
        raise FileSecurityError(
            f"The archive has a member {shown}, which leads out of it.", hint="Pack the file again without its path."
        )
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FileSecurityError(f"The archive's member {shown} is a link or a device.", hint="Pack the file itself.")
    if member.is_dir():
        return
    if member.flag_bits & 0x1:
        raise PackedFileError(f"The archive's member {shown} is encrypted.", hint="Pack it without a password.")
    if member.compress_type not in _METHODS:
        raise PackedFileError(
            f"The archive's member {shown} is packed in a way that is not read here (method {member.compress_type}).",
            hint="Pack it with the usual method (deflate), or upload it unpacked.",
        )


def _is_of_the_system(name: str) -> bool:
    return any(part in _NOT_DATA or part.startswith("._") for part in PurePosixPath(name).parts)


@contextmanager
def _opened(path: Path, packed: BinaryIO, packing: Packing) -> Iterator[BinaryIO]:
    if packing is Packing.ZIP:
        member = member_of(path)
        with zipfile.ZipFile(packed) as archive:
            try:
                opened = archive.open(member)
            except (zipfile.BadZipFile, RuntimeError, struct.error) as error:
                raise PackedFileError(f"The ZIP archive cannot be read: {error}.") from None
            with opened as plain:
                yield plain  # type: ignore[misc]  # reads bytes
    elif packing is Packing.GZIP:
        with gzip.GzipFile(fileobj=packed) as plain:
            yield plain  # type: ignore[misc]
    else:
        import zstandard  # only those who meet such a file need its library

        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        yield _WholeFrames(packed, decompressor.stream_reader(packed, read_across_frames=True, closefd=False).read)  # type: ignore[misc]


def _zstd_error() -> type[Exception]:
    import zstandard

    return zstandard.ZstdError


class _WholeFrames:
    """A Zstandard stream that says so when it ends in the middle of a frame; the library keeps silent about it."""

    def __init__(self, packed: BinaryIO, read: Callable[[int], bytes]) -> None:
        self._packed, self._read = packed, read

    def read(self, size: int) -> bytes:
        piece = self._read(size)
        if not piece and not _ends_whole(self._packed):
            raise EOFError("it ends in the middle of a frame")
        return piece


def _ends_whole(file: BinaryIO) -> bool:
    """Walk over the frames of a Zstandard file by the sizes that their headers say (RFC 8878, section 3.1)."""
    end = file.seek(0, io.SEEK_END)
    at = 0
    while at < end:
        at = _after_frame(file, at)
        if not 0 < at <= end:
            return False
    return True


def _after_frame(file: BinaryIO, at: int) -> int:
    """Where the frame at ``at`` ends; -1 when that cannot be told."""
    file.seek(at)
    head = file.read(18)
    if len(head) >= 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
        return at + 8 + int.from_bytes(head[4:8], "little")
    if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
        return -1
    descriptor = head[4]
    is_single = descriptor >> 5 & 1
    at += 5 + (0 if is_single else 1) + (0, 1, 2, 4)[descriptor & 3]
    at += (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    while True:
        file.seek(at)
        block = file.read(3)
        if len(block) < 3:
            return -1
        header = int.from_bytes(block, "little")
        is_repeated = header >> 1 & 3 == 1
        at += 3 + (1 if is_repeated else header >> 3)
        if header & 1:
            return at + (4 if descriptor >> 2 & 1 else 0)


def _check_growth(size: int, read: int, limits: UnpackLimits) -> None:
    if size > limits.max_bytes:
        raise PackedFileError(
            f"More than {limits.max_bytes:,} bytes come out of the file; unpacking was stopped.",
            hint="Split the file, or raise TUNESMITH_DATASETS__MAX_UNPACKED_BYTES.",
        )
    if size > RATIO_FROM_BYTES and size > limits.max_ratio * max(1, read):
        raise PackedFileError(
            f"{size:,} bytes came out of {read:,}; a file that grows so much is taken for a trap and not unpacked.",
            hint="If the data really repeats itself so much, upload it unpacked, or raise "
            "TUNESMITH_DATASETS__MAX_UNPACKED_RATIO.",
        )
