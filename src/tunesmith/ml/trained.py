"""The weights that a run trains: an adapter beside a frozen base, or the whole model; written, read back and published.

Both keep float32 in checkpoints, so that a resumed run goes on exactly. What is published can be used alone: an adapter as PEFT
reads it, or a model folder in the number formats of its base.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Protocol

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from tunesmith.ml.failures import configuration_failure
from tunesmith.ml.sharding import is_divided, put, whole
from tunesmith.ml.weights import ModelWeights

ADAPTER_FILE = "adapter_model.safetensors"
MODEL_FILE = "model.safetensors"
COMPANIONS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
"""Files of the base that a result needs beside it to be used alone."""
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class Trained(Protocol):
    """What checkpoints and results know of the weights in training."""

    folder_name: str
    """Name of the result's folder in ``artifacts/``."""

    def published(self) -> dict[str, torch.Tensor]:
        """The trained tensors as the result holds them, by their names in its file."""
        ...

    def save(self, folder: Path) -> None:
        """Write them into a checkpoint."""
        ...

    def load(self, folder: Path) -> None:
        """Put those of a checkpoint back; raises ValueError when it was made for other weights."""
        ...

    def publish(self, folder: Path) -> None:
        """Write the result."""
        ...


class TrainedAdapter:
    """A LoRA adapter (and, for a reward model, its score head)."""

    folder_name = "adapter"

    def __init__(self, model: PeftModel, base: Path, base_reference: str) -> None:
        self._model = model
        self._base = base
        self._base_reference = base_reference

    def _named(self) -> dict[str, torch.Tensor]:
        """By the names that PEFT gives them in a file. The parameters themselves, which know where the rest of them is."""
        parameters = dict(self._model.named_parameters(remove_duplicate=False))
        named: dict[str, torch.Tensor] = get_peft_model_state_dict(
            self._model, state_dict=parameters, save_embedding_layers=False
        )
        return named

    def published(self) -> dict[str, torch.Tensor]:
        """By the names that PEFT gives them in a file."""
        state = self._named()
        return {name: whole(tensor) for name, tensor in sorted(state.items())}

    def save(self, folder: Path) -> None:
        """The adapter as PEFT reads it. The configuration names the base by its reference, and lists are sorted: same run,
        same bytes.
        """
        save_file(self.published(), folder / ADAPTER_FILE, metadata={"format": "pt"})
        config = self._model.peft_config["default"].to_dict() | {
            "base_model_name_or_path": self._base_reference,
            "inference_mode": True,
        }
        plain = {name: sorted(value) if isinstance(value, set) else value for name, value in config.items()}
        if isinstance(plain.get("target_modules"), list):
            plain["target_modules"] = sorted(plain["target_modules"])
        write_json_file(folder / "adapter_config.json", plain)

    def load(self, folder: Path) -> None:
        """Put the adapter of a checkpoint back."""
        if not (folder / ADAPTER_FILE).is_file():
            raise ValueError(f"the checkpoint has no {ADAPTER_FILE}: it was made by another method")
        stored = load_file(folder / ADAPTER_FILE)
        own = self._named()
        if any(is_divided(tensor) for tensor in own.values()):
            _put_all(own, stored, "modules")
            return
        result = set_peft_model_state_dict(self._model, stored)
        if result.unexpected_keys:
            raise ValueError(f"the checkpoint was made for other modules: {', '.join(result.unexpected_keys[:5])}")

    def publish(self, folder: Path) -> None:
        """The adapter with tokenizer and template."""
        self.save(folder)
        copy_companions(self._base, folder)


class TrainedModel:
    """Every weight of a model."""

    folder_name = "model"

    def __init__(self, model: Any, base: Path, *, is_scorer: bool) -> None:
        self._model = model
        self._base = base
        self._is_scorer = is_scorer
        with ModelWeights(base) as stored:
            self._formats = {name: DTYPES[tensor.dtype] for name, tensor in stored.tensors.items()}
        strange = sorted(
            name for name, _ in self._named() if name not in self._formats and not name.startswith("score.")
        )
        if strange:
            raise configuration_failure(
                f"The weights of this model are stored under other names than they are trained under ({strange[0]}).",
                "Train an adapter instead: method.adapter: lora.",
            )

    def _named(self) -> list[tuple[str, torch.Tensor]]:
        """Each parameter once; tied ones under the name that comes first."""
        return sorted(self._model.named_parameters())

    def published(self) -> dict[str, torch.Tensor]:
        """In the number formats of the base; a new head stays in float32."""
        return {name: whole(tensor).to(self._formats.get(name, torch.float32)) for name, tensor in self._named()}

    def save(self, folder: Path) -> None:
        """All parameters in float32."""
        tensors = {name: whole(tensor) for name, tensor in self._named()}
        save_file(tensors, folder / MODEL_FILE, metadata={"format": "pt"})

    def load(self, folder: Path) -> None:
        """Put all parameters back."""
        if not (folder / MODEL_FILE).is_file():
            raise ValueError(f"the checkpoint has no {MODEL_FILE}: it was made by another method")
        _put_all(dict(self._named()), load_file(folder / MODEL_FILE), "weights")

    def publish(self, folder: Path) -> None:
        """A model folder: weights, configuration, tokenizer and template."""
        save_file(self.published(), folder / MODEL_FILE, metadata={"format": "pt"})
        config = json.loads((self._base / "config.json").read_text("utf-8"))
        if self._is_scorer:
            config |= {"architectures": [type(self._model).__name__], "id2label": {"0": "score"}}
            config |= {"label2id": {"score": 0}, "pad_token_id": self._model.config.pad_token_id}
        write_json_file(folder / "config.json", config)
        if not self._is_scorer and (self._base / "generation_config.json").is_file():
            shutil.copyfile(self._base / "generation_config.json", folder / "generation_config.json")
        copy_companions(self._base, folder)


def _put_all(own: dict[str, torch.Tensor], stored: dict[str, torch.Tensor], what: str) -> None:
    """Copy what was stored into the tensors of the same names; raises ValueError where the names differ."""
    if set(stored) != set(own):
        raise ValueError(f"the checkpoint was made for other {what}: {', '.join(sorted(set(stored) ^ set(own))[:5])}")
    for name, tensor in own.items():
        put(tensor, stored[name])


def copy_companions(base: Path, folder: Path) -> None:
    """Tokenizer and template of the base."""
    for name in COMPANIONS:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)


def write_json_file(path: Path, value: Any) -> None:
    """Plain JSON; the manifest sees to durability."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str) + "\n", "utf-8")
