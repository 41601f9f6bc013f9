"""The update that a LoRA adapter stands for, added to rows of the base weights in float32."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.kit.errors import Unsupported
from tunesmith.ml.tensors import Array, read_header, read_tensors

ADAPTER_FILE = "adapter_model.safetensors"
PREFIX = "base_model.model."
_PART = re.compile(r"^(?P<module>.+)\.lora_(?P<part>A|B|embedding_A|embedding_B|magnitude_vector)(\.weight)?$")


class AdapterUnsupported(Unsupported):
    """The adapter has parts that cannot be merged."""

    code, title = "adapter-unsupported", "The adapter cannot be merged"
    hint = "LoRA, rsLoRA and DoRA adapters saved by PEFT can be merged; train with one of them."


def read_config(folder: Path) -> dict[str, Any]:
    """What PEFT wrote beside the weights."""
    return dict(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8")))


def check_places(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise AdapterUnsupported unless every part has a place in the base (``shapes`` by tensor name); reads the header alone."""
    parts: dict[str, dict[str, tuple[int, ...]]] = {}
    unplaced = []
    for name, tensor in read_header(folder / ADAPTER_FILE).items():
        target, part = _place_of(name)
        if target not in shapes:
            unplaced.append(name)
        elif part is not None:
            parts.setdefault(target, {})[part] = tensor.shape
        elif tensor.shape != shapes[target]:
            raise AdapterUnsupported(f"{name} has shape {tensor.shape} but the base has {shapes[target]}.")
    if unplaced:
        raise AdapterUnsupported(f"These parts of the adapter have no place in the base: {', '.join(unplaced[:5])}.")
    for target, of in parts.items():
        if "A" in of and "B" in of:
            shape = (of["B"][0], of["A"][1])
        elif "embedding_A" in of and "embedding_B" in of:
            shape = (of["embedding_A"][1], of["embedding_B"][0])
        else:
            raise AdapterUnsupported(f"{target}: one half of the adapter is missing.")
        if shape != shapes[target]:
            raise AdapterUnsupported(f"{target}: the adapter was made for {shape} but the base has {shapes[target]}.")


def _place_of(name: str) -> tuple[str, str | None]:
    """The tensor of the base that a tensor of the adapter belongs to, and which part of an update it is; None: its replacement."""
    place = name.removeprefix(PREFIX).replace(".base_layer.", ".")
    match = _PART.match(place)
    return (f"{match['module']}.weight", match["part"]) if match else (place, None)


class LoraAdapter:
    """A LoRA, rsLoRA or DoRA adapter as PEFT saves it."""

    def __init__(self, config: dict[str, Any], parts: dict[str, dict[str, Array]], replaced: dict[str, Array]) -> None:
        self._config = config
        self._parts = parts
        self._replaced = replaced

    @classmethod
    def from_folder(cls, folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> LoraAdapter:
        """Read the adapter and check that every part of it has a place in the base (``shapes`` by tensor name)."""
        if not (folder / ADAPTER_FILE).is_file():
            raise AdapterUnsupported(f"{folder.name}: there is no {ADAPTER_FILE}.")
        config = read_config(folder)
        if config.get("peft_type") != "LORA":
            raise AdapterUnsupported(f"The adapter is of type {config.get('peft_type')!r}.")
        for option in ("fan_in_fan_out", "lora_bias"):
            if config.get(option):
                raise AdapterUnsupported(f"The adapter was trained with {option}, which cannot be merged here.")
        check_places(folder, shapes)
        parts: dict[str, dict[str, Array]] = {}
        replaced: dict[str, Array] = {}
        for name, tensor in read_tensors(folder / ADAPTER_FILE).items():
            target, part = _place_of(name)
            if part is None:
                replaced[target] = tensor
            else:
                parts.setdefault(target, {})[part] = tensor
        return cls(config, parts, replaced)

    def _scale(self, target: str, rank: int) -> float:
        module = target.removesuffix(".weight")
        alpha = self._config["lora_alpha"]
        for pattern, value in (self._config.get("alpha_pattern") or {}).items():
            if re.match(rf"(.*\.)?({pattern})$", module):
                alpha = value
        return float(alpha / rank**0.5 if self._config.get("use_rslora") else alpha / rank)

    def apply(self, target: str, rows: Array, start: int) -> Array:
        """``rows`` of the base tensor ``target``, beginning at row ``start``, with the update added."""
        stop = start + len(rows)
        if target in self._replaced:
            return self._replaced[target][start:stop]
        part = self._parts.get(target)
        if part is None:
            return rows
        if "embedding_A" in part:
            scale = self._scale(target, part["embedding_A"].shape[0])
            return rows + np.float32(scale) * (part["embedding_B"] @ part["embedding_A"][:, start:stop]).T
        merged: Array = rows + np.float32(self._scale(target, part["A"].shape[0])) * (part["B"][start:stop] @ part["A"])
        if "magnitude_vector" in part:
            norms = np.linalg.norm(merged, axis=1, keepdims=True)
            merged = part["magnitude_vector"][start:stop].reshape(-1, 1) / norms * merged
        return merged
