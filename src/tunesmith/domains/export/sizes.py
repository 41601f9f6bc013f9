"""How large an export becomes, what it takes to run, and what to recommend. Nothing here loads a weight."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tunesmith.domains.export.errors import NoRoom
from tunesmith.domains.export.schemas import ExportOutput
from tunesmith.kit.errors import InvalidInput
from tunesmith.text.folder import read_json

BITS = {"F32": 32.0, "F16": 16.0, "BF16": 16.0, "FP32": 32.0, "FP16": 16.0, "8": 8.5, "6": 6.6, "5": 5.7, "4": 4.8}
"""Bits of a weight by method or by its first digit; block scales included."""
LEAST_BITS = {"3": 3.9, "2": 3.2, "1": 2.2}
EXACT_BYTES = 4 * 10**9
RESERVE_BYTES = 256 * 2**20
PROCESS_BYTES = 200 * 10**6


@dataclass(frozen=True)
class Weights:
    """What the files of a model say about its size."""

    size_bytes: int
    number_bytes: int
    adapter_bytes: int

    @property
    def parameters(self) -> int:
        """How many numbers the base has."""
        return self.size_bytes // self.number_bytes


def weigh(base: Path, adapter: Path | None) -> Weights:
    """Measure the weight files of a model; raises InvalidInput when its configuration cannot be read."""
    try:
        config = read_json(base / "config.json")
    except ValueError as error:
        raise InvalidInput(f"The model {base.name} cannot be read: {error}.") from error
    wide = str(config.get("dtype") or config.get("torch_dtype") or "float32") == "float32"
    added = sum(file.stat().st_size for file in adapter.glob("*.safetensors")) if adapter else 0
    return Weights(sum(file.stat().st_size for file in base.glob("*.safetensors")), 4 if wide else 2, added)


def bits_of(method: str) -> float:
    """Bits of a weight in a method's files."""
    name = method.upper()
    digit = next((letter for letter in name if letter.isdigit()), "4")
    return BITS.get(name) or BITS.get(digit) or LEAST_BITS.get(digit, 4.8)


def estimate_bytes(weights: Weights, output: ExportOutput) -> int:
    """Size of an artefact, rounded up a little; tokenizers and cards are small beside it."""
    if output.format == "adapter":
        return weights.adapter_bytes + 10**6
    if output.method:
        bits = bits_of(output.method)
    elif weights.adapter_bytes and weights.parameters * 4 <= EXACT_BYTES:
        bits = 32.0
    else:
        bits = 8.0 * weights.number_bytes
    return int(weights.parameters * bits / 8 * 1.02) + 10**6


def memory_bytes(size_bytes: int) -> int:
    """Memory to answer with an artefact of that size: weights, some cache, the process."""
    return int(1.1 * size_bytes) + PROCESS_BYTES


def check_room(folder: Path, weights: Weights, outputs: list[ExportOutput]) -> None:
    """Raise NoRoom when the disk cannot take all outputs, each once as it is made and once in the store."""
    sizes = [estimate_bytes(weights, output) for output in outputs]
    once_more = max((weights.parameters * 4 for output in outputs if output.format in ("onnx", "mlx")), default=0)
    zipped = max((size for size, output in zip(sizes, outputs, strict=True) if output.format == "zip"), default=0)
    needed = 2 * sum(sizes) + once_more + zipped + RESERVE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(f"The export needs about {needed / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free.")


def recommended(choices: list[tuple[ExportOutput, int]], free_memory_bytes: int) -> tuple[ExportOutput, str] | None:
    """The most exact GGUF of at most 8 bits that fits the free memory; the reason is `fits`, `smallest` or `no-gguf`."""
    packed = [
        (output, size) for output, size in choices if output.format == "gguf" and bits_of(output.method or "") < 9
    ]
    if not packed:
        merged = next((output for output, _ in choices if output.format == "merged"), None)
        return (merged, "no-gguf") if merged else None
    packed.sort(key=lambda choice: -choice[1])
    for output, size in packed:
        if memory_bytes(size) <= 0.7 * free_memory_bytes:
            return output, "fits"
    return packed[-1][0], "smallest"
