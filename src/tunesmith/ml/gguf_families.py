"""What differs between families of models: llama.cpp's names of their tensors, their numbers, and how values are laid out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gguf import GGUFWriter, RopeScalingType

from tunesmith.ml.tensors import Array
from tunesmith.wire.gguf_architectures import rope_of

Config = Mapping[str, Any]

NO_SOFT_CAP = 1e6
"""llama.cpp always caps what Gemma 2 caps; this high, it changes nothing."""

GLOBAL_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
_ATTENTION = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
}
_LLAMA = {
    **_ATTENTION,
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_HEAD_NORMS = {"self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm"}
_GEMMA = {
    **_LLAMA,
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
_PHI = {
    "input_layernorm": "attn_norm",
    "self_attn.qkv_proj": "attn_qkv",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_TEXT_PREFIXES = (("model.language_model.", "model."), ("language_model.model.", "model."), ("language_model.", ""))
_SEEING = ("vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.")


@dataclass(frozen=True)
class Family:
    """How one family is named and laid out in GGUF."""

    name: str
    layer_names: Mapping[str, str] = field(default_factory=lambda: _LLAMA)
    rotary_halves: bool = False
    """Whether llama.cpp rotates neighbours where the source rotates halves, so that q and k rows must be reordered."""
    norm_shift: float = 0.0
    """What the source adds to the weights of its norms."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What a configuration of this family that is silent about it means."""
    largest: int | None = None
    """Layers of the one size for which llama.cpp scales attention by hidden size and heads, not by the size of a head."""


_GEMMA_DEFAULTS = {
    "tie_word_embeddings": True,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "query_pre_attn_scalar": 256,
    "rms_norm_eps": 1e-6,
    "sliding_window": 4096,
}
FAMILIES = {
    "LlamaForCausalLM": Family("llama", rotary_halves=True),
    "MistralForCausalLM": Family("llama", rotary_halves=True),
    "SmolLM3ForCausalLM": Family("smollm3", rotary_halves=True, defaults={"tie_word_embeddings": True}),
    "Qwen2ForCausalLM": Family("qwen2"),
    "Qwen3ForCausalLM": Family("qwen3", {**_LLAMA, **_HEAD_NORMS}, defaults={"head_dim": 128}),
    "Gemma2ForCausalLM": Family(
        "gemma2",
        _GEMMA,
        norm_shift=1.0,
        largest=46,
        defaults={
            **_GEMMA_DEFAULTS,
            "attn_logit_softcapping": 50.0,
            "final_logit_softcapping": 30.0,
            "max_position_embeddings": 8192,
        },
    ),
    "Gemma3ForCausalLM": Family(
        "gemma3",
        {**_GEMMA, **_HEAD_NORMS},
        norm_shift=1.0,
        largest=62,
        defaults={**_GEMMA_DEFAULTS, "max_position_embeddings": 131_072},
    ),
    "Phi3ForCausalLM": Family("phi3", _PHI),
}
FAMILIES["Gemma3ForConditionalGeneration"] = FAMILIES["Gemma3ForCausalLM"]


def gguf_name(family: Family, source: str) -> str | None:
    """llama.cpp's name of a tensor, or None for a stranger."""
    module, _, kind = source.rpartition(".")
    if kind not in ("weight", "bias"):
        return None
    for prefix, ours in _TEXT_PREFIXES:
        if module.startswith(prefix):
            module = ours + module.removeprefix(prefix)
            break
    if module in GLOBAL_NAMES:
        return f"{GLOBAL_NAMES[module]}.{kind}"
    prefix, _, rest = module.partition("model.layers.")
    layer, _, part = rest.partition(".")
    if prefix or not layer.isdecimal() or part not in family.layer_names:
        return None
    return f"blk.{layer}.{family.layer_names[part]}.{kind}"


def is_left_out(source: str) -> bool:
    """Whether a tensor has no place in a file about text: the eyes of a model that sees, and tables that are computed."""
    return source.startswith(_SEEING) or source.endswith("rotary_emb.inv_freq")


def head_size(config: Config) -> int:
    """Numbers in one attention head."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def key_heads(config: Config) -> int:
    """Heads of keys and values."""
    return int(config.get("num_key_value_heads") or config["num_attention_heads"])


def query_scale(family: Family, config: Config) -> float:
    """What queries are multiplied by, where llama.cpp scales attention otherwise than this model."""
    wanted = config.get("query_pre_attn_scalar")
    if family.largest is None or wanted is None:
        return 1.0
    theirs = float(head_size(config))
    if config["num_hidden_layers"] == family.largest:
        theirs = float(config["hidden_size"] // config["num_attention_heads"])
    return math.sqrt(theirs / float(wanted))


def windowed_layers(config: Config) -> list[bool]:
    """Which layers see only a window, by the list of layers or by the older pattern."""
    layers = int(config["num_hidden_layers"])
    if kinds := config.get("layer_types"):
        return [kind == "sliding_attention" for kind in kinds]
    default = 2 if str(config.get("model_type", "")).startswith("gemma2") else 6
    pattern = int(config.get("sliding_window_pattern") or default)
    return [(layer + 1) % pattern != 0 for layer in range(layers)]


def context_length(family: Family, config: Config) -> tuple[int, str | None]:
    """How far the file may be used, and a note where that is less than the model's own length."""
    length = int(config.get("max_position_embeddings") or 2048)
    window = config.get("sliding_window")
    if family.name not in ("llama", "phi3") or not window or int(window) >= length:
        return length, None
    note = f"llama.cpp does not compute this model's sliding window; the file's context is the window, {window} tokens."
    return int(window), note


def add_dimensions(writer: GGUFWriter, family: Family, config: Config) -> None:
    """The numbers of the model."""
    rope, size = rope_of(config), head_size(config)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(context_length(family, config)[0])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(key_heads(config))
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_dimension_count(rotary_size(config))
    writer.add_layer_norm_rms_eps(config.get("rms_norm_eps", 1e-6))
    writer.add_rope_freq_base(float(rope["rope_theta"]))
    _add_rope_scaling(writer, config, rope)
    if family.name.startswith("gemma"):
        _add_gemma(writer, family, config)
    elif family.name == "phi3":
        writer.add_sliding_window(int(config.get("sliding_window") or 0))


def rotary_size(config: Config) -> int:
    """How many numbers of a head are rotated."""
    return int(head_size(config) * float(rope_of(config)["partial_rotary_factor"]))


def _add_rope_scaling(writer: GGUFWriter, config: Config, rope: Mapping[str, Any]) -> None:
    kind, original = rope["rope_type"], rope["original_max_position_embeddings"]
    if kind == "linear":
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(rope["factor"]))
    elif kind == "yarn":
        writer.add_rope_scaling_type(RopeScalingType.YARN)
        writer.add_rope_scaling_factor(float(rope["factor"]))
        writer.add_rope_scaling_orig_ctx_len(int(original or config["max_position_embeddings"]))
        for name, add in (
            ("beta_fast", writer.add_rope_scaling_yarn_beta_fast),
            ("beta_slow", writer.add_rope_scaling_yarn_beta_slow),
        ):
            if rope.get(name) is not None:
                add(float(rope[name]))
    elif kind == "longrope":
        writer.add_rope_scaling_type(RopeScalingType.LONGROPE)
        original = int(original or config["max_position_embeddings"])
        scale = float(rope.get("factor") or config["max_position_embeddings"] / original)
        usual = math.sqrt(1 + math.log(scale) / math.log(original)) if scale > 1 else 1.0
        writer.add_rope_scaling_orig_ctx_len(original)
        writer.add_rope_scaling_attn_factors(float(rope.get("attention_factor") or usual))


def _add_gemma(writer: GGUFWriter, family: Family, config: Config) -> None:
    final = config.get("final_logit_softcapping")
    if family.name == "gemma2":
        writer.add_attn_logit_softcapping(float(config.get("attn_logit_softcapping") or NO_SOFT_CAP))
        writer.add_final_logit_softcapping(float(final or NO_SOFT_CAP))
    elif final:
        writer.add_final_logit_softcapping(float(final))
    windowed = windowed_layers(config)
    if family.name == "gemma3" and not any(windowed):
        return
    writer.add_sliding_window(int(config.get("sliding_window") or 4096))
    usual = 2 if family.name == "gemma2" else 6
    if windowed != [(layer + 1) % usual != 0 for layer in range(len(windowed))]:
        writer.add_sliding_window_pattern(windowed)
    if family.name == "gemma3":
        nested = (config.get("rope_parameters") or {}).get("sliding_attention") or {}
        local = nested.get("rope_theta") or config.get("rope_local_base_freq") or 10_000.0
        writer.add_rope_freq_base_swa(float(local))


def computed_tensors(config: Config) -> dict[str, Array]:
    """Tensors that come from the configuration, not from weights: by how much rotations are stretched."""
    rope = rope_of(config)
    if rope["rope_type"] == "llama3":
        return {"rope_freqs.weight": _llama3_factors(rope, rotary_size(config))}
    if rope["rope_type"] == "longrope":
        return {
            f"rope_factors_{kind}.weight": np.asarray(rope[f"{kind}_factor"], np.float32) for kind in ("long", "short")
        }
    return {}


def _llama3_factors(rope: Mapping[str, Any], size: int) -> Array:
    """Llama 3.1's stretching of the slow rotations, as the factor by which each frequency is divided."""
    frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, size, 2, dtype=np.float32) / size)
    factor, low, high = rope.get("factor", 8.0), rope.get("low_freq_factor", 1.0), rope.get("high_freq_factor", 4.0)
    original = rope["original_max_position_embeddings"] or 8192
    lengths = 2 * math.pi / frequencies
    smooth = np.clip((original / lengths - low) / (high - low), 0, 1)
    factors: Array = (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)
    return factors
