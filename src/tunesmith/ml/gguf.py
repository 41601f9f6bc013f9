"""Hugging Face to GGUF without a compiler: names, number formats and layout as llama.cpp's own tools write them.

Every family is one entry of a table (``gguf_families``). Tensors stream through in groups of rows, so that memory does not grow
with the model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter
from gguf.gguf_writer import WriterState

from tunesmith.kit.errors import InvalidInput, Unsupported
from tunesmith.kit.paths import atomic_file
from tunesmith.ml.gguf_families import (
    FAMILIES,
    Family,
    add_dimensions,
    computed_tensors,
    context_length,
    gguf_name,
    is_left_out,
    key_heads,
    query_scale,
)
from tunesmith.ml.gguf_file import check_structure
from tunesmith.ml.gguf_native import Packer, check_available
from tunesmith.ml.gguf_tokens import Vocabulary
from tunesmith.ml.gguf_types import ModelShape, tensor_types
from tunesmith.ml.gguf_vocab import read_vocabulary
from tunesmith.ml.tensors import Array, HashingFile, ModelInvalid
from tunesmith.ml.weights import ModelWeights
from tunesmith.wire.gguf_architectures import GGUF_ARCHITECTURES, architecture_of, refusal, text_config
from tunesmith.wire.gguf_methods import GGUF_METHODS

ALIGNMENT = 32
QUANTIZATION_VERSION = 2
UNCERTAIN_WITHOUT_IMPORTANCE = "Q2_K_S"


class UnsupportedArchitecture(Unsupported):
    """This kind of model cannot be written as GGUF."""

    code, title = "unsupported-architecture", "The model's architecture cannot be exported to GGUF"
    hint = f"These can: {', '.join(GGUF_ARCHITECTURES)}. Export it as `merged` instead."


class WeightsOverflow(InvalidInput):
    """A weight does not fit the number format."""

    code, title = "weights-overflow", "A weight does not fit the number format"
    hint = "Choose another method, or train again with a lower learning rate."


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor of the file to be written."""

    name: str
    source: str
    """The tensor of the model folder; empty for one that is computed from the configuration."""
    shape: tuple[int, ...]
    type: GGMLQuantizationType = GGMLQuantizationType.F32
    heads: int = 0
    """Heads whose rows are reordered; 0: none."""
    shift: float = 0.0
    """Added to every value."""
    scale: float = 1.0
    """Multiplies every value, after the shift."""

    @property
    def size_bytes(self) -> int:
        """Its size in the file."""
        block_elements, block_bytes = GGML_QUANT_SIZES[self.type]
        return math.prod(self.shape) // block_elements * block_bytes


@dataclass(frozen=True)
class FilePlan:
    """What the file will hold."""

    family: Family
    config: dict[str, Any]
    vocabulary: Vocabulary
    tensors: list[PlannedTensor]
    computed: dict[str, Array]
    notes: list[str]


@dataclass(frozen=True)
class Written:
    """What came of it."""

    path: Path
    size_bytes: int
    sha256: str
    notes: list[str]


def read_architecture(folder: Path) -> tuple[Family, dict[str, Any]]:
    """The family and configuration of a model folder; raises UnsupportedArchitecture naming those that work."""
    file = folder / "config.json"
    if not file.is_file():
        raise ModelInvalid(f"{folder.name}: there is no config.json.")
    config = json.loads(file.read_text(encoding="utf-8"))
    if reason := refusal(config):
        raise UnsupportedArchitecture(reason)
    family = FAMILIES[architecture_of(config)]
    return family, {**family.defaults, **text_config(config)}


def convert(
    model: Path,
    target: Path,
    method: str,
    *,
    adapter: Path | None = None,
    name: str = "model",
    importance: Mapping[str, Array] | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Written:
    """Write ``target`` from a model folder (and adapter). The same input gives the same bytes.

    ``importance`` says by llama.cpp's tensor names how much each column counts. The file appears under its name only when it is
    complete, and its structure is read back before that is said.
    """
    with ModelWeights(model, adapter) as weights, Packer() as packer:
        file_plan = prepare(model, weights, method, importance)
        with atomic_file(target) as file:
            out = HashingFile(file)
            _write_head(out, file_plan, method=method, name=name)
            for tensor in file_plan.tensors:
                _write_tensor(out, tensor, _values(tensor, weights, file_plan), packer, importance, on_bytes)
    check_structure(target)
    return Written(target, out.size_bytes, out.sha256, file_plan.notes)


def prepare(model: Path, weights: ModelWeights, method: str, importance: Mapping[str, Array] | None = None) -> FilePlan:
    """Everything about the file but its weights; raises where the model cannot be written, before anything is."""
    family, config = read_architecture(model)
    computed = computed_tensors(config)
    tensors = _plan(weights, family, config, computed)
    embedding = next((tensor for tensor in tensors if tensor.name == "token_embd.weight"), None)
    if embedding is None:
        raise ModelInvalid(f"{model.name}: there are no token embeddings.")
    vocabulary = read_vocabulary(model, embedding.shape[0])
    notes = [*vocabulary.notes]
    if (note := context_length(family, config)[1]) is not None:
        notes.append(note)
    if method == UNCERTAIN_WITHOUT_IMPORTANCE and importance is None:
        notes.append(f"{method} without an importance matrix loses much; give calibration data.")
    names = {tensor.name for tensor in tensors}
    shape = ModelShape(
        layers=config["num_hidden_layers"],
        query_groups=config["num_attention_heads"] // key_heads(config),
        is_tied="output.weight" not in names,
        has_importance=importance is not None,
        is_70b=config["num_hidden_layers"] == 80 and config["num_attention_heads"] != key_heads(config),
    )
    types = tensor_types({tensor.name: tensor.shape for tensor in tensors}, method, shape)
    check_available(set(types.values()))
    tensors = [replace(tensor, type=types[tensor.name]) for tensor in tensors]
    return FilePlan(family, config, vocabulary, tensors, computed, notes)


def _plan(
    weights: ModelWeights, family: Family, config: dict[str, Any], computed: Mapping[str, Array]
) -> list[PlannedTensor]:
    plan, strangers = [PlannedTensor(name, "", values.shape) for name, values in computed.items()], []
    for source, stored in weights.tensors.items():
        name = gguf_name(family, source)
        if is_left_out(source) or (name == "output.weight" and config.get("tie_word_embeddings")):
            continue
        if name is None:
            strangers.append(source)
            continue
        heads = 0
        if family.rotary_halves and ".attn_q." in name:
            heads = config["num_attention_heads"]
        elif family.rotary_halves and ".attn_k." in name:
            heads = key_heads(config)
        shift = family.norm_shift if name.endswith("norm.weight") else 0.0
        scaled = ".attn_q_norm." if "self_attn.q_norm" in family.layer_names else ".attn_q."
        scale = query_scale(family, config) if scaled in name else 1.0
        plan.append(PlannedTensor(name, source, stored.shape, heads=heads, shift=shift, scale=scale))
    if strangers:
        raise UnsupportedArchitecture(
            f"The model has weights that GGUF has no place for: {', '.join(sorted(strangers)[:5])}."
        )
    return sorted(plan, key=lambda tensor: _file_order(tensor.name))


def _file_order(name: str) -> tuple[int, int, str]:
    if name.startswith("blk."):
        return 1, int(name.split(".")[1]), name
    return (0 if name.startswith(("token_embd", "rope_freqs")) else 2), 0, name


def _write_head(out: HashingFile, plan: FilePlan, *, method: str, name: str) -> None:
    writer = GGUFWriter(None, plan.family.name)
    writer.add_type("model")
    writer.add_name(plan.vocabulary.name_for(name))
    writer.add_file_type(GGUF_METHODS[method].file_type)
    writer.add_quantization_version(QUANTIZATION_VERSION)
    add_dimensions(writer, plan.family, plan.config)
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


def _write_tensor(
    out: HashingFile,
    tensor: PlannedTensor,
    chunks: Iterator[Array],
    packer: Packer,
    importance: Mapping[str, Array] | None,
    on_bytes: Callable[[int], None] | None,
) -> None:
    start, columns = out.tell(), (importance or {}).get(tensor.name)
    if columns is not None and len(columns) != tensor.shape[-1]:
        raise InvalidInput(
            f"The importance matrix has {len(columns)} columns for {tensor.name}, not {tensor.shape[-1]}."
        )
    for values in chunks:
        is_finite = bool(np.isfinite(values).all())
        packed = packer.pack(values, tensor.type, columns) if is_finite else values
        if not is_finite or (packed.dtype == np.float16 and not np.isfinite(packed).all()):
            raise WeightsOverflow(f"{tensor.source} has a value that {tensor.type.name} cannot hold.")
        out.write(packed.tobytes())
        if on_bytes:
            on_bytes(out.size_bytes)
    if out.tell() - start != tensor.size_bytes:
        raise ModelInvalid(f"{tensor.source} gave {out.tell() - start} bytes instead of {tensor.size_bytes}.")
    _pad(out)


def _values(tensor: PlannedTensor, weights: ModelWeights, plan: FilePlan) -> Iterator[Array]:
    if not tensor.source:
        yield plan.computed[tensor.name]
        return
    head_rows = tensor.shape[0] // tensor.heads if tensor.heads else 1
    for values in weights.chunks(tensor.source, multiple_of=head_rows):
        if tensor.heads:
            values = _interleave_halves(values, head_rows)
        if tensor.shift:
            values = values + np.float32(tensor.shift)
        yield values * np.float32(tensor.scale) if tensor.scale != 1.0 else values


def _interleave_halves(values: Array, head_rows: int) -> Array:
    """Within each head, row i of the first half is followed by row i of the second."""
    halves = values.reshape(-1, 2, head_rows // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def _pad(out: HashingFile) -> None:
    out.write(bytes(-out.tell() % ALIGNMENT))
