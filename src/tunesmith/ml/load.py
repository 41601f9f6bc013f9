"""Load a model folder: safetensors only, no code from the folder, no network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tunesmith.ml.machine import choose_device, computes_in_bf16
from tunesmith.ml.tensors import ModelInvalid

__all__ = ["Loaded", "choose_device", "load_model", "load_scorer", "load_tokenizer", "load_weights"]

SAFE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


@dataclass
class Loaded:
    """A model that is ready on its device."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    device: torch.device


def load_tokenizer(path: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder."""
    return AutoTokenizer.from_pretrained(str(path), **SAFE)


def load_model(
    path: str | Path, *, adapter: str | Path | None = None, device: str = "auto", dtype: str | torch.dtype = "auto"
) -> Loaded:
    """The model of a folder, with an adapter on top of it, ready to answer.

    ``dtype="auto"`` keeps the number format of the file where the device computes in it, and takes float32 elsewhere.
    """
    target = choose_device(device)
    wanted = _number_format(Path(path), target) if dtype == "auto" else dtype
    model: Any = load_weights(path, wanted)
    if adapter is not None:
        from peft import PeftModel

        if not (Path(adapter) / "adapter_model.safetensors").is_file():
            raise ModelInvalid(f"{adapter} has no adapter_model.safetensors; other weight files are not read.")
        model = PeftModel.from_pretrained(model, str(adapter), local_files_only=True)
    return Loaded(model.to(target).eval(), load_tokenizer(path), target)


def load_weights(path: str | Path, dtype: str | torch.dtype, *, quantization: Any = None) -> PreTrainedModel:
    """The bare model on the CPU, its matrices in the format of ``quantization`` where one is given."""
    return _load(AutoModelForCausalLM, path, dtype=dtype, quantization_config=quantization)


def load_scorer(
    path: str | Path, dtype: str | torch.dtype, *, pad_id: int | None = None, quantization: Any = None
) -> PreTrainedModel:
    """The model of a folder with a head that gives one number; the head is new unless the folder has one."""
    named = {} if pad_id is None else {"pad_token_id": pad_id}
    return _load(
        AutoModelForSequenceClassification, path, dtype=dtype, quantization_config=quantization, num_labels=1, **named
    )


def _load(kind: Any, path: str | Path, **wanted: Any) -> PreTrainedModel:
    if not any(Path(path).glob("*.safetensors")):
        raise ModelInvalid(f"{path} has no weights as safetensors; other weight files are not read.")
    if wanted.get("quantization_config") is None:
        wanted.pop("quantization_config", None)
    model: PreTrainedModel = kind.from_pretrained(
        str(path), use_safetensors=True, attn_implementation="sdpa", **wanted, **SAFE
    )
    _keep_four_bits_as_they_are(model)
    return model


def _keep_four_bits_as_they_are(model: PreTrainedModel) -> None:
    """On a processor with bfloat16 instructions bitsandbytes repacks a layer at its first product outside of training.

    What is packed so has other scales (rounded to bfloat16), no gradient for what lies below it, and is unpacked again with
    other scales still whenever the model's state is read: a run would learn something else, and not go on exactly.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _number_format(path: Path, device: torch.device) -> torch.dtype:
    stored = getattr(AutoConfig.from_pretrained(str(path), **SAFE), "dtype", None) or torch.float32
    if stored == torch.bfloat16 and not (device.type == "mps" or computes_in_bf16(device)):
        return torch.float32
    if stored == torch.float16 and device.type == "cpu":
        return torch.float32
    return stored
