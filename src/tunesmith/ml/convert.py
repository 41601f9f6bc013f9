"""Write pickled weights as safetensors: ``python -m tunesmith.ml.convert RUN_DIR``. No torch, nothing of the file is run.

``torch_zip`` reads; here the numbers go, tensor by tensor, into one safetensors file for each file there was, with an index
when there were several, and what belongs to the model is copied beside them.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

from tunesmith.kit.paths import atomic_file, write_json
from tunesmith.ml.guard import forbid_pickle
from tunesmith.ml.report import EXIT_FAILED, Reporter
from tunesmith.ml.torch_zip import Refused, StoredTensor, TorchZip
from tunesmith.wire.hub import ConvertSpec

BIN_INDEX = "pytorch_model.bin.index.json"
INDEX = "model.safetensors.index.json"
COMPANIONS = ("*.json", "*.txt", "*.jinja", "*.model", "*.md", "LICENSE*", "NOTICE*")
OTHERS = ("training_args", "optimizer", "scheduler", "rng_state", "scaler")
MEMORY_BYTES = 4 * 2**30
KIB = 1024


def main(run_dir: str) -> int:
    """Convert; answers the exit code."""
    forbid_pickle()
    with Reporter(run_dir) as reporter:
        spec = ConvertSpec.model_validate(reporter.spec)
        source, target = Path(spec.source), Path(spec.folder)
        files = weight_files(source)
        largest = max((file.stat().st_size for file in files), default=0)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES + largest, MEMORY_BYTES + largest))
        try:
            converted = convert(reporter, source, files, target)
        except Refused as refusal:
            reporter.failed(
                "CONFIGURATION_ERROR", f"{source.name} cannot be converted: {refusal}.", code="pickle-refused",
                hint="A file that holds more than tensors is not trusted. Save only the state dictionary, or get safetensors.",
            )  # fmt: skip
            return EXIT_FAILED
        reporter.finished(converted)
    return 0


def weight_files(source: Path) -> list[Path]:
    """The pickled weight files: those that the index names, else all that are no trainer's state."""
    index = source / BIN_INDEX
    if index.is_file():
        named = json.loads(index.read_text(encoding="utf-8")).get("weight_map") or {}
        names = sorted({Path(str(name)).name for name in named.values()})
        return [source / name for name in names if (source / name).is_file()]
    found = sorted(f for pattern in ("*.bin", "*.pt", "*.pth") for f in source.glob(pattern) if f.is_file())
    return [file for file in found if not file.name.startswith(OTHERS)]


def convert(reporter: Reporter, source: Path, files: list[Path], target: Path) -> dict[str, Any]:
    """Write all files; answers what was done."""
    if not files:
        raise Refused("it has no *.bin or *.pt file")
    target.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    total = sum(file.stat().st_size for file in files)
    where: dict[str, str] = {}
    done = numbers = 0
    for at, file in enumerate(files, start=1):
        name = "model.safetensors" if len(files) == 1 else f"model-{at:05d}-of-{len(files):05d}.safetensors"
        reporter.progress(done // KIB, max(1, -(-total // KIB)), file.name)
        with TorchZip(file) as opened:
            tensors = untied(opened.tensors, config)
            if again := sorted(set(tensors) & set(where)):
                raise Refused(f"{again[0][:100]} is in two files")
            numbers += write(opened, tensors, target / name)
            where |= dict.fromkeys(tensors, name)
        done += file.stat().st_size
    if len(files) > 1:
        size = sum((target / name).stat().st_size for name in set(where.values()))
        write_json(target / INDEX, {"metadata": {"total_size": size}, "weight_map": where})
    for pattern in COMPANIONS:
        for file in source.glob(pattern):
            if file.is_file() and not file.name.endswith(".index.json"):
                shutil.copyfile(file, target / file.name)
    reporter.progress(-(-total // KIB), max(1, -(-total // KIB)), "done")
    return {"tensors": len(where), "num_parameters": numbers, "files": len(files)}


def untied(tensors: dict[str, StoredTensor], config: dict[str, Any]) -> dict[str, StoredTensor]:
    """Without the output matrix when it is the embedding itself: readers tie the two by themselves."""
    head = tensors.get("lm_head.weight")
    if head is None or not config.get("tie_word_embeddings", True):
        return tensors
    is_tied = any(tensor == head for name, tensor in tensors.items() if name != "lm_head.weight")
    return {name: tensor for name, tensor in tensors.items() if not (is_tied and name == "lm_head.weight")}


def write(source: TorchZip, tensors: dict[str, StoredTensor], path: Path) -> int:
    """One safetensors file, wide types first so that every tensor is aligned; answers how many numbers it has."""
    order = sorted(tensors.items(), key=lambda item: (-item[1].storage.item_bytes, item[0]))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = count = 0
    for name, tensor in order:
        end = offset + tensor.size_bytes
        header[name] = {"dtype": tensor.storage.dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        count += tensor.size_bytes // tensor.storage.item_bytes
        offset = end
    packed = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    packed += b" " * (-len(packed) % 8)
    with atomic_file(path) as file:
        file.write(len(packed).to_bytes(8, "little") + packed)
        for _, tensor in order:
            file.write(source.numbers(tensor))
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
