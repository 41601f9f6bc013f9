"""Tensors of a model folder, read row by row with numpy, with an adapter's update applied on the way.

Nothing here needs torch, and no tensor is ever held whole: a 70B model is read with the same memory as a tiny one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from tunesmith.ml.lora import LoraAdapter
from tunesmith.ml.tensors import DTYPE_SIZES, Array, ModelInvalid, StoredTensor, read_header, to_float32

CHUNK_ELEMENTS = 4 * 2**20
"""How many numbers are in memory at once: 16 MiB as float32."""


class ModelWeights:
    """The tensors of a model folder, with an optional LoRA adapter merged in as they are read."""

    def __init__(self, folder: Path, adapter: Path | None = None) -> None:
        files = _weight_files(folder)
        self.tensors: dict[str, StoredTensor] = {}
        for file in files:
            self.tensors.update(read_header(file))
        shapes = {name: tensor.shape for name, tensor in self.tensors.items()}
        self.lora = LoraAdapter.from_folder(adapter, shapes) if adapter else None
        self._open: dict[Path, int] = {}

    def __enter__(self) -> ModelWeights:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def rows(self, name: str, start: int, stop: int) -> Array:
        """Rows ``start`` to ``stop`` of a tensor as float32, the adapter applied."""
        tensor = self.tensors[name]
        if tensor.file not in self._open:
            self._open[tensor.file] = os.open(tensor.file, os.O_RDONLY)
        row_bytes = tensor.row_elements * DTYPE_SIZES[tensor.dtype]
        wanted = (stop - start) * row_bytes
        raw = bytearray()
        while len(raw) < wanted:
            piece = os.pread(self._open[tensor.file], wanted - len(raw), tensor.start + start * row_bytes + len(raw))
            if not piece:
                raise ModelInvalid(f"{tensor.file.name}: {name} ends early; the file changed while it was read.")
            raw += piece
        values = to_float32(bytes(raw), tensor.dtype).reshape(stop - start, *tensor.shape[1:])
        return self.lora.apply(name, values, start) if self.lora else values

    def chunks(self, name: str, multiple_of: int = 1) -> Iterator[Array]:
        """The whole tensor in groups of rows; every group but the last has a multiple of ``multiple_of`` rows."""
        tensor = self.tensors[name]
        per_chunk = max(1, CHUNK_ELEMENTS // max(1, tensor.row_elements) // multiple_of) * multiple_of
        for start in range(0, tensor.shape[0], per_chunk):
            yield self.rows(name, start, min(start + per_chunk, tensor.shape[0]))


def _weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        files = [folder / Path(name).name for name in names]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise ModelInvalid(f"{folder.name}: the index names {', '.join(missing)}, which is not there.")
        return files
    single = folder / "model.safetensors"
    if not single.is_file():
        raise ModelInvalid(f"{folder.name}: there is no model.safetensors (and no index of parts).")
    return [single]
