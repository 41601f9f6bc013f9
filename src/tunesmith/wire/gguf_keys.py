"""Keys at the head of a GGUF file: read by the server to know what it is given, and by the child that wrote it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tunesmith.wire.gguf_methods import BY_FILE_TYPE

MAGIC = b"GGUF"
VERSION = 3
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9


class NotGguf(ValueError):
    """The file does not begin as a GGUF file does, or ends inside its head."""


@dataclass(frozen=True)
class Head:
    """Scalars and strings by key (arrays as their length), and how many tensors follow."""

    values: dict[str, object]
    tensor_count: int


def read_head(file: BinaryIO) -> Head:
    """Read to the end of the keys; raises NotGguf."""
    try:
        if file.read(4) != MAGIC:
            raise NotGguf("it does not begin with GGUF")
        version, tensor_count, key_count = struct.unpack("<IQQ", read_exactly(file, 20))
        if version != VERSION:
            raise NotGguf(f"version {version} is not {VERSION}")
        values: dict[str, object] = {}
        for _ in range(key_count):
            key = read_string(file)
            values[key] = _value(file, int(read_scalar(file, "<I")))
    except (struct.error, UnicodeDecodeError, KeyError, OverflowError, MemoryError) as error:
        raise NotGguf(f"its keys cannot be read near byte {file.tell()} ({error})") from error
    return Head(values, tensor_count)


def method_of(path: Path) -> str | None:
    """The method that a file says it was written with, where Tunesmith has a name for it; raises NotGguf."""
    with path.open("rb") as file:
        kind = read_head(file).values.get("general.file_type")
    return BY_FILE_TYPE.get(kind) if isinstance(kind, int) else None


def read_exactly(file: BinaryIO, count: int) -> bytes:
    """So many bytes; raises NotGguf when there are fewer."""
    data = file.read(count) if count < 1 << 32 else b""
    if len(data) != count:
        raise NotGguf("it ends early")
    return data


def read_scalar(file: BinaryIO, layout: str) -> int | float | bool:
    """One number."""
    value: int | float | bool = struct.unpack(layout, read_exactly(file, struct.calcsize(layout)))[0]
    return value


def read_string(file: BinaryIO) -> str:
    """A string with its length before it."""
    return read_exactly(file, int(read_scalar(file, "<Q"))).decode()


def _value(file: BinaryIO, kind: int) -> object:
    if kind == _STRING:
        return read_string(file)
    if kind != _ARRAY:
        return read_scalar(file, _SCALARS[kind])
    inner, count = int(read_scalar(file, "<I")), int(read_scalar(file, "<Q"))
    if inner == _STRING:
        for _ in range(count):
            file.seek(int(read_scalar(file, "<Q")), 1)
    else:
        file.seek(struct.calcsize(_SCALARS[inner]) * count, 1)
    return count
