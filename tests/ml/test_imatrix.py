"""The importance matrix: measured on rows, kept in llama.cpp's format, used when blocks are packed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.ml import tiny_models
from tunesmith.ml.gguf import convert
from tunesmith.ml.imatrix import ImportanceInvalid, measure, read

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")


def test_what_layers_see_is_measured_and_used(tmp_path: Path) -> None:
    """The sums are those of the inputs, an adapter counts too, and the file gets other bytes."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = tiny_models.save_model(tmp_path / "model", "qwen3", dtype="float32")
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in tiny_models.TEXTS))
    told: list[int] = []
    found = measure(model, None, rows, tmp_path / "imatrix.gguf", on_row=lambda done, total: told.append(done))
    assert told == [1, 2, 3, 4]
    assert len(found) == 14
    loaded = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    tokenizer, seen = AutoTokenizer.from_pretrained(model), []
    layer = loaded.model.layers[1].mlp.down_proj
    layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().reshape(-1, inputs[0].shape[-1])))
    for text in tiny_models.TEXTS:
        loaded(torch.tensor([tokenizer.encode(text)]))
    expected = torch.cat(seen).square().mean(0).numpy()
    np.testing.assert_allclose(found["blk.1.ffn_down.weight"], expected, rtol=1e-4)
    np.testing.assert_array_equal(read(tmp_path / "imatrix.gguf")["blk.0.attn_q.weight"], found["blk.0.attn_q.weight"])
    plain, weighted = (
        convert(model, tmp_path / f"{name}.gguf", "Q4_K_M", importance=importance)
        for name, importance in (("plain", None), ("weighted", found))
    )
    assert plain.size_bytes == weighted.size_bytes
    assert plain.sha256 != weighted.sha256
    adapter = tiny_models.save_adapter(tmp_path / "adapter", model)
    adapted = measure(model, adapter, rows, tmp_path / "adapted.gguf")
    assert adapted.keys() == found.keys()
    assert not np.allclose(adapted["blk.1.ffn_down.weight"], found["blk.1.ffn_down.weight"])


def test_nothing_to_measure_with_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00")
    with pytest.raises(ImportanceInvalid, match=r"broken\.gguf"):
        read(file)
