"""From Axolotl's YAML to a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.wire.foreign.carrying import Carrier, Imported, Refusal, is_true, number, one_of, whole
from tunesmith.wire.foreign.names import AXOLOTL
from tunesmith.wire.foreign.schedule import take_schedule

OBJECTIVES = {"dpo": "dpo", "ipo": "dpo", "orpo": "orpo", "kto": "kto", "grpo": "grpo"}
LOCAL_LOADERS = ("json", "csv", "parquet")
REASONS = {
    "wandb_": "trackers are settings of the server (TUNESMITH_TRACKING__…), not of a recipe",
    "mlflow_": "trackers are settings of the server (TUNESMITH_TRACKING__…), not of a recipe",
    "use_wandb": "trackers are settings of the server (TUNESMITH_TRACKING__…), not of a recipe",
    "use_mlflow": "trackers are settings of the server (TUNESMITH_TRACKING__…), not of a recipe",
    "comet_": "there is no Comet here; MLflow and Weights & Biases are settings of the server",
    "trackio_": "there is no Trackio here; MLflow and Weights & Biases are settings of the server",
    "output_dir": "each run has a folder of its own",
    "dataset_prepared_path": "tokenised data is kept by its content",
    "dataset_processes": "the number of processes is the program's affair",
    "dataset_num_proc": "the number of processes is the program's affair",
    "dataloader_": "the number of processes is the program's affair",
    "hub_": "pushing to the Hub is asked for after the run",
    "push_": "pushing to the Hub is asked for after the run",
    "deepspeed": "sharding is chosen by resources.distributed, not by a file",
    "fsdp": "sharding is chosen by resources.distributed, not by a file",
    "flash_attention": "the engine takes the fastest attention that is there",
    "sdp_attention": "the engine takes the fastest attention that is there",
    "xformers_attention": "the engine takes the fastest attention that is there",
    "flex_attention": "the engine takes the fastest attention that is there",
    "attn_implementation": "the engine takes the fastest attention that is there",
    "optimizer": "the optimizer is AdamW",
    "optim_": "the optimizer is AdamW",
    "adam_": "AdamW's own constants are the usual ones (0.9, 0.999, 1e-8)",
    "tokenizer_": "the tokenizer is the base model's",
    "special_tokens": "the tokenizer is the base model's",
    "tokens": "the tokenizer is the base model's",
    "chat_template": "the chat template is the base model's",
    "trust_remote_code": "code that comes with a model is never run",
    "type_of_model": "the kind of model is read from its own files",
    "is_": "the kind of model is read from its own files",
    "strict": "unknown keys are always refused",
    "plugins": "plugins are code; none is loaded",
    "pad_to_sequence_len": "packing decides how sequences are filled",
    "group_by_length": "rows are sorted by length where packing is off",
    "tf32": "the number format is training.precision",
    "evals_per_epoch": "the cadence is counted in updates: set training.eval_steps",
    "saves_per_epoch": "the cadence is counted in updates: set training.save_steps",
    "eval_strategy": "the cadence is counted in updates: set training.eval_steps",
    "evaluation_strategy": "the cadence is counted in updates: set training.eval_steps",
    "save_strategy": "the cadence is counted in updates: set training.save_steps",
    "local_rank": "it is set by the launcher",
    "world_size": "it is set by the launcher",
}


def read_axolotl(document: Mapping[str, Any], name: str) -> Imported:
    """The recipe in ``document``; ``name`` is what it is called when the file does not say."""
    carrier = Carrier(document, AXOLOTL, "Axolotl")
    carrier.recipe["name"] = str(carrier.peek("wandb_name") or carrier.peek("mlflow_run_name") or name)[:200]
    carrier.take("seed", "seed", whole_or_zero)
    carrier.take("base_model", "model.base", str)
    carrier.take("revision_of_model", "model.revision", str)
    _method(carrier)
    _data(carrier)
    _training(carrier)
    _defaults(carrier)
    return carrier.done(REASONS)


def _defaults(carrier: Carrier) -> None:
    carrier.assume("sequence_len", "training.max_length", 512)
    carrier.assume("micro_batch_size", "training.batch_size", 1)
    carrier.assume("sample_packing", "training.packing", False)
    if "max_steps" not in carrier.recipe["training"]:
        carrier.assume("num_epochs", "training.epochs", 1.0)


def whole_or_zero(value: Any) -> int:
    """A seed."""
    return 0 if value == 0 else whole(value)


def _method(carrier: Carrier) -> None:
    adapter = carrier.peek("adapter")
    is_quantized = is_true(carrier.peek("load_in_4bit"))
    if "adapter" not in carrier.recipe.get("method", {}):
        if adapter in (None, ""):
            carrier.put("adapter", "method.adapter", "full")
        else:
            names = {"lora": "qlora" if is_quantized else "lora", "qlora": "qlora"}
            carrier.take("adapter", "method.adapter", one_of(names, "adapter"))
    if is_quantized and adapter:
        carrier.put("load_in_4bit", "method.adapter", "qlora")
    carrier.leave("load_in_4bit", "4-bit weights are part of the adapter `qlora`")
    if not is_true(carrier.peek("load_in_8bit")):
        carrier.leave("load_in_8bit", "it is off")
    carrier.leave("load_in_8bit", "there are no 8-bit weights here; `qlora` takes 4 bits")
    if adapter:
        _lora(carrier)
    _objective(carrier)


def _lora(carrier: Carrier) -> None:
    carrier.take("lora_r", "method.lora.r", whole)
    carrier.take("lora_alpha", "method.lora.alpha", number)
    carrier.take("lora_dropout", "method.lora.dropout", number)
    if is_true(carrier.peek("lora_target_linear")):
        carrier.put("lora_target_linear", "method.lora.target_modules", "all-linear")
        carrier.leave("lora_target_modules", "lora_target_linear takes all of them")
    carrier.leave("lora_target_linear", "it is off")
    carrier.take("lora_target_modules", "method.lora.target_modules")
    carrier.take("peft_use_rslora", "method.lora.use_rslora", is_true)
    carrier.take("peft_use_dora", "method.lora.use_dora", is_true)
    settings = carrier.peek("bnb_config_kwargs")
    if isinstance(settings, dict):
        places = {
            "bnb_4bit_quant_type": "method.quantization.type",
            "bnb_4bit_use_double_quant": "method.quantization.double",
        }
        for key, value in settings.items():
            if key in places:
                carrier.put(f"bnb_config_kwargs.{key}", places[key], value)
            else:
                carrier.left_out(f"bnb_config_kwargs.{key}", value, "only type and double quantisation are set here")
        carrier.put("bnb_config_kwargs", "method.quantization", carrier.recipe["method"].get("quantization", {}))


def _objective(carrier: Carrier) -> None:
    objective = str(carrier.peek("rl") or "").lower()
    if is_true(carrier.peek("reward_model")):
        carrier.put("reward_model", "method.objective", "reward")
        carrier.take("center_rewards_coefficient", "method.reward.center", number)
    elif objective:
        carrier.take("rl", "method.objective", one_of(OBJECTIVES, "objective"))
        if objective == "ipo":
            carrier.put("rl", "method.dpo.loss", "ipo")
        section = OBJECTIVES.get(objective)
        if section in ("dpo", "kto", "grpo"):
            for key in ("rl_beta", "dpo_beta"):
                carrier.take(key, f"method.{section}.beta", number)
        if section == "orpo":
            carrier.take("orpo_alpha", "method.orpo.beta", number)
            carrier.take("rl_beta", "method.orpo.beta", number)
        if section == "dpo":
            carrier.take("dpo_loss_type", "method.dpo.loss", _only_one)
            carrier.take("dpo_label_smoothing", "method.dpo.label_smoothing", number)
            carrier.take("rpo_alpha", "method.dpo.sft_weight", number)
        if section == "kto":
            carrier.take("kto_desirable_weight", "method.kto.desirable_weight", number)
            carrier.take("kto_undesirable_weight", "method.kto.undesirable_weight", number)
    elif carrier.peek("pretraining_dataset"):
        carrier.put("pretraining_dataset", "method.objective", "cpt")
    carrier.leave("reward_model", "it is off")


def _only_one(value: Any) -> str:
    losses = value if isinstance(value, list) else [value]
    if len(losses) != 1:
        raise Refusal("one loss is taken here, not a mixture")
    return str(losses[0])


def _data(carrier: Carrier) -> None:
    key = "pretraining_dataset" if carrier.peek("pretraining_dataset") else "datasets"
    listed = carrier.peek(key)
    sources = listed if isinstance(listed, list) else [listed] if isinstance(listed, dict | str) else []
    for place, source in enumerate(sources):
        source = {"path": source} if isinstance(source, str) else source
        if place or not isinstance(source, dict):
            carrier.left_out(f"{key}[{place}]", source, "a recipe has one training dataset: merge them into one first")
            continue
        _source(carrier, f"{key}[0]", source, "train", is_text=key == "pretraining_dataset")
    if sources:
        carrier.put(key, "data", dict(carrier.recipe.get("data", {})))
    tests = carrier.peek("test_datasets")
    if isinstance(tests, list) and tests and isinstance(tests[0], dict):
        _source(carrier, "test_datasets[0]", tests[0], "validation", is_text=False)
        for place, other in enumerate(tests[1:], 1):
            carrier.left_out(f"test_datasets[{place}]", other, "a recipe has one validation dataset")
        carrier.put("test_datasets", "data.validation", carrier.recipe["data"].get("validation"))
        carrier.leave("val_set_size", "test_datasets names the validation data")
    carrier.take("val_set_size", "data.split", split_of)


def _source(carrier: Carrier, where: str, source: dict[str, Any], part: str, *, is_text: bool) -> None:
    files = source.get("data_files")
    path = (files[0] if isinstance(files, list) and files else files) or source.get("path")
    if path:
        carrier.put(f"{where}.path", f"data.{part}", str(path))
    kind = str(source.get("type") or "")
    if part == "train" and (is_text or kind):
        found = "text" if is_text else format_of(kind, str(source.get("field_messages") or "messages"))
        if found:
            carrier.put(f"{where}.type", "data.format", found)
        else:
            carrier.left_out(f"{where}.type", source.get("type"), "this layout of rows is found by looking at them")
    for key, value in source.items():
        is_told = key in ("path", "type", "data_files", "field_messages") or (
            key == "ds_type" and value in LOCAL_LOADERS
        )
        if not is_told and value is not None:
            carrier.left_out(f"{where}.{key}", value, "columns and turns are found by looking at the rows")


def format_of(kind: str, field_messages: str) -> str | None:
    """Our word for a layout of rows."""
    kind = kind.lower()
    if kind == "chat_template":
        return "sharegpt" if field_messages == "conversations" else "messages"
    if kind.startswith(("alpaca", "sharegpt", "completion")):
        return {"a": "alpaca", "s": "sharegpt", "c": "text"}[kind[0]]
    if kind.startswith(("chatml.", "llama3.", "chat_template.", "zephyr.", "user_defined.")):
        return "preference"
    return None


def split_of(value: Any) -> dict[str, float]:
    """The split that a validation size means."""
    share = number(value)
    if share == 0:
        raise Refusal("it is off")
    if share >= 1:
        raise Refusal("a number of rows is no share: set data.split.validation between 0 and 1")
    return {"train": round(1 - share, 6), "validation": share}


def _training(carrier: Carrier) -> None:
    carrier.take("sequence_len", "training.max_length", whole)
    carrier.take("sample_packing", "training.packing", is_true)
    carrier.take("micro_batch_size", "training.batch_size", whole)
    carrier.take("gradient_accumulation_steps", "training.gradient_accumulation_steps", whole)
    carrier.take("max_steps", "training.max_steps", whole)
    if "max_steps" in carrier.recipe.get("training", {}):
        carrier.leave("num_epochs", "max_steps ends the run")
    carrier.take("num_epochs", "training.epochs", number)
    take_schedule(carrier, "lr_scheduler")
    carrier.take("early_stopping_patience", "training.early_stopping", lambda n: {"patience": whole(n)})
    carrier.take(
        "gradient_checkpointing", "training.gradient_checkpointing", lambda v: is_true(v) or v in ("offload", "unsloth")
    )
    if is_true(carrier.peek("bf16")) or is_true(carrier.peek("bfloat16")):
        carrier.put("bf16" if is_true(carrier.peek("bf16")) else "bfloat16", "training.precision", "bf16")
    elif carrier.peek("bf16") in ("auto", "full"):
        carrier.put("bf16", "training.precision", {"auto": "auto", "full": "bf16"}[carrier.peek("bf16")])
    elif carrier.peek("bf16") is False and not is_true(carrier.peek("fp16")):
        carrier.put("bf16", "training.precision", "fp32")
    for key in ("fp16", "float16"):
        carrier.leave(
            key,
            "it is off"
            if not is_true(carrier.peek(key))
            else "there is no fp16 training here; bf16 needs no loss scaling",
        )
    if is_true(carrier.peek("train_on_inputs")):
        carrier.leave("train_on_inputs", "only answers carry loss here")
    carrier.leave("train_on_inputs", "it is always off: only answers carry loss")
    if carrier.peek("device") in ("cpu", "cuda", "mps"):
        carrier.take("device", "resources.device")
