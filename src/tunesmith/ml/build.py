"""The model that a run trains, in the formats that it computes in: base, adapter or every weight, head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from tunesmith.ml.attention import attend_by_document
from tunesmith.ml.failures import configuration_failure
from tunesmith.ml.load import load_scorer, load_weights
from tunesmith.ml.trained import Trained, TrainedAdapter, TrainedModel
from tunesmith.wire.recipe import Recipe


def build_model(
    recipe: Recipe, folder: Path, *, head: str, compute: torch.dtype | None, device: torch.device, pad_id: int
) -> tuple[Any, Trained]:
    """The model on its device, and its weights in training. ``compute`` is the format of matrix products (None: float32).

    Frozen matrices lie in the format that they are multiplied in; embeddings, norms and everything that is trained stay
    in float32, and so does the stream between the layers.
    """
    method, is_scorer = recipe.method, head == "score"
    quantization = four_bits(recipe, compute) if method.adapter == "qlora" else None
    if is_scorer:
        model: Any = load_scorer(folder, torch.float32, pad_id=pad_id, quantization=quantization)
    else:
        model = load_weights(folder, torch.float32, quantization=quantization)
    if method.adapter == "full":
        model.requires_grad_(True)
        model.to(device)
        attend_by_document(model, compute)
        return model, TrainedModel(model, folder, is_scorer=is_scorer)
    lora = method.lora
    model = get_peft_model(
        model,
        LoraConfig(
            r=lora.r,
            lora_alpha=lora.alpha,  # PEFT says int and divides it: a float is as good
            lora_dropout=lora.dropout,
            target_modules=target_modules(model, lora.target_modules),
            use_rslora=lora.use_rslora,
            use_dora=lora.use_dora,
            task_type="SEQ_CLS" if is_scorer else "CAUSAL_LM",
        ),
    )
    if compute:
        _store_frozen_in(compute, model)
    model.to(device)
    attend_by_document(model, compute)
    return model, TrainedAdapter(model, folder, recipe.model.base)


def _store_frozen_in(compute: torch.dtype, model: Any) -> None:
    keep = model.get_output_embeddings()
    for module in model.modules():
        frozen = isinstance(module, torch.nn.Linear) and not module.weight.requires_grad
        if frozen and module is not keep and module.weight.is_floating_point():
            module.to(compute)


def four_bits(recipe: Recipe, compute: torch.dtype | None) -> Any:
    """How bitsandbytes keeps the base; raises RunFailure where it is missing or the device has no kernels for it."""
    from importlib.util import find_spec

    from transformers import BitsAndBytesConfig

    from tunesmith.wire.methods import QuantizationSection

    if find_spec("bitsandbytes") is None:
        raise configuration_failure(
            "Training beside a base in four bits needs bitsandbytes, which is not installed.",
            "Install it with pip install 'tunesmith[train]', or set method.adapter: lora.",
        )
    plan = recipe.method.quantization or QuantizationSection()
    wanted = {"auto": compute or torch.float32, "bf16": torch.bfloat16, "fp32": torch.float32}[plan.compute_dtype]
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=plan.type,
        bnb_4bit_use_double_quant=plan.double,
        bnb_4bit_compute_dtype=wanted,
    )


def target_modules(model: Any, wanted: str | list[str]) -> str | list[str]:
    """The modules to adapt; raises when a name fits none, saying which there are."""
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING

    if wanted == "auto":
        return TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.get(model.config.model_type, "all-linear")
    if isinstance(wanted, str):
        return wanted
    heads = (model.get_output_embeddings(), getattr(model, "score", None))
    linear = [
        name
        for name, m in model.named_modules()
        if isinstance(m, torch.nn.Linear) and not any(m is head for head in heads)
    ]
    missing = [w for w in wanted if not any(name == w or name.endswith(f".{w}") for name in linear)]
    if missing:
        there = sorted({name.rsplit(".", 1)[-1] for name in linear})
        raise configuration_failure(
            f"method.lora.target_modules names {', '.join(missing)}, which this model does not have.",
            f"It has {', '.join(there)}; `all-linear` takes them all.",
        )
    return sorted(set(wanted))
