"""Recipes of Axolotl and LLaMA-Factory: every key is carried over or named with a reason; what is written for Axolotl is its own."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import yaml

from tunesmith.wire.foreign import Imported, read_axolotl, read_llamafactory, write_axolotl
from tunesmith.wire.foreign.names import AXOLOTL
from tunesmith.wire.recipe_text import RecipeError

AXOLOTL_QLORA = """
base_model: NousResearch/Llama-3.2-1B
load_in_4bit: true
strict: false
datasets:
  - path: rows.jsonl
    type: chat_template
    field_messages: conversations
    roles_to_train: [assistant]
  - path: more.jsonl
    type: alpaca
val_set_size: 0.1
output_dir: ./outputs
adapter: qlora
bnb_config_kwargs: {bnb_4bit_quant_type: fp4, bnb_4bit_quant_storage: bfloat16}
lora_rank: 3
lora_r: 32
lora_alpha: 16
lora_target_modules: [gate_proj, down_proj]
wandb_project:
sequence_len: 2048
sample_packing: true
micro_batch_size: 2
num_epochs: 1
optimizer: adamw_8bit
lr_scheduler: rex
learning_rate: 2e-4
bf16: auto
warmup_steps: 10
max_steps: 100
eval_steps: 0.1
early_stopping_patience: 2
metric_for_best_model: eval_loss
greater_is_better: false
release_date: 2024-01-02
"""
LLAMAFACTORY_ORPO = """
model_name_or_path: Qwen/Qwen3-0.6B
stage: dpo
pref_loss: orpo
pref_beta: 0.2
finetuning_type: lora
lora_rank: 8
lora_target: q_proj, v_proj
dataset: pairs, others
template: qwen3
cutof_len: 512
learning_rate: 5.0e-6
lr_scheduler_type: constant_with_warmup
num_train_epochs: 3.0
bf16: true
report_to: none
eval_strategy: steps
"""


def told(read: Imported) -> set[str]:
    keys = [c.key for c in read.carried] + [left.key for left in read.left_out]
    return {key.split("[")[0].split(".")[0] for key in keys}


def reasons(read: Imported) -> dict[str, str]:
    return {left.key: left.reason for left in read.left_out}


def test_axolotl_qlora() -> None:
    document = yaml.safe_load(AXOLOTL_QLORA)
    read = read_axolotl(document, "mine")
    assert told(read) >= set(document)
    assert read.recipe == {
        "name": "mine",
        "model": {"base": "NousResearch/Llama-3.2-1B"},
        "method": {
            "adapter": "qlora",
            "lora": {"r": 32, "alpha": 16, "target_modules": ["gate_proj", "down_proj"]},
            "quantization": {"type": "fp4"},
        },
        "data": {"train": "rows.jsonl", "format": "sharegpt", "split": {"train": 0.9, "validation": 0.1}},
        "training": {
            "max_length": 2048,
            "packing": True,
            "batch_size": 2,
            "max_steps": 100,
            "learning_rate": 2e-4,
            "warmup_ratio": 0.1,
            "early_stopping": {"patience": 2},
            "metric_for_best": "eval_loss",
            "metric_mode": "min",
            "precision": "auto",
        },
    }
    why = reasons(read)
    assert why["lora_rank"] == "Axolotl has no such key; did you mean lora_r?"
    assert "one training dataset" in why["datasets[1]"]
    assert why["lr_scheduler"].startswith("there is no schedule 'rex' here")
    assert "no share" in why["eval_steps"]
    assert why["num_epochs"] == "max_steps ends the run"
    assert why["wandb_project"] == "it is empty"
    assert why["release_date"].startswith("Axolotl has no such key")
    assert {"bnb_config_kwargs.bnb_4bit_quant_storage", "optimizer", "strict", "output_dir"} <= set(why)


def test_llamafactory_orpo_with_its_own_defaults() -> None:
    document = yaml.safe_load(LLAMAFACTORY_ORPO)
    read = read_llamafactory(document, "mine")
    assert told(read) >= set(document)
    assert read.recipe["method"] == {
        "adapter": "lora",
        "objective": "orpo",
        "orpo": {"beta": 0.2},
        "lora": {"r": 8, "target_modules": ["q_proj", "v_proj"], "alpha": 16},
    }
    assert read.recipe["data"] == {"train": "pairs"}
    assert read.recipe["training"]["packing"] is False
    assert read.recipe["training"]["max_length"] == 2048
    assert (read.recipe["training"]["scheduler"], read.recipe["training"]["precision"]) == ("constant", "bf16")
    assert [c.path for c in read.carried if c.key == "lora_alpha (its default)"] == ["method.lora.alpha"]
    why = reasons(read)
    assert why["cutof_len"] == "LLaMA-Factory has no such key; did you mean cutoff_len?"
    assert "merge them" in why["dataset"]


@pytest.mark.parametrize("value", [True, "many", float("nan"), -1, [], {}, 10**400, "1e999", b"\xff"])
def test_odd_values_are_left_out_and_not_believed(value: Any) -> None:
    read = read_axolotl({"base_model": "b", "lora_r": value, "adapter": "lora", "datasets": value}, "x")
    assert "r" not in read.recipe["method"].get("lora", {})
    assert "lora_r" in reasons(read)
    read_llamafactory({"model_name_or_path": value, "lora_target": value, "lora_rank": value, "dataset": value}, "x")


def plan(objective: str = "sft", adapter: str = "lora", **sections: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "model": {"base": "/models/tiny"},
        "data": {"train": "rows.jsonl", "validation": "held.jsonl"},
        "method": {"objective": objective, "adapter": adapter},
        "training": {"max_steps": 4, "learning_rate": 1e-3},
        **sections,
    }


@pytest.mark.parametrize(
    ("objective", "adapter"), [*product(["sft", "cpt", "dpo", "orpo", "kto", "reward"], ["lora", "qlora", "full"])]
)
def test_what_is_written_for_axolotl_has_its_names(objective: str, adapter: str) -> None:
    config = write_axolotl(plan(objective, adapter))
    assert set(config) <= AXOLOTL
    assert config.get("adapter") == (None if adapter == "full" else adapter)
    assert config.get("load_in_4bit") is (True if adapter == "qlora" else None)
    assert ("lora_r" in config) == (adapter != "full")
    assert config.get("rl") == (objective if objective in ("dpo", "orpo", "kto") else None)
    back = read_axolotl(config, "x").recipe
    assert (back["method"]["adapter"], back["method"].get("objective", "sft")) in {
        (adapter, objective),
        (adapter, "sft"),
    }
    assert back["training"]["max_steps"] == 4


def test_custom_keys_stand_above_ours_and_are_checked() -> None:
    config = write_axolotl(plan(), custom={"learning_rate": 5e-5, "lora_qkv_kernel": True})
    assert (config["learning_rate"], config["lora_qkv_kernel"]) == (5e-5, True)
    with pytest.raises(RecipeError, match="did you mean lora_dropout"):
        write_axolotl(plan(), custom={"lora_dropot": 0.1})


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"method": {"adapter": "prefix"}}, r"method\.adapter"),
        ({"method": {"objective": "ppo"}}, r"method\.objective"),
        ({"method": {"objective": "grpo"}}, "reward functions"),
        ({"model": {}}, r"model\.base: is missing"),
        ({"data": {}}, r"data\.train: is missing"),
        ({"method": {"lora": {"alpha": 1.5}}}, "whole number"),
    ],
)
def test_what_axolotl_cannot_do_is_refused(change: dict[str, Any], where: str) -> None:
    with pytest.raises(RecipeError, match=where):
        write_axolotl(plan() | change)
