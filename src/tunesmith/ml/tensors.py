"""Safetensors files as they lie on disk: a checked header, and numbers in and out of their stored types."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from tunesmith.kit.errors import InvalidInput

Array = np.ndarray[Any, np.dtype[Any]]

DTYPE_SIZES = {"F32": 4, "F16": 2, "BF16": 2}


class ModelInvalid(InvalidInput):
    """The model folder cannot be used."""

    code, title = "model-invalid", "The model folder is not usable"
    hint = "Download or save the model again; it needs config.json, tokenizer.json and safetensors weights."


@dataclass(frozen=True)
class StoredTensor:
    """Where one tensor lies."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def row_elements(self) -> int:
        """Numbers in one row; a vector has rows of one."""
        return int(np.prod(self.shape[1:], dtype=np.int64))


def read_header(file: Path) -> dict[str, StoredTensor]:
    """The tensors of one safetensors file; every offset is checked against the size of the file."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        prefix = stream.read(8)
        length = int.from_bytes(prefix, "little") if len(prefix) == 8 else -1
        if not 2 <= length <= min(size - 8, 100 * 2**20):
            raise ModelInvalid(f"{file.name}: the header says {length} bytes but the file has {size}; it is cut short.")
        try:
            header = json.loads(stream.read(length))
        except ValueError as error:
            raise ModelInvalid(f"{file.name}: the header is not JSON ({error}).") from error
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype, shape = entry["dtype"], tuple(entry["shape"]) or (1,)
        if dtype not in DTYPE_SIZES:
            raise ModelInvalid(
                f"{file.name}: {name} is {dtype}; only {', '.join(DTYPE_SIZES)} weights can be exported."
            )
        expected = int(np.prod(shape, dtype=np.int64)) * DTYPE_SIZES[dtype]
        if end - begin != expected or 8 + length + end > size:
            raise ModelInvalid(f"{file.name}: {name} should end at byte {8 + length + end} but the file has {size}.")
        tensors[name] = StoredTensor(name, dtype, shape, file, 8 + length + begin)
    return tensors


def to_float32(raw: bytes, dtype: str) -> Array:
    """The numbers of ``raw`` as float32."""
    if dtype == "F32":
        return np.frombuffer(raw, "<f4")
    if dtype == "F16":
        return np.frombuffer(raw, "<f2").astype(np.float32)
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)


def from_float32(values: Array, dtype: str) -> Array:
    """The numbers in a stored type; bfloat16 (as uint16) is rounded to nearest, ties to even."""
    if dtype == "F32":
        return values.astype("<f4", copy=False)
    if dtype == "F16":
        return values.astype("<f2")
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def read_tensors(file: Path) -> dict[str, Array]:
    """All tensors of a small file (an adapter) as float32."""
    tensors = {}
    with file.open("rb") as stream:
        for tensor in read_header(file).values():
            stream.seek(tensor.start)
            raw = stream.read(tensor.elements * DTYPE_SIZES[tensor.dtype])
            tensors[tensor.name] = to_float32(raw, tensor.dtype).reshape(tensor.shape)
    return tensors


class HashingFile:
    """A file that knows the SHA-256 of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append ``data``."""
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self.size_bytes += len(view)
        return self._file.write(view)

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        self._file.flush()

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size_bytes

    @property
    def sha256(self) -> str:
        """Of everything so far."""
        return self._digest.hexdigest()
