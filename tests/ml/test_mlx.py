"""The engine mlx without MLX: what it says where it is not there, and its adapter in PEFT's layout."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.ml import training_runs as runs
from tunesmith.adapters.training import MlxEngine
from tunesmith.ml.mlx_adapter import to_peft, write_peft_adapter
from tunesmith.wire.recipe import Recipe

LINEAR = {"self_attn.q_proj": (64, 64), "mlp.down_proj": (128, 64)}


def arrays(rank: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    made = {}
    for layer in (0, 1):
        for name, (rows, columns) in LINEAR.items():
            place = f"model.layers.{layer}.{name}"
            made[f"{place}.lora_a"] = random.normal(size=(rows, rank)).astype(np.float32)
            made[f"{place}.lora_b"] = random.normal(size=(rank, columns)).astype(np.float32)
    return made


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_peft_computes_what_mlx_computed(model: Path, tmp_path: Path) -> None:
    """The adapted layer in PEFT gives x @ W.T + scale * x @ a @ b, MLX's own formula."""
    import torch
    from peft import PeftModel

    from tunesmith.ml.load import load_weights

    recipe = Recipe.model_validate(runs.recipe(model))
    made = arrays(recipe.method.lora.r)
    sha = write_peft_adapter(tmp_path, made, recipe, model)
    assert len(sha) == 64
    adapted = PeftModel.from_pretrained(load_weights(model, torch.float32), str(tmp_path)).eval()
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(1))
    layer = adapted.base_model.model.model.layers[1].self_attn.q_proj
    place = "model.layers.1.self_attn.q_proj"
    a, b = (torch.from_numpy(made[f"{place}.{part}"]) for part in ("lora_a", "lora_b"))
    scale = recipe.method.lora.alpha / recipe.method.lora.r
    with torch.no_grad():
        expected = layer.base_layer(x) + scale * (x @ a @ b)
        torch.testing.assert_close(layer(x), expected)


def test_what_is_no_lora_is_not_written() -> None:
    with pytest.raises(ValueError, match="no part of a layer of LoRA"):
        to_peft({"model.norm.weight": np.zeros(3, dtype=np.float32)})


def test_it_says_where_it_belongs(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])  # wherever these tests run, it finds no MLX
    plan = runs.recipe(model)
    plan["method"]["lora"]["use_dora"] = True
    plan["resources"]["device"] = "cuda"
    problems = {problem.location: problem for problem in MlxEngine().check(Recipe.model_validate(plan))}
    assert set(problems) == {"method", "method.lora.use_dora", "resources.device"}
    assert "mlx" in problems["method"].message
    assert all(problem.hint for problem in problems.values())
