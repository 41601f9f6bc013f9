"""All methods: the formats that llama.cpp's own quantiser chooses, and files that load and stay close to their source."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from tests.ml import tiny_models
from tests.ml.llama_server import llama_server
from tunesmith.ml.gguf import convert
from tunesmith.ml.gguf_file import check_structure
from tunesmith.ml.gguf_native import Packer
from tunesmith.ml.gguf_types import ModelShape, Type, tensor_types
from tunesmith.wire.gguf_methods import GGUF_METHODS, TEN, find_method, variants_of

RARE = (pytest.mark.long, pytest.mark.matrix)
CHOSEN = {
    "Q2_K": "Q2_K=80 Q3_K=32 Q4_K=16 Q6_K=1",
    "Q2_K_S": "Q2_K=110 Q4_K=18 Q6_K=1",
    "Q3_K_S": "Q3_K=128 Q6_K=1",
    "Q3_K_M": "Q3_K=80 Q4_K=45 Q5_K=3 Q6_K=1",
    "Q3_K_L": "Q3_K=80 Q5_K=48 Q6_K=1",
    "Q4_K_S": "Q4_K=122 Q5_K=6 Q6_K=1",
    "Q4_K_M": "Q4_K=112 Q6_K=17",
    "Q5_K_S": "Q5_K=128 Q6_K=1",
    "Q5_K_M": "Q5_K=112 Q6_K=17",
    "Q4_0": "Q4_0=128 Q6_K=1",
    "Q8_0": "Q8_0=129",
}
"""For sixteen layers of a tied model whose heads share keys eight to one; compared with `llama_model_quantize` in benchmarks/gguf.py."""


def shapes(layers: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Tensors of a Llama."""
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (1000, hidden), "output_norm.weight": (hidden,)}
    for layer in range(layers):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            found[f"blk.{layer}.{part}.weight"] = (hidden, hidden)
        found[f"blk.{layer}.extra.weight"] = (hidden, hidden)
        found[f"blk.{layer}.attn_q.bias"] = (hidden,)
        found[f"blk.{layer}.attn_norm.weight"] = (hidden,)
    return found


@pytest.mark.parametrize("method", list(CHOSEN))
def test_each_method_gives_the_formats_of_llama_cpp(method: str) -> None:
    types = tensor_types(shapes(16, 256), method, ModelShape(layers=16, query_groups=8, is_tied=True))
    counted = Counter(kind.name for kind in types.values() if kind != Type.F32)
    assert " ".join(f"{name}={count}" for name, count in sorted(counted.items())) == CHOSEN[method]


@pytest.mark.parametrize(
    ("hidden", "method", "expected"),
    [(96, "Q2_K", Type.Q4_0), (96, "Q4_K_S", Type.Q5_0), (96, "Q6_K", Type.Q8_0), (40, "Q4_K_M", Type.F16)],
)
def test_rows_that_do_not_fill_blocks_get_smaller_ones(hidden: int, method: str, expected: Type) -> None:
    types = tensor_types(shapes(16, hidden), method, ModelShape(layers=16, query_groups=1, is_tied=False))
    assert types["blk.8.attn_q.weight"] == expected


def test_an_importance_matrix_changes_the_old_formats_first_layers() -> None:
    shape = ModelShape(layers=16, query_groups=1, is_tied=False, has_importance=True)
    types = tensor_types(shapes(16, 256), "Q4_0", shape)
    assert (types["blk.0.ffn_down.weight"], types["blk.2.ffn_down.weight"]) == (Type.Q4_1, Type.Q4_0)


def test_names_and_spellings() -> None:
    assert [find_method(name).name for name in ("q4_k", "Q3_K", " Q5_K ", "f16")] == [
        "Q4_K_M",
        "Q3_K_M",
        "Q5_K_M",
        "F16",
    ]  # type: ignore[union-attr]
    assert find_method("IQ4_XS") is None
    assert sorted(name for ten in TEN for name in variants_of(ten)) == sorted(GGUF_METHODS)


def test_columns_that_count_keep_their_values() -> None:
    """With an importance matrix the weighted error is smaller than without."""
    from gguf.quants import dequantize

    random = np.random.default_rng(5)
    values = random.standard_normal((8, 512), dtype=np.float32)
    importance = np.where(np.arange(512) % 16 == 0, 100.0, 0.01).astype(np.float32)
    with Packer() as packer:
        errors = [
            float((importance * (dequantize(packer.pack(values, Type.Q3_K, weights), Type.Q3_K) - values) ** 2).mean())
            for weights in (importance, None)
        ]
    assert errors[0] < 0.7 * errors[1]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with rows of 256."""
    return tiny_models.save_model(tmp_path_factory.mktemp("models") / "model", "qwen3", num_hidden_layers=4)


@pytest.mark.parametrize(
    "method",
    [name if name in ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_0", "F32") else pytest.param(name, marks=RARE) for name in GGUF_METHODS],
)  # fmt: skip
def test_a_file_of_each_method_loads_and_is_close_to_its_source(model: Path, tmp_path: Path, method: str) -> None:
    from tokenizers import Tokenizer

    written = convert(model, tmp_path / "model.gguf", method)
    values = check_structure(written.path).values
    assert values["general.file_type"] == GGUF_METHODS[method].file_type
    base = Type[GGUF_METHODS[method].base]
    assert any(tensor.tensor_type == base for tensor in GGUFReader(written.path).tensors)
    exact = convert(model, tmp_path / "exact.gguf", "F32")
    ids = Tokenizer.from_file(str(model / "tokenizer.json")).encode(tiny_models.TEXTS[0]).ids[:40]
    rows = []
    for path in (exact.path, written.path):
        with llama_server(path) as server:
            rows.append(server.log_probabilities(ids, 424))
    divergence = float(np.sum(np.exp(rows[0]) * (rows[0] - rows[1])))
    limits = {"F": 1e-3, "Q8": 0.01, "Q6": 0.03, "Q5": 0.1, "Q4": 0.3, "Q3": 1.0, "Q2": 3.0}
    assert divergence < limits[method[0] if method.startswith("F") else method[:2]]
