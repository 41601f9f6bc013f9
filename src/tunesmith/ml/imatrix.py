"""How much each column of a weight counts: the mean of the squared inputs that a model's layers see on the user's own rows.

Kept in llama.cpp's own file format (a GGUF file of sums and counts), so that its tools read ours and ours theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, GGUFWriter

from tunesmith.kit.errors import InvalidInput
from tunesmith.kit.paths import atomic_file
from tunesmith.ml.gguf import read_architecture
from tunesmith.ml.gguf_families import gguf_name
from tunesmith.ml.tensors import Array

ROWS = 256
TOKENS = 512
SUMS, COUNTS = ".in_sum2", ".counts"


class ImportanceInvalid(InvalidInput):
    """There is nothing to measure with, or the file is no importance matrix."""

    code, title = "importance-invalid", "The importance matrix cannot be used"
    hint = (
        "Give a dataset with at least one conversation or text, or a GGUF file that llama-imatrix wrote for this model."
    )


def measure(
    model: Path,
    adapter: Path | None,
    calibration: Path,
    target: Path,
    *,
    rows: int = ROWS,
    on_row: Callable[[int, int], None] | None = None,
) -> dict[str, Array]:
    """Run the model over the first ``rows`` rows of a JSONL file of conversations and keep what its layers saw in ``target``."""
    import torch

    from tunesmith.ml.load import load_model

    family, _ = read_architecture(model)
    loaded = load_model(model, adapter=adapter)
    sums: dict[str, torch.Tensor] = {}
    counts: dict[str, int] = {}

    def watch(name: str) -> Callable[..., None]:
        def hook(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
            seen = inputs[0].detach().float().reshape(-1, inputs[0].shape[-1])
            total = seen.square().sum(0).double().cpu()
            sums[name] = sums[name] + total if name in sums else total
            counts[name] = counts.get(name, 0) + len(seen)

        return hook

    handles = []
    for path, module in loaded.model.named_modules():
        plain = path.removeprefix("base_model.model.").removesuffix(".base_layer")
        name = gguf_name(family, f"{plain}.weight")
        if name and name.startswith("blk.") and getattr(module, "weight", None) is not None and module.weight.ndim == 2:
            handles.append(module.register_forward_pre_hook(watch(name)))
    texts = list(_texts(calibration, loaded.tokenizer, rows))
    if not texts:
        raise ImportanceInvalid(f"{calibration.name} has no row with text.")
    with torch.inference_mode():
        for number, ids in enumerate(texts):
            loaded.model(torch.tensor([ids], device=loaded.device), use_cache=False)
            if on_row:
                on_row(number + 1, len(texts))
    for handle in handles:
        handle.remove()
    _write(target, {name: total.numpy() for name, total in sums.items()}, counts, len(texts))
    return read(target)


def _texts(calibration: Path, tokenizer: Any, rows: int) -> Iterator[list[int]]:
    with calibration.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number == rows:
                return
            row = json.loads(line)
            if messages := row.get("messages"):
                if tokenizer.chat_template:
                    text = tokenizer.apply_chat_template(messages, tokenize=False)
                else:
                    text = "\n".join(str(message["content"]) for message in messages)
            else:
                text = str(row.get("text") or "")
            if ids := tokenizer.encode(text, add_special_tokens=not row.get("messages"))[:TOKENS]:
                yield ids


def _write(target: Path, sums: dict[str, Array], counts: dict[str, int], chunks: int) -> None:
    writer = GGUFWriter(None, "imatrix")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["calibration"])
    writer.add_uint32("imatrix.chunk_count", chunks)
    writer.add_uint32("imatrix.chunk_size", TOKENS)
    for name in sorted(sums):
        writer.add_tensor(f"{name}{SUMS}", sums[name].astype(np.float32).reshape(1, -1))
        writer.add_tensor(f"{name}{COUNTS}", np.array([[counts[name]]], np.float32))
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as file:
        from gguf.gguf_writer import WriterState

        writer.fout, writer.state = [file], WriterState.EMPTY  # the package would open its own
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()


def read(file: Path) -> dict[str, Array]:
    """Mean squared input of each column by llama.cpp's tensor names; raises ImportanceInvalid."""
    try:
        tensors = {tensor.name: np.asarray(tensor.data, np.float32) for tensor in GGUFReader(file).tensors}
    except (OSError, ValueError, IndexError) as error:
        raise ImportanceInvalid(f"{file.name} is no importance matrix: {error}.") from error
    found = {}
    for name, sums in tensors.items():
        if name.endswith(SUMS):
            plain = name.removesuffix(SUMS)
            count = float(tensors.get(f"{plain}{COUNTS}", np.zeros(1)).sum())
            values = sums.reshape(-1) / count if count > 0 else np.ones(sums.size, np.float32)
            found[plain] = np.maximum(values, 0).astype(np.float32)
    if not found or not all(np.isfinite(values).all() for values in found.values()):
        raise ImportanceInvalid(f"{file.name} holds no importance of any tensor.")
    return found
