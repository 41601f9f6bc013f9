"""From LLaMA-Factory's YAML to a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.wire.foreign.axolotl_reading import split_of, whole_or_zero
from tunesmith.wire.foreign.carrying import Carrier, Imported, Refusal, is_true, number, one_of, whole
from tunesmith.wire.foreign.names import LLAMAFACTORY
from tunesmith.wire.foreign.schedule import take_schedule

STAGES = {"sft": "sft", "pt": "cpt", "rm": "reward", "dpo": "dpo", "kto": "kto"}
LOSSES = {"sigmoid": "sigmoid", "hinge": "hinge", "ipo": "ipo"}
CADENCE = "the cadence is counted in updates: set training.eval_steps and training.save_steps"
TRACKERS = "trackers are settings of the server (TUNESMITH_TRACKING__…), not of a recipe"
MACHINE = "the number of processes is the program's affair"
OWN_FOLDER = "each run has a folder of its own"
OPTIMIZER = "the optimizer is AdamW"
REASONS = {
    "output_dir": OWN_FOLDER,
    "overwrite_": OWN_FOLDER,
    "logging_dir": OWN_FOLDER,
    "save_dir": OWN_FOLDER,
    "tokenized_path": "tokenised data is kept by its content",
    "cache_dir": "models come from the local store",
    "dataset_dir": "data.train is a path or dataset:NAME@VERSION",
    "template": "the chat template is the base model's",
    "tool_format": "the chat template is the base model's",
    "default_system": "the chat template is the base model's",
    "report_to": TRACKERS,
    "run_name": TRACKERS,
    "use_swanlab": "there is no SwanLab here; MLflow and Weights & Biases are settings of the server",
    "swanlab_": "there is no SwanLab here; MLflow and Weights & Biases are settings of the server",
    "plot_loss": "every run has its curves",
    "preprocessing_": MACHINE,
    "dataloader_": MACHINE,
    "deepspeed": "sharding is chosen by resources.distributed, not by a file",
    "fsdp": "sharding is chosen by resources.distributed, not by a file",
    "ddp_": "it is the launcher's affair",
    "flash_attn": "the engine takes the fastest attention that is there",
    "optim": OPTIMIZER,
    "adam_": "AdamW's own constants are the usual ones (0.9, 0.999, 1e-8)",
    "use_galore": OPTIMIZER,
    "use_badam": OPTIMIZER,
    "use_apollo": OPTIMIZER,
    "use_adam_mini": OPTIMIZER,
    "use_muon": OPTIMIZER,
    "trust_remote_code": "code that comes with a model is never run",
    "hf_hub_token": "a token is never kept in a recipe",
    "ms_hub_token": "a token is never kept in a recipe",
    "hub_": "pushing to the Hub is asked for after the run",
    "push_to_hub": "pushing to the Hub is asked for after the run",
    "do_train": "a recipe always trains",
    "do_eval": "the evaluation is the section `evaluate`",
    "do_predict": "the evaluation is the section `evaluate`",
    "predict_with_generate": "the evaluation is the section `evaluate`",
    "eval_strategy": CADENCE,
    "evaluation_strategy": CADENCE,
    "save_strategy": CADENCE,
    "per_device_eval_batch_size": "the evaluation takes the same batches as the training",
    "export_": "exports are the section `export`",
    "ddp_timeout": "it is the launcher's affair",
    "max_samples": "take a part of the data as a dataset version of its own",
    "use_unsloth": "the engine chooses its own kernels",
    "enable_liger_kernel": "the engine chooses its own kernels",
    "resume_from_checkpoint": "a run goes on with `tunesmith train --resume RUN`",
}


def read_llamafactory(document: Mapping[str, Any], name: str) -> Imported:
    """The recipe in ``document``; ``name`` is what it is called when the file does not say."""
    carrier = Carrier(document, LLAMAFACTORY, "LLaMA-Factory")
    carrier.recipe["name"] = str(carrier.peek("run_name") or name)[:200]
    carrier.take("seed", "seed", whole_or_zero)
    carrier.take("model_name_or_path", "model.base", str)
    carrier.take("model_revision", "model.revision", _revision)
    _method(carrier)
    _data(carrier)
    _training(carrier)
    _defaults(carrier)
    return carrier.done(REASONS)


def _defaults(carrier: Carrier) -> None:
    method = carrier.recipe.get("method", {})
    carrier.assume("finetuning_type", "method.adapter", "lora")
    if carrier.recipe["method"]["adapter"] != "full":
        carrier.assume("lora_rank", "method.lora.r", 8)
        rank = carrier.recipe["method"]["lora"]["r"]
        carrier.assume("lora_alpha", "method.lora.alpha", 2 * rank if isinstance(rank, int) else 16)
    carrier.assume("cutoff_len", "training.max_length", 2048)
    carrier.assume("packing", "training.packing", method.get("objective") == "cpt")
    carrier.assume("per_device_train_batch_size", "training.batch_size", 8)
    carrier.assume("learning_rate", "training.learning_rate", 5e-5)
    carrier.assume("lr_scheduler_type", "training.scheduler", "linear")
    carrier.assume("warmup_ratio", "training.warmup_ratio", 0.0)
    carrier.assume("disable_gradient_checkpointing", "training.gradient_checkpointing", True)
    if "max_steps" not in carrier.recipe["training"]:
        carrier.assume("num_train_epochs", "training.epochs", 3.0)


def _revision(value: Any) -> str:
    if value == "main":
        raise Refusal("`main` is what is taken anyway")
    return str(value)


def _method(carrier: Carrier) -> None:
    is_quantized = carrier.peek("quantization_bit") == 4
    kinds = {"lora": "qlora" if is_quantized else "lora", "full": "full"}
    carrier.take("finetuning_type", "method.adapter", one_of(kinds, "adapter"))
    if is_quantized:
        carrier.put("quantization_bit", "method.adapter", "qlora")
        carrier.take("quantization_type", "method.quantization.type")
        carrier.take("double_quantization", "method.quantization.double", is_true)
    carrier.leave("quantization_bit", "only 4 bits are taken here")
    if is_quantized:
        carrier.take("quantization_method", "method.adapter", _bitsandbytes)
    carrier.leave("quantization_method", "nothing is quantised")
    if carrier.peek("finetuning_type") != "full":
        carrier.take("lora_rank", "method.lora.r", whole)
        carrier.take("lora_alpha", "method.lora.alpha", number)
        carrier.take("lora_dropout", "method.lora.dropout", number)
        carrier.take("lora_target", "method.lora.target_modules", _targets)
        carrier.take("use_rslora", "method.lora.use_rslora", is_true)
        carrier.take("use_dora", "method.lora.use_dora", is_true)
    loss = str(carrier.peek("pref_loss") or "sigmoid").lower()
    stage = str(carrier.peek("stage") or "sft").lower()
    if stage == "dpo" and loss == "orpo":
        carrier.put("stage", "method.objective", "orpo")
        carrier.put("pref_loss", "method.objective", "orpo")
    else:
        carrier.take("stage", "method.objective", one_of(STAGES, "stage"))
    objective = carrier.recipe.get("method", {}).get("objective")
    if objective in ("dpo", "orpo", "kto"):
        carrier.take("pref_beta", f"method.{objective}.beta", number)
    if objective == "dpo":
        carrier.take("pref_loss", "method.dpo.loss", one_of(LOSSES, "loss"))
        carrier.take("pref_ftx", "method.dpo.sft_weight", number)
        carrier.take("dpo_label_smoothing", "method.dpo.label_smoothing", number)
    if objective == "kto":
        carrier.take("kto_chosen_weight", "method.kto.desirable_weight", number)
        carrier.take("kto_rejected_weight", "method.kto.undesirable_weight", number)


def _bitsandbytes(value: Any) -> str:
    if str(value).lower() in ("bnb", "bitsandbytes"):
        return "qlora"
    raise Refusal("only bitsandbytes quantises here")


def _targets(value: Any) -> str | list[str]:
    if value == "all":
        return "all-linear"
    if not isinstance(value, str | list):
        raise Refusal("names of modules are a list, or text with commas")
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else [str(name) for name in value]
    return [name for name in names if name]


def _data(carrier: Carrier) -> None:
    for key, part in (("dataset", "train"), ("eval_dataset", "validation")):
        value = carrier.peek(key)
        names = value if isinstance(value, list) else [n.strip() for n in str(value or "").split(",") if n.strip()]
        if names:
            carrier.put(key, f"data.{part}", str(names[0]))
        for other in names[1:]:
            carrier.left_out(key, other, f"a recipe has one {part} dataset: merge them into one first")
    if carrier.peek("eval_dataset"):
        carrier.leave("val_size", "eval_dataset names the validation data")
    carrier.take("val_size", "data.split", split_of)


def _training(carrier: Carrier) -> None:
    carrier.take("cutoff_len", "training.max_length", whole)
    for key in ("neat_packing", "packing"):
        if is_true(carrier.peek(key)):
            carrier.put(key, "training.packing", True)
        else:
            carrier.take(key, "training.packing", is_true)
    carrier.take("per_device_train_batch_size", "training.batch_size", whole)
    carrier.take("gradient_accumulation_steps", "training.gradient_accumulation_steps", whole)
    if carrier.peek("max_steps") in (-1, "-1"):
        carrier.leave("max_steps", "the run ends by its epochs")
    carrier.take("max_steps", "training.max_steps", whole)
    if "max_steps" in carrier.recipe.get("training", {}):
        carrier.leave("num_train_epochs", "max_steps ends the run")
    carrier.take("num_train_epochs", "training.epochs", number)
    take_schedule(carrier, "lr_scheduler_type")
    carrier.take("early_stopping_steps", "training.early_stopping", lambda n: {"patience": whole(n)})
    if carrier.peek("disable_gradient_checkpointing") is not None:
        off = is_true(carrier.peek("disable_gradient_checkpointing"))
        carrier.put("disable_gradient_checkpointing", "training.gradient_checkpointing", not off)
    carrier.take("gradient_checkpointing", "training.gradient_checkpointing", is_true)
    if is_true(carrier.peek("bf16")) or is_true(carrier.peek("pure_bf16")):
        carrier.put("bf16" if is_true(carrier.peek("bf16")) else "pure_bf16", "training.precision", "bf16")
    for key in ("fp16", "bf16", "pure_bf16"):
        carrier.leave(
            key, "it is off" if not is_true(carrier.peek(key)) else "there is no fp16 training here; take bf16"
        )
    if is_true(carrier.peek("train_on_prompt")):
        carrier.leave("train_on_prompt", "only answers carry loss here")
    carrier.leave("train_on_prompt", "it is always off: only answers carry loss")
    if is_true(carrier.peek("use_cpu")):
        carrier.put("use_cpu", "resources.device", "cpu")
