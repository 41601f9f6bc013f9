"""Which block format each tensor of a GGUF file gets: what `_S`, `_M` and `_L` mean.

The choices are llama.cpp's (`llama-quant.cpp`), so that a file of ours and one of its own tool have the same size and quality:
more bits for the output, for the values of attention and for the way down of the feed-forward layers, in the first and last
eighth of the layers and every third between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Type

from tunesmith.wire.gguf_methods import GGUF_METHODS

FLOATS = ("F32", "F16")
SMALLER_BLOCKS = {
    Type.Q2_K: Type.Q4_0,
    Type.Q3_K: Type.Q4_0,
    Type.Q4_K: Type.Q5_0,
    Type.Q5_K: Type.Q5_1,
    Type.Q6_K: Type.Q8_0,
}
"""Where a row is no multiple of 256."""


@dataclass(frozen=True)
class ModelShape:
    """What the choice depends on besides the tensor itself."""

    layers: int
    query_groups: int
    """Heads that share one pair of key and value."""
    is_tied: bool
    """Whether the embeddings are the output layer too."""
    has_importance: bool = False
    is_70b: bool = False


def tensor_types(shapes: Mapping[str, tuple[int, ...]], method: str, model: ModelShape) -> dict[str, Type]:
    """The format of each tensor of a file; ``shapes`` by llama.cpp's names."""
    chosen: dict[str, Type] = {}
    values = [name for name in shapes if _is_value(name)]
    order = {name: number for number, name in enumerate(sorted(values, key=_layer))}
    for name, shape in shapes.items():
        if len(shape) < 2 or not name.endswith(".weight") or name.endswith("_norm.weight"):
            chosen[name] = Type.F32
        elif method in FLOATS:
            chosen[name] = Type[method]
        else:
            chosen[name] = _fitting(_wanted(name, shape, method, model, order), shape[-1])
    return chosen


def _fitting(wanted: Type, columns: int) -> Type:
    """The format, or one with smaller blocks where rows do not fill whole ones, or half precision."""
    if columns % GGML_QUANT_SIZES[wanted][0] == 0:
        return wanted
    smaller = SMALLER_BLOCKS.get(wanted, wanted)
    return smaller if columns % GGML_QUANT_SIZES[smaller][0] == 0 else Type.F16


def _wanted(name: str, shape: tuple[int, ...], method: str, model: ModelShape, order: Mapping[str, int]) -> Type:
    base = Type[GGUF_METHODS[method].base]
    if name == "output.weight" or (model.is_tied and name == "token_embd.weight"):
        if base == Type.Q8_0 or shape[-1] % GGML_QUANT_SIZES[base][0]:
            return Type.Q8_0
        return Type.Q6_K
    if _is_value(name):
        found = _value(method, base, model, order[name], len(order))
        return Type.Q5_K if model.is_70b and found in (Type.Q3_K, Type.Q4_K) else found
    if "ffn_down" in name:
        return _down(method, base, model, _layer(name))
    if "attn_output.weight" in name:
        return {"Q2_K": Type.Q3_K, "Q3_K_M": Type.Q4_K, "Q3_K_L": Type.Q5_K}.get(method, base)
    return base


def _value(method: str, base: Type, model: ModelShape, index: int, count: int) -> Type:
    """Of the projection to the values of attention, or of all three where they are one tensor."""
    shares = model.query_groups >= 4
    if method == "Q2_K":
        return Type.Q4_K if shares else Type.Q3_K
    if method == "Q2_K_S" and shares:
        return Type.Q4_K
    if method == "Q3_K_M":
        return Type.Q5_K if index < 2 else Type.Q4_K
    if method == "Q3_K_L":
        return Type.Q5_K
    if method in ("Q4_K_M", "Q5_K_M") and _more_bits(index, count):
        return Type.Q6_K
    if method == "Q4_K_S" and index < 4:
        return Type.Q5_K
    return base


def _down(method: str, base: Type, model: ModelShape, layer: int) -> Type:
    """Of the way down of the feed-forward layer."""
    first_eighth = layer < model.layers // 8
    if method in ("Q4_K_M", "Q5_K_M"):
        return Type.Q6_K if _more_bits(layer, model.layers) else base
    if method == "Q3_K_M":
        return Type.Q5_K if layer < model.layers // 16 else Type.Q4_K
    if method in ("Q2_K", "Q3_K_L"):
        return Type.Q3_K if method == "Q2_K" else Type.Q5_K
    special = {"Q2_K_S": Type.Q4_K, "Q4_K_S": Type.Q5_K}
    if model.has_importance:
        special |= {"Q4_0": Type.Q4_1, "Q5_0": Type.Q5_1}
    return special.get(method, base) if first_eighth else base


def _more_bits(layer: int, layers: int) -> bool:
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _is_value(name: str) -> bool:
    return name.endswith(("attn_v.weight", "attn_qkv.weight"))


def _layer(name: str) -> int:
    return int(name.split(".")[1]) if name.startswith("blk.") else -1
