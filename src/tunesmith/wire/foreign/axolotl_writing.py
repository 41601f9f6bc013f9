"""From a recipe to Axolotl's configuration, with the names of its own schema."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from typing import Any

from tunesmith.wire.foreign.names import AXOLOTL
from tunesmith.wire.foreign.schedule import BEST_BY
from tunesmith.wire.recipe_text import RecipeError

OBJECTIVES = ("sft", "cpt", "dpo", "orpo", "kto", "reward", "grpo")
ADAPTERS = ("lora", "qlora", "full")
DPO_LOSSES = ("sigmoid", "ipo", "hinge", "robust", "sigmoid_norm", "apo_zero", "apo_down", "exo_pair", "nca_pair")
FORMATS: dict[str, dict[str, Any]] = {
    "alpaca": {"type": "alpaca"},
    "text": {"type": "completion", "field": "text"},
    "sharegpt": {
        "type": "chat_template",
        "field_messages": "conversations",
        "message_property_mappings": {"role": "from", "content": "value"},
    },
    "preference": {"type": "chat_template.default"},
    "kto": {"type": "chat_template.argilla"},
}
MESSAGES: dict[str, Any] = {"type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]}


def write_axolotl(
    recipe: Mapping[str, Any],
    *,
    output_dir: str = "./outputs",
    base_model: str | None = None,
    train_file: str | None = None,
    validation_file: str | None = None,
    custom: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The configuration for a recipe in plain values. The files replace what the recipe names; rows are then messages.

    ``custom`` are keys of Axolotl that stand above ours. Raises RecipeError for an unknown method, a missing value and a custom
    key that Axolotl does not have.
    """
    base = base_model or _needed(recipe, "model.base")
    train = train_file or _needed(recipe, "data.train")
    config: dict[str, Any] = {"base_model": base}
    if _at(recipe, "model.revision") and base_model is None:
        config["revision_of_model"] = _at(recipe, "model.revision")
    config |= _adapter(recipe) | _objective(recipe)
    config |= _data(recipe, train, validation_file, is_messages=train_file is not None)
    config |= _optimisation(recipe) | _cadence(
        recipe, has_validation="test_datasets" in config or "val_set_size" in config
    )
    config |= {
        "seed": recipe.get("seed", 42),
        "output_dir": output_dir,
        "dataset_prepared_path": f"{output_dir}/prepared",
    }
    if _at(recipe, "resources.device") == "cpu":
        # It turns kernels of its own on by itself, and they need a GPU.
        config |= {"device_map": "cpu", "lora_mlp_kernel": False, "lora_qkv_kernel": False, "lora_o_kernel": False}
    return config | _checked(custom or {})


def _at(recipe: Mapping[str, Any], path: str, default: Any = None) -> Any:
    value: Any = recipe
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return default if value is None else value


def _needed(recipe: Mapping[str, Any], path: str) -> str:
    value = _at(recipe, path)
    if not value:
        raise _fault(path, "is missing; Axolotl cannot start without it")
    return str(value)


def _fault(location: str, message: str, value: Any = None) -> RecipeError:
    return RecipeError(f"{location}: {message}.", errors=[{"location": location, "message": message, "value": value}])


def _checked(custom: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in custom.items():
        if key not in AXOLOTL:
            near = difflib.get_close_matches(str(key), sorted(AXOLOTL), n=1, cutoff=0.6)
            meant = f"did you mean {near[0]}?" if near else "docs.axolotl.ai lists its keys"
            raise _fault(f"custom.{key}", f"Axolotl has no such key; {meant}", value)
    return dict(custom)


def _adapter(recipe: Mapping[str, Any]) -> dict[str, Any]:
    adapter = _at(recipe, "method.adapter", "lora")
    if adapter not in ADAPTERS:
        raise _fault("method.adapter", f"must be one of {', '.join(ADAPTERS)} for Axolotl", adapter)
    if adapter == "full":
        return {}
    alpha = float(_at(recipe, "method.lora.alpha", 32))
    if alpha != int(alpha):
        raise _fault("method.lora.alpha", "must be a whole number for Axolotl", alpha)
    config: dict[str, Any] = {
        "adapter": adapter,
        "lora_r": _at(recipe, "method.lora.r", 16),
        "lora_alpha": int(alpha),
        "lora_dropout": _at(recipe, "method.lora.dropout", 0.0),
    }
    targets = _at(recipe, "method.lora.target_modules", "all-linear")
    config |= {"lora_target_linear": True} if isinstance(targets, str) else {"lora_target_modules": list(targets)}
    if _at(recipe, "method.lora.use_rslora"):
        config["peft_use_rslora"] = True
    if _at(recipe, "method.lora.use_dora"):
        config["peft_use_dora"] = True
    if adapter == "qlora":
        config["load_in_4bit"] = True
        config["bnb_config_kwargs"] = {
            "bnb_4bit_quant_type": _at(recipe, "method.quantization.type", "nf4"),
            "bnb_4bit_use_double_quant": _at(recipe, "method.quantization.double", True),
        }
    return config


def _objective(recipe: Mapping[str, Any]) -> dict[str, Any]:
    objective = _at(recipe, "method.objective", "sft")
    if objective not in OBJECTIVES:
        raise _fault("method.objective", f"must be one of {', '.join(OBJECTIVES)} for Axolotl", objective)
    if objective == "dpo":
        loss = _at(recipe, "method.dpo.loss", "sigmoid")
        if loss not in DPO_LOSSES:
            raise _fault("method.dpo.loss", f"must be one of {', '.join(DPO_LOSSES)} for Axolotl", loss)
        config: dict[str, Any] = {"rl": "dpo", "rl_beta": _at(recipe, "method.dpo.beta", 0.1), "dpo_loss_type": [loss]}
        if _at(recipe, "method.dpo.label_smoothing"):
            config["dpo_label_smoothing"] = _at(recipe, "method.dpo.label_smoothing")
        if _at(recipe, "method.dpo.sft_weight"):
            config["rpo_alpha"] = _at(recipe, "method.dpo.sft_weight")
        return config
    if objective == "orpo":
        return {"rl": "orpo", "orpo_alpha": _at(recipe, "method.orpo.beta", 0.1), "remove_unused_columns": False}
    if objective == "kto":
        return {
            "rl": "kto",
            "rl_beta": _at(recipe, "method.kto.beta", 0.1),
            "kto_desirable_weight": _at(recipe, "method.kto.desirable_weight", 1.0),
            "kto_undesirable_weight": _at(recipe, "method.kto.undesirable_weight", 1.0),
            "remove_unused_columns": False,
        }
    if objective == "reward":
        config = {"reward_model": True, "num_labels": 1, "remove_unused_columns": False}
        if _at(recipe, "method.reward.center"):
            config["center_rewards_coefficient"] = _at(recipe, "method.reward.center")
        return config
    if objective == "grpo":
        raise _fault(
            "method.objective", "grpo needs reward functions in Python for Axolotl; the trl engine has them", "grpo"
        )
    return {}


def _data(recipe: Mapping[str, Any], train: str, validation_file: str | None, *, is_messages: bool) -> dict[str, Any]:
    objective, fmt = _at(recipe, "method.objective", "sft"), _at(recipe, "data.format", "auto")
    if objective == "reward":
        rows: dict[str, Any] = {"type": "bradley_terry.chat_template"}
    elif objective in ("dpo", "orpo"):
        rows = {"type": "chat_template.default" if objective == "dpo" else "chat_template.argilla"}
    elif objective == "kto":
        rows = FORMATS["kto"]
    elif objective == "cpt":
        rows = FORMATS["text"]
    else:
        rows = MESSAGES if is_messages else FORMATS.get(fmt, MESSAGES)
    validation = validation_file or _at(recipe, "data.validation")
    config: dict[str, Any] = {"datasets": [{"path": train, "ds_type": _loader(train), **copy.deepcopy(rows)}]}
    if validation:
        config["test_datasets"] = [
            {"path": validation, "ds_type": _loader(validation), "split": "train", **copy.deepcopy(rows)}
        ]
    elif _at(recipe, "data.split.validation") and not is_messages:
        config["val_set_size"] = _at(recipe, "data.split.validation")
    return config


def _loader(path: str) -> str:
    name = path.removesuffix(".gz").removesuffix(".zst")
    return "parquet" if name.endswith(".parquet") else "csv" if name.endswith((".csv", ".tsv")) else "json"


def _optimisation(recipe: Mapping[str, Any]) -> dict[str, Any]:
    precision = _at(recipe, "training.precision", "auto")
    # Axolotl keeps packed rows apart only by flash attention, which a processor does not have.
    may_pack = _at(recipe, "method.objective", "sft") in ("sft", "cpt") and _at(recipe, "resources.device") != "cpu"
    is_packed = may_pack and bool(_at(recipe, "training.packing", True))
    config = {
        "sequence_len": _at(recipe, "training.max_length", 1024),
        "sample_packing": is_packed,
        "pad_to_sequence_len": is_packed,
        "micro_batch_size": _at(recipe, "training.batch_size", 8),
        "gradient_accumulation_steps": _at(recipe, "training.gradient_accumulation_steps", 1),
        "learning_rate": _at(recipe, "training.learning_rate", 2e-4),
        "lr_scheduler": _at(recipe, "training.scheduler", "cosine"),
        "warmup_ratio": _at(recipe, "training.warmup_ratio", 0.03),
        "weight_decay": _at(recipe, "training.weight_decay", 0.0),
        "max_grad_norm": _at(recipe, "training.max_grad_norm", 1.0),
        "optimizer": "adamw_torch",
        "bf16": {"auto": "auto", "bf16": True, "fp32": False}[precision],
        "tf32": False,
        "gradient_checkpointing": bool(_at(recipe, "training.gradient_checkpointing", False)),
    }
    if is_packed:
        config |= {"attn_implementation": "flash_attention_2", "eval_sample_packing": False}
    steps = _at(recipe, "training.max_steps")
    return config | ({"max_steps": steps} if steps else {"num_epochs": _at(recipe, "training.epochs", 3.0)})


def _cadence(recipe: Mapping[str, Any], *, has_validation: bool) -> dict[str, Any]:
    save_steps = _at(recipe, "training.save_steps", 500)
    config: dict[str, Any] = {
        "logging_steps": _at(recipe, "training.logging_steps", 1),
        "save_steps": save_steps,
        "save_total_limit": _at(recipe, "training.keep_last_n", 3),
    }
    patience = _at(recipe, "training.early_stopping.patience")
    if has_validation:
        at_the_end = _at(recipe, "training.max_steps")
        eval_steps = _at(recipe, "training.eval_steps") or (save_steps if patience else at_the_end)
        config |= {"eval_steps": eval_steps} if eval_steps else {"eval_strategy": "epoch"}
        if patience:
            best, mode = (
                _at(recipe, "training.metric_for_best", "eval_loss"),
                _at(recipe, "training.metric_mode", "auto"),
            )
            config |= {
                "early_stopping_patience": patience,
                "metric_for_best_model": next(theirs for theirs, ours in BEST_BY.items() if ours == best),
                "greater_is_better": mode == "max" or (mode == "auto" and not best.endswith("loss")),
                "load_best_model_at_end": True,
            }
    return config
