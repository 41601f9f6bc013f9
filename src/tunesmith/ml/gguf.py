"""Hugging Face to GGUF without a compiler: names, number formats and layout as llama.cpp's own converter writes them.

Every architecture is one entry of a table. Tensors stream through in groups of rows, so that memory does not grow with the model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, LlamaFileType
from gguf.gguf_writer import WriterState
from gguf.quants import quantize

from tunesmith.kit.errors import InvalidInput, Unsupported
from tunesmith.kit.paths import atomic_file
from tunesmith.ml.gguf_file import check_structure
from tunesmith.ml.gguf_vocab import Vocabulary, read_vocabulary
from tunesmith.ml.tensors import Array, HashingFile, ModelInvalid
from tunesmith.ml.weights import ModelWeights
from tunesmith.wire.spec import GGUF_ARCHITECTURES

ALIGNMENT = 32
QUANTIZATION_VERSION = 2
FILE_TYPES = {"F16": LlamaFileType.MOSTLY_F16, "Q8_0": LlamaFileType.MOSTLY_Q8_0}


class UnsupportedArchitecture(Unsupported):
    """This kind of model cannot be written as GGUF."""

    code, title = "unsupported-architecture", "The model's architecture cannot be exported to GGUF"
    hint = f"These can: {', '.join(GGUF_ARCHITECTURES)}. Export it as `merged` instead."


class WeightsOverflow(InvalidInput):
    """A weight does not fit the number format."""

    code, title = "weights-overflow", "A weight does not fit the number format"
    hint = "Choose another method, or train again with a lower learning rate."


@dataclass(frozen=True)
class Architecture:
    """How one family is named and laid out in GGUF."""

    name: str
    rotary_halves: bool
    """Whether llama.cpp rotates neighbours where the source rotates halves, so that q and k rows must be reordered."""


ARCHITECTURES = {
    "LlamaForCausalLM": Architecture("llama", rotary_halves=True),
    "Qwen2ForCausalLM": Architecture("qwen2", rotary_halves=False),
    "Qwen3ForCausalLM": Architecture("qwen3", rotary_halves=False),
}

GLOBAL_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor of the file to be written."""

    name: str
    source: str
    shape: tuple[int, ...]
    type: GGMLQuantizationType
    heads: int = 0
    """Heads whose rows are reordered; 0: none."""

    @property
    def size_bytes(self) -> int:
        """Its size in the file."""
        block_elements, block_bytes = GGML_QUANT_SIZES[self.type]
        return math.prod(self.shape) // block_elements * block_bytes


@dataclass(frozen=True)
class FilePlan:
    """What the file will hold."""

    architecture: Architecture
    config: dict[str, Any]
    vocabulary: Vocabulary
    tensors: list[PlannedTensor]


@dataclass(frozen=True)
class Written:
    """What came of it."""

    path: Path
    size_bytes: int
    sha256: str
    notes: list[str]


def read_architecture(folder: Path) -> tuple[Architecture, dict[str, Any]]:
    """The architecture and configuration of a model folder; raises UnsupportedArchitecture naming those that work."""
    file = folder / "config.json"
    if not file.is_file():
        raise ModelInvalid(f"{folder.name}: there is no config.json.")
    config = json.loads(file.read_text(encoding="utf-8"))
    found = next(iter(config.get("architectures") or []), config.get("model_type", "unknown"))
    if found not in ARCHITECTURES:
        raise UnsupportedArchitecture(f"{found} is none of {', '.join(GGUF_ARCHITECTURES)}.")
    if config.get("use_sliding_window"):
        raise UnsupportedArchitecture(
            f"This {found} uses a sliding attention window, which the converter does not write."
        )
    _rope(config)
    return ARCHITECTURES[found], config


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """The rotary parameters, in the place where new or old configurations keep them."""
    rope = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    rope.setdefault("rope_type", rope.pop("type", "default"))
    rope.setdefault("rope_theta", config.get("rope_theta", 10000.0))
    if rope["rope_type"] not in ("default", "linear", "llama3"):
        raise UnsupportedArchitecture(
            f"Rotary embeddings of type {rope['rope_type']!r} are not written; default, linear and llama3 are."
        )
    return rope


def convert(
    model: Path,
    target: Path,
    method: str,
    *,
    adapter: Path | None = None,
    name: str = "model",
    on_bytes: Callable[[int], None] | None = None,
) -> Written:
    """Write ``target`` from a model folder (and adapter). The same input gives the same bytes.

    The file appears under its name only when it is complete, and its structure is read back before that is said.
    """
    with ModelWeights(model, adapter) as weights:
        file_plan = prepare(model, weights, method)
        with atomic_file(target) as file:
            out = HashingFile(file)
            _write_head(out, file_plan, method=method, name=name)
            for tensor in file_plan.tensors:
                _write_tensor(out, tensor, weights, file_plan.config)
                if on_bytes:
                    on_bytes(out.size_bytes)
    check_structure(target)
    return Written(target, out.size_bytes, out.sha256, file_plan.vocabulary.notes)


def prepare(model: Path, weights: ModelWeights, method: str) -> FilePlan:
    """Everything about the file but its weights; raises where the model cannot be written, before anything is."""
    architecture, config = read_architecture(model)
    if "model.embed_tokens.weight" not in weights.tensors:
        raise ModelInvalid(f"{model.name}: there are no token embeddings.")
    vocabulary = read_vocabulary(model, weights.tensors["model.embed_tokens.weight"].shape[0])
    tensors = _plan(weights, architecture, config, GGMLQuantizationType[method])
    return FilePlan(architecture, config, vocabulary, tensors)


def _plan(
    weights: ModelWeights, architecture: Architecture, config: dict[str, Any], wanted: GGMLQuantizationType
) -> list[PlannedTensor]:
    plan, strangers = [], []
    for source, stored in weights.tensors.items():
        if source.endswith("rotary_emb.inv_freq") or (source == "lm_head.weight" and config.get("tie_word_embeddings")):
            continue
        name = gguf_name(source)
        if name is None:
            strangers.append(source)
            continue
        heads = 0
        if architecture.rotary_halves and ".self_attn.q_proj." in source:
            heads = config["num_attention_heads"]
        elif architecture.rotary_halves and ".self_attn.k_proj." in source:
            heads = config.get("num_key_value_heads") or config["num_attention_heads"]
        plan.append(PlannedTensor(name, source, stored.shape, _tensor_type(name, stored.shape, wanted), heads))
    if strangers:
        raise UnsupportedArchitecture(
            f"The model has weights that GGUF has no place for: {', '.join(sorted(strangers)[:5])}."
        )
    if architecture.name == "llama" and _rope(config)["rope_type"] == "llama3":
        head_size = _head_size(config)
        plan.append(PlannedTensor("rope_freqs.weight", "", (head_size // 2,), GGMLQuantizationType.F32))
    return sorted(plan, key=lambda tensor: _file_order(tensor.name))


def gguf_name(source: str) -> str | None:
    """llama.cpp's name of a tensor, or None for a stranger."""
    module, _, kind = source.rpartition(".")
    if kind not in ("weight", "bias"):
        return None
    if module in GLOBAL_NAMES:
        return f"{GLOBAL_NAMES[module]}.{kind}"
    prefix, _, rest = module.partition("model.layers.")
    layer, _, part = rest.partition(".")
    if prefix or not layer.isdecimal() or part not in LAYER_NAMES:
        return None
    return f"blk.{layer}.{LAYER_NAMES[part]}.{kind}"


def _file_order(name: str) -> tuple[int, int, str]:
    if name.startswith("blk."):
        return 1, int(name.split(".")[1]), name
    return (0 if name.startswith(("token_embd", "rope_freqs")) else 2), 0, name


def _tensor_type(name: str, shape: tuple[int, ...], wanted: GGMLQuantizationType) -> GGMLQuantizationType:
    """Vectors and norms stay float32; rows that do not fill whole blocks fall back to half precision."""
    if len(shape) < 2 or name.endswith("_norm.weight"):
        return GGMLQuantizationType.F32
    return wanted if shape[-1] % GGML_QUANT_SIZES[wanted][0] == 0 else GGMLQuantizationType.F16


def _write_head(out: HashingFile, plan: FilePlan, *, method: str, name: str) -> None:
    writer = GGUFWriter(None, plan.architecture.name)
    writer.add_type("model")
    writer.add_name(name)
    writer.add_file_type(FILE_TYPES[method])
    writer.add_quantization_version(QUANTIZATION_VERSION)
    _add_dimensions(writer, plan.config)
    if plan.architecture.name == "llama":
        writer.add_vocab_size(len(plan.vocabulary.tokens))
    plan.vocabulary.write(writer)
    for tensor in plan.tensors:
        writer.add_tensor_info(
            tensor.name, tensor.shape, np.dtype(np.float32), tensor.size_bytes, raw_dtype=tensor.type
        )
    writer.fout, writer.state = [out], WriterState.EMPTY  # the package would open a file of its own
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    _pad(out)


def _add_dimensions(writer: GGUFWriter, config: dict[str, Any]) -> None:
    heads, rope = config["num_attention_heads"], _rope(config)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_key_length(_head_size(config))
    writer.add_value_length(_head_size(config))
    writer.add_rope_dimension_count(_head_size(config))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(float(rope["rope_theta"]))
    if rope["rope_type"] == "linear":
        writer.add_string(f"{writer.arch}.rope.scaling.type", "linear")
        writer.add_rope_scaling_factor(float(rope["factor"]))


def _head_size(config: dict[str, Any]) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def _write_tensor(out: HashingFile, tensor: PlannedTensor, weights: ModelWeights, config: dict[str, Any]) -> None:
    start = out.tell()
    for values in _values(tensor, weights, config):
        with np.errstate(over="ignore"):
            packed = quantize(np.ascontiguousarray(values), tensor.type)
        if not np.isfinite(values).all() or (packed.dtype == np.float16 and not np.isfinite(packed).all()):
            raise WeightsOverflow(f"{tensor.source} has a value that {tensor.type.name} cannot hold.")
        out.write(packed.tobytes())
    if out.tell() - start != tensor.size_bytes:
        raise ModelInvalid(f"{tensor.source} gave {out.tell() - start} bytes instead of {tensor.size_bytes}.")
    _pad(out)


def _values(tensor: PlannedTensor, weights: ModelWeights, config: dict[str, Any]) -> Iterator[Array]:
    if not tensor.source:
        yield _rope_factors(config)
    elif tensor.heads:
        head_rows = tensor.shape[0] // tensor.heads
        for values in weights.chunks(tensor.source, multiple_of=head_rows):
            yield _interleave_halves(values, head_rows)
    else:
        yield from weights.chunks(tensor.source)


def _interleave_halves(values: Array, head_rows: int) -> Array:
    """Within each head, row i of the first half is followed by row i of the second."""
    halves = values.reshape(-1, 2, head_rows // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def _rope_factors(config: dict[str, Any]) -> Array:
    """Llama 3.1's stretching of the slow rotations, as the factor by which each frequency is divided."""
    rope, size = _rope(config), _head_size(config)
    frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, size, 2, dtype=np.float32) / size)
    factor, low, high = rope.get("factor", 8.0), rope.get("low_freq_factor", 1.0), rope.get("high_freq_factor", 4.0)
    original = rope.get("original_max_position_embeddings", 8192)
    lengths = 2 * math.pi / frequencies
    smooth = np.clip((original / lengths - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)


def _pad(out: HashingFile) -> None:
    out.write(bytes(-out.tell() % ALIGNMENT))
