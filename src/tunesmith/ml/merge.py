"""Write base and adapter as one model folder: the base's number format, tokenizer, template and configuration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tunesmith.kit.paths import atomic_file, fsync_folder
from tunesmith.ml.tensors import DTYPE_SIZES, HashingFile, from_float32
from tunesmith.ml.weights import ModelWeights

COMPANIONS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)


def merge(base: Path, adapter: Path | None, out_dir: Path, on_bytes: Callable[[int], None] | None = None) -> None:
    """Write ``out_dir``: one safetensors file in the base's own types, and what belongs to it. Same input, same bytes."""
    out_dir.mkdir(parents=True, exist_ok=True)
    with ModelWeights(base, adapter) as weights:
        # Wide types first, so that every tensor is aligned to its own size.
        order = sorted(weights.tensors.values(), key=lambda t: (-DTYPE_SIZES[t.dtype], t.name))
        header: dict[str, object] = {"__metadata__": {"format": "pt"}}
        offset = 0
        for tensor in order:
            size = tensor.elements * DTYPE_SIZES[tensor.dtype]
            header[tensor.name] = {
                "dtype": tensor.dtype,
                "shape": list(tensor.shape),
                "data_offsets": [offset, offset + size],
            }
            offset += size
        packed = json.dumps(header, separators=(",", ":")).encode()
        packed += b" " * (-len(packed) % 8)
        with atomic_file(out_dir / "model.safetensors") as file:
            out = HashingFile(file)
            out.write(len(packed).to_bytes(8, "little") + packed)
            for tensor in order:
                for values in weights.chunks(tensor.name):
                    out.write(from_float32(values, tensor.dtype).tobytes())
                if on_bytes:
                    on_bytes(out.size_bytes)
    for name in COMPANIONS:
        if (base / name).is_file():
            with (base / name).open("rb") as source, atomic_file(out_dir / name) as target:
                shutil.copyfileobj(source, target)
    fsync_folder(out_dir)
