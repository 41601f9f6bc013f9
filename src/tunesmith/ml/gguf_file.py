"""Read the frame of a GGUF file and check that every part lies where it says, without loading a single weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from tunesmith.kit.errors import InvalidInput
from tunesmith.wire.gguf_keys import read_head, read_scalar, read_string

ALIGNMENT = 32


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
    """Read head and tensor table; every tensor must lie within the file, and the file must end with the last one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            structure = _read(file)
        except ValueError as error:
            raise GgufDamaged(f"{path.name} cannot be read near byte {file.tell()}: {error}.") from error
    end = max((first + _size(kind, shape) for kind, shape, first in structure.tensors.values()), default=0)
    if not end <= size <= end + ALIGNMENT:
        raise GgufDamaged(f"{path.name} should end near byte {end} but has {size} bytes.")
    return structure


def _size(kind: str, shape: tuple[int, ...]) -> int:
    block_elements, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    return math.prod(shape) // block_elements * block_bytes


def _read(file: BinaryIO) -> Structure:
    head = read_head(file)
    tensors = {}
    for _ in range(head.tensor_count):
        name = read_string(file)
        dimensions = [int(read_scalar(file, "<Q")) for _ in range(int(read_scalar(file, "<I")))]
        kind = GGMLQuantizationType(int(read_scalar(file, "<I"))).name
        tensors[name] = (kind, tuple(reversed(dimensions)), int(read_scalar(file, "<Q")))
    start = -(-file.tell() // ALIGNMENT) * ALIGNMENT
    return Structure(head.values, {name: (kind, shape, start + at) for name, (kind, shape, at) in tensors.items()})
