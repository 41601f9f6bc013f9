"""Safetensors files, read by their headers alone: names, types and shapes, and whether the file keeps what its header promises."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from tunesmith.domains.models.errors import ModelInvalid

HEADER_LIMIT_BYTES = 100 * 2**20
BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "C64": 64,
}


@dataclass(frozen=True)
class Tensor:
    """One entry of a header."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a file; raises ``ModelInvalid`` saying at which byte it does not keep what its header promises."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ModelInvalid(
                f"{path.name} ends after {size} bytes; a safetensors file begins with 8 bytes of length."
            )
        (header_bytes,) = struct.unpack("<Q", start)
        if header_bytes > HEADER_LIMIT_BYTES or 8 + header_bytes > size:
            raise ModelInvalid(
                f"{path.name} is cut short or no safetensors file: its header should end at byte {8 + header_bytes}, "
                f"and the file has {size}."
            )
        raw = file.read(header_bytes)
    try:
        header = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelInvalid(f"The header of {path.name} is not valid JSON: {error}") from error
    if not isinstance(header, dict):
        raise ModelInvalid(f"The header of {path.name} is not an object.")
    spans = [_entry(path, name, entry) for name, entry in header.items() if name != "__metadata__"]
    _check_spans(path, [(begin, end, tensor.name) for tensor, begin, end in spans], size - 8 - header_bytes)
    return [tensor for tensor, _, _ in spans]


def _entry(path: Path, name: str, entry: object) -> tuple[Tensor, int, int]:
    if not isinstance(entry, dict):
        raise ModelInvalid(f"{path.name}: the header entry {name[:100]!r} is not an object.")
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if dtype not in BITS or not _whole_numbers(shape) or not _whole_numbers(offsets) or len(offsets) != 2:
        raise ModelInvalid(f"{path.name}: the header entry {name[:100]!r} has no valid type, shape and offsets.")
    tensor = Tensor(name, dtype, tuple(shape))
    begin, end = offsets
    if (end - begin) * 8 != tensor.numbers * BITS[dtype]:
        raise ModelInvalid(
            f"{path.name}: tensor {name[:100]!r} of shape {list(shape)} and type {dtype} does not fill "
            f"its {end - begin} bytes."
        )
    return tensor, begin, end


def _whole_numbers(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


def _check_spans(path: Path, spans: list[tuple[int, int, str]], data_bytes: int) -> None:
    """The tensors must follow each other without a gap and end where the file ends."""
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            raise ModelInvalid(
                f"{path.name}: tensor {name[:100]!r} begins at byte {begin} of the data, not {position}."
            )
        position = end
    if position != data_bytes:
        what = "cut short" if position > data_bytes else "longer than its header says"
        raise ModelInvalid(
            f"{path.name} is {what}: the header promises {position} bytes of data, and the file has {data_bytes}."
        )
