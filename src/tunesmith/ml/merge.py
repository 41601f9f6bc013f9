"""Write base and adapter as one model folder: weights in any number format, in parts where they are large, and what belongs to them.

An adapter's update is small, and in 16 bits much of it is rounded away. Where no number format is asked for, a merged model of
usual size is therefore written in float32, which answers exactly as base and adapter do; without an adapter, and above
``EXACT_BYTES``, the base's own format is kept.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.kit.paths import atomic_file, fsync_folder
from tunesmith.ml.tensors import DTYPE_SIZES, HashingFile, StoredTensor, from_float32
from tunesmith.ml.weights import ModelWeights
from tunesmith.wire.formats import NUMBERS

COMPANIONS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
TEXT_COMPANIONS = COMPANIONS[2:]
"""What it takes to read and write text, without the model."""
EXACT_BYTES = 4 * 10**9
SHARD_BYTES = 5 * 10**9
_CONFIG_NUMBERS = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


class Overflow(ValueError):
    """A weight does not fit the number format."""


def merge(
    base: Path,
    adapter: Path | None,
    out_dir: Path,
    on_bytes: Callable[[int], None] | None = None,
    *,
    numbers: str | None = None,
    max_shard_bytes: int | None = None,
) -> None:
    """Write ``out_dir``: safetensors of at most ``max_shard_bytes`` each (with an index when there are several), and the rest.

    ``numbers`` is one of ``fp32``, ``bf16``, ``fp16``. The same input gives the same bytes.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    with ModelWeights(base, adapter) as weights:
        dtype = _dtype(weights, numbers)
        # Wide types first, so that every tensor is aligned to its own size.
        order = sorted(weights.tensors.values(), key=lambda t: (-DTYPE_SIZES[dtype or t.dtype], t.name))
        shards = _shards(order, dtype, max_shard_bytes or SHARD_BYTES)
        places: dict[str, str] = {}
        written = 0
        for number, shard in enumerate(shards, 1):
            one = len(shards) == 1
            name = "model.safetensors" if one else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
            written += _write_shard(out_dir / name, shard, dtype, weights, written, on_bytes)
            places |= {tensor.name: name for tensor in shard}
        if len(shards) > 1:
            total = sum(_size(tensor, dtype) for tensor in order)
            index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
            with atomic_file(out_dir / "model.safetensors.index.json") as file:
                file.write(json.dumps(index, indent=2).encode() + b"\n")
    copy_companions(base, out_dir, COMPANIONS)
    if dtype is not None:
        _note_numbers(out_dir / "config.json", dtype)
    fsync_folder(out_dir)


def copy_companions(base: Path, out_dir: Path, names: tuple[str, ...]) -> None:
    """Copy those of the files ``names`` that are there."""
    for name in names:
        if (base / name).is_file():
            with (base / name).open("rb") as source, atomic_file(out_dir / name) as target:
                shutil.copyfileobj(source, target)


def _dtype(weights: ModelWeights, numbers: str | None) -> str | None:
    if numbers is not None:
        return NUMBERS[numbers]
    size_bytes = sum(tensor.elements * 4 for tensor in weights.tensors.values())
    return "F32" if weights.lora is not None and size_bytes <= EXACT_BYTES else None


def _size(tensor: StoredTensor, dtype: str | None) -> int:
    return tensor.elements * DTYPE_SIZES[dtype or tensor.dtype]


def _shards(order: list[StoredTensor], dtype: str | None, limit: int) -> list[list[StoredTensor]]:
    shards: list[list[StoredTensor]] = [[]]
    filled = 0
    for tensor in order:
        size = _size(tensor, dtype)
        if shards[-1] and filled + size > limit:
            shards.append([])
            filled = 0
        shards[-1].append(tensor)
        filled += size
    return shards


def _write_shard(
    path: Path,
    shard: list[StoredTensor],
    dtype: str | None,
    weights: ModelWeights,
    before: int,
    on_bytes: Callable[[int], None] | None,
) -> int:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in shard:
        size = _size(tensor, dtype)
        header[tensor.name] = {
            "dtype": dtype or tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    packed = json.dumps(header, separators=(",", ":")).encode()
    packed += b" " * (-len(packed) % 8)
    with atomic_file(path) as file:
        out = HashingFile(file)
        out.write(len(packed).to_bytes(8, "little") + packed)
        for tensor in shard:
            kind = dtype or tensor.dtype
            for values in weights.chunks(tensor.name):
                if kind == "F16" and abs(values).max(initial=0.0) > 65504:
                    raise Overflow(f"{tensor.name} has a value that fp16 cannot hold; choose bf16 or fp32")
                out.write(from_float32(values, kind).tobytes())
            if on_bytes:
                on_bytes(before + out.size_bytes)
    return out.size_bytes


def _note_numbers(file: Path, dtype: str) -> None:
    """The configuration says which numbers the weights are: transformers reads ``dtype``, older ones ``torch_dtype``."""
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    config.pop("quantization_config", None)
    config["dtype"] = _CONFIG_NUMBERS[dtype]
    if "torch_dtype" in config:
        config["torch_dtype"] = _CONFIG_NUMBERS[dtype]
    with atomic_file(file) as out:
        out.write(json.dumps(config, ensure_ascii=False, indent=2).encode() + b"\n")
