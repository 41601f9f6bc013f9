"""An adapter of MLX as PEFT has it: other names, and every matrix the other way round."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from tunesmith.ml.axolotl_run import TOKENIZER_FILES, weights_sha256
from tunesmith.wire.recipe import Recipe

PARTS = {"lora_a": "lora_A", "lora_b": "lora_B"}
Arrays = Mapping[str, npt.NDArray[np.float32]]


def to_peft(arrays: Arrays) -> dict[str, npt.NDArray[np.float32]]:
    """PEFT's tensors: MLX multiplies ``x @ a @ b`` with a (in, r) and b (r, out), PEFT has A (r, in) and B (out, r).

    Raises ValueError for a tensor that belongs to no layer of LoRA.
    """
    tensors = {}
    for name, array in arrays.items():
        module, _, part = name.rpartition(".")
        if part not in PARTS:
            raise ValueError(f"{name} is no part of a layer of LoRA")
        tensors[f"base_model.model.{module}.{PARTS[part]}.weight"] = np.ascontiguousarray(array.T)
    return tensors


def write_peft_adapter(folder: Path, arrays: Arrays, recipe: Recipe, base: Path) -> str:
    """Write weights, configuration and the base's tokenizer into ``folder``; answers the weights' SHA-256."""
    tensors = to_peft(arrays)
    weights = folder / "adapter_model.safetensors"
    save_file(dict(sorted(tensors.items())), weights, metadata={"format": "pt"})
    lora = recipe.method.lora
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": recipe.model.base,
        "inference_mode": True,
        "r": lora.r,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "target_modules": sorted({name.split(".")[-3] for name in tensors}),
        "use_rslora": False,
        "use_dora": False,
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    return weights_sha256([weights])
