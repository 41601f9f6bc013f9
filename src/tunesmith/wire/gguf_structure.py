"""The frame of a GGUF file: its keys, its table of tensors, and whether every part lies where it says. No weight is loaded."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tunesmith.wire.gguf_keys import Head, NotGguf, read_head, read_scalar, read_string

ALIGNMENT = 32
MAX_DIMENSIONS = 4
BLOCKS: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}
"""By ggml's number of a block format: its name, how many numbers a block holds, and in how many bytes."""


@dataclass(frozen=True)
class GgufTensor:
    """A tensor's place in the file."""

    name: str
    type: str
    shape: tuple[int, ...]
    first_byte: int
    size_bytes: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Frame:
    """What a file says about itself."""

    head: Head
    tensors: list[GgufTensor]

    @property
    def end(self) -> int:
        """The byte after the last tensor."""
        return max((tensor.first_byte + tensor.size_bytes for tensor in self.tensors), default=0)

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.elements for tensor in self.tensors)


def read_frame(path: Path) -> Frame:
    """Read head and table of tensors; raises NotGguf with the place of the fault."""
    with path.open("rb") as file:
        head = read_head(file)
        try:
            tensors = list(_read_table(file, head.tensor_count))
        except (ValueError, OverflowError, MemoryError) as error:
            raise NotGguf(f"its table of tensors cannot be read near byte {file.tell()} ({error})") from error
        alignment = head.values.get("general.alignment", ALIGNMENT)
        step = alignment if isinstance(alignment, int) and alignment > 0 else ALIGNMENT
        start = -(-file.tell() // step) * step
    return Frame(head, [GgufTensor(t.name, t.type, t.shape, start + t.first_byte, t.size_bytes) for t in tensors])


def _read_table(file: BinaryIO, count: int) -> Iterator[GgufTensor]:
    for _ in range(count):
        name = read_string(file)
        dimensions = int(read_scalar(file, "<I"))
        if not 0 < dimensions <= MAX_DIMENSIONS:
            raise NotGguf(f"{name[:80]!r} has {dimensions} dimensions")
        shape = tuple(reversed([int(read_scalar(file, "<Q")) for _ in range(dimensions)]))
        kind = int(read_scalar(file, "<I"))
        if kind not in BLOCKS:
            raise NotGguf(f"{name[:80]!r} has the unknown format {kind}")
        format_name, elements, size = BLOCKS[kind]
        if shape[-1] % elements:
            raise NotGguf(f"a row of {name[:80]!r} has {shape[-1]} numbers, which fill no blocks of {elements}")
        first = int(read_scalar(file, "<Q"))
        yield GgufTensor(name, format_name, shape, first, math.prod(shape) // elements * size)


def table_fault(frame: Frame) -> str | None:
    """Two tensors of one name, or one upon another; None when there is no such fault."""
    names = [tensor.name for tensor in frame.tensors]
    if len(set(names)) != len(names):
        return f"{next(name for name in names if names.count(name) > 1)!r} is there twice"
    order = sorted(frame.tensors, key=lambda tensor: tensor.first_byte)
    for one, other in itertools.pairwise(order):
        if one.first_byte + one.size_bytes > other.first_byte:
            return f"{other.name!r} begins inside {one.name!r}"
    return None if frame.tensors else "there is no tensor"


def size_fault(frame: Frame, size_bytes: int) -> str | None:
    """Why a file of that size is cut short, or longer than its table says; None when it is whole."""
    if frame.end <= size_bytes <= frame.end + ALIGNMENT:
        return None
    return f"it should end near byte {frame.end} but has {size_bytes} bytes"
