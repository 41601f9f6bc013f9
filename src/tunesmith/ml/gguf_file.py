"""Read the frame of a GGUF file and check that every part lies where it says, without loading a single weight."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from tunesmith.kit.errors import InvalidInput

MAGIC = b"GGUF"
ALIGNMENT = 32
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9


class GgufDamaged(InvalidInput):
    """The file is cut short or is not GGUF."""

    code, title = "gguf-damaged", "The GGUF file is damaged"
    hint = "Export it again."


@dataclass(frozen=True)
class Structure:
    """What a file says about itself: scalars and strings by key (arrays as their length), and its tensors."""

    values: dict[str, object]
    tensors: dict[str, tuple[str, tuple[int, ...], int]]
    """(type, shape, first byte) by name."""


def check_structure(path: Path) -> Structure:
    """Read header, keys and tensor table; every tensor must lie within the file, and the file must end with the last one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            structure = _read(file)
        except (struct.error, UnicodeDecodeError, KeyError, ValueError) as error:
            raise GgufDamaged(f"{path.name} cannot be read near byte {file.tell()}: {error}.") from error
    end = max((first + _size(kind, shape) for kind, shape, first in structure.tensors.values()), default=0)
    if not end <= size <= end + ALIGNMENT:
        raise GgufDamaged(f"{path.name} should end near byte {end} but has {size} bytes.")
    return structure


def _size(kind: str, shape: tuple[int, ...]) -> int:
    block_elements, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    return math.prod(shape) // block_elements * block_bytes


def _read(file: BinaryIO) -> Structure:
    if file.read(4) != MAGIC:
        raise ValueError("it does not begin with GGUF")
    version, tensor_count, key_count = struct.unpack("<IQQ", _exactly(file, 20))
    if version != 3:
        raise ValueError(f"version {version} is not 3")
    values = {}
    for _ in range(key_count):
        key = _string(file)
        values[key] = _value(file, _scalar(file, "<I"))
    tensors = {}
    for _ in range(tensor_count):
        name = _string(file)
        dimensions = [int(_scalar(file, "<Q")) for _ in range(int(_scalar(file, "<I")))]
        kind = GGMLQuantizationType(int(_scalar(file, "<I"))).name
        tensors[name] = (kind, tuple(reversed(dimensions)), int(_scalar(file, "<Q")))
    start = -(-file.tell() // ALIGNMENT) * ALIGNMENT
    return Structure(values, {name: (kind, shape, start + offset) for name, (kind, shape, offset) in tensors.items()})


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise ValueError("it ends early")
    return data


def _scalar(file: BinaryIO, layout: str) -> int | float | bool:
    value: int | float | bool = struct.unpack(layout, _exactly(file, struct.calcsize(layout)))[0]
    return value


def _string(file: BinaryIO) -> str:
    return _exactly(file, int(_scalar(file, "<Q"))).decode()


def _value(file: BinaryIO, kind: int | float | bool) -> object:
    if kind == _STRING:
        return _string(file)
    if kind != _ARRAY:
        return _scalar(file, _SCALARS[int(kind)])
    inner, count = int(_scalar(file, "<I")), int(_scalar(file, "<Q"))
    if inner == _STRING:
        for _ in range(count):
            file.seek(int(_scalar(file, "<Q")), 1)
    else:
        file.seek(struct.calcsize(_SCALARS[inner]) * count, 1)
    return count
