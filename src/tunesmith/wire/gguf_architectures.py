"""Which kinds of models can be written as GGUF: asked by the server before a job is queued, and by the child that writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GGUF_ARCHITECTURES = (
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "Gemma3ForConditionalGeneration",
    "Phi3ForCausalLM",
    "SmolLM3ForCausalLM",
)
"""Architectures that can be written as GGUF. SmolLM 1 and 2 and the bundled model are Llamas; of a Gemma 3 that sees, the text part."""

ACTIVATIONS = {"gelu_pytorch_tanh": "gelu", "gelu_new": "gelu", "silu": "silu", "swish": "silu"}
_GELU = ("Gemma2ForCausalLM", "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration")


def architecture_of(config: Mapping[str, Any]) -> str:
    """What the configuration calls itself."""
    return str(next(iter(config.get("architectures") or []), config.get("model_type", "unknown")))


def text_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of the language model: that of a model that also sees is kept below ``text_config``."""
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, dict) else dict(config)


def rope_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The rotary parameters of full attention, from where new or old configurations keep them."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    rope = dict(rope.get("full_attention") or rope) if isinstance(rope, dict) else {}
    rope.setdefault("rope_type", rope.pop("type", None) or "default")
    default = 1_000_000.0 if str(config.get("model_type", "")).startswith("gemma3") else 10_000.0
    rope.setdefault("rope_theta", config.get("rope_theta") or default)
    for name, fallback in (("partial_rotary_factor", 1.0), ("original_max_position_embeddings", None)):
        rope.setdefault(name, config.get(name) or fallback)
    if rope["rope_type"] == "su":
        rope["rope_type"] = "longrope"
    return rope


def refusal(config: Mapping[str, Any]) -> str | None:
    """Why a model with this configuration cannot be written as GGUF, naming what can; None when it can."""
    found = architecture_of(config)
    if found not in GGUF_ARCHITECTURES:
        return f"{found} is none of {', '.join(GGUF_ARCHITECTURES)}."
    text = text_config(config)
    wanted = "gelu" if found in _GELU else "silu"
    activation = (
        text.get("hidden_activation") or text.get("hidden_act") or ("gelu_pytorch_tanh" if wanted == "gelu" else "silu")
    )
    if ACTIVATIONS.get(str(activation)) != wanted:
        return f"This {found} has the activation {activation!r}; llama.cpp computes {wanted} for it."
    kinds = ("default", "longrope") if found == "Phi3ForCausalLM" else ("default", "linear", "llama3", "yarn")
    if found in _GELU:
        kinds = ("default", "linear")
    if text.get("use_bidirectional_attention"):
        return f"This {found} attends in both directions; llama.cpp would only look back."
    if rope_of(text)["rope_type"] not in kinds:
        return f"Rotary embeddings of type {rope_of(text)['rope_type']!r} are not written for {found}; {', '.join(kinds)} are."
    if quantised := text.get("quantization_config"):
        return f"This {found} is quantised already ({quantised.get('quant_method', 'unknown')}); export its source."
    return _window_refusal(found, text)


def _window_refusal(found: str, config: Mapping[str, Any]) -> str | None:
    """Sliding windows and layers without rotation that llama.cpp would not compute."""
    if found in ("Qwen2ForCausalLM", "Qwen3ForCausalLM", "SmolLM3ForCausalLM") and config.get("use_sliding_window"):
        return f"This {found} uses a sliding attention window, which llama.cpp does not compute for it."
    if found == "SmolLM3ForCausalLM":
        layers = config["num_hidden_layers"]
        usual = [int((layer + 1) % 4 != 0) for layer in range(layers)]
        if config.get("no_rope_layers") not in (None, usual) or config.get("no_rope_layer_interval", 4) != 4:
            return f"This {found} leaves out the rotation in other layers than every fourth, which llama.cpp does not compute."
    return None
