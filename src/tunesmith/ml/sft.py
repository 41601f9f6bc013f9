"""Supervised fine-tuning with LoRA, top to bottom: ``python -m tunesmith.ml.sft RUN_DIR``.

RUN_DIR holds ``spec.json`` (a ``TrainSpec``). Events go to ``events.jsonl``, checkpoints to ``checkpoints/``, the adapter,
the resolved recipe and the metrics to ``artifacts/``.
"""

from __future__ import annotations

import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

from tunesmith.ml.guard import forbid_pickle, share_the_processor, stay_offline
from tunesmith.ml.report import Reporter

forbid_pickle()  # before any library that knows how to read one
stay_offline()
share_the_processor()

COMPANIONS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
"""Files of the base that an adapter needs beside it to be used alone."""


def main(run_dir: str) -> None:
    """Run, and turn whatever goes wrong into a ``failed`` event; the traceback goes to the output."""
    with Reporter(run_dir) as reporter:
        reporter.progress(0, message="starting")  # a sign of life before the seconds that the imports take
        from tunesmith.ml.failures import explain

        try:
            train(reporter)
        except Exception as error:
            traceback.print_exception(error)
            failure = explain(error)
            reporter.failed(
                failure.error_type, failure.message, code=failure.code, hint=failure.hint, reason=failure.reason
            )
            raise SystemExit(1) from None


def train(reporter: Reporter) -> None:
    """The run."""
    import torch
    import transformers
    from peft import LoraConfig, get_peft_model

    from tunesmith.ml.checkpoint import Checkpoints, Restored, adapter_tensors, weights_sha256
    from tunesmith.ml.failures import configuration_failure
    from tunesmith.ml.load import load_tokenizer, load_weights
    from tunesmith.ml.machine import choose_device, computes_in_bf16, limit_data_memory, make_repeatable, use_threads
    from tunesmith.ml.rows import Batches, tokenize_file
    from tunesmith.ml.trainer import RunTrainer, total_updates
    from tunesmith.text import ChatTemplate, TextTokenizer
    from tunesmith.wire.recipe import Precision
    from tunesmith.wire.spec import TrainSpec

    forbid_pickle()  # torch.load is there now
    transformers.utils.logging.disable_progress_bar()
    spec = TrainSpec.model_validate(reporter.spec)
    recipe = spec.recipe
    limit_data_memory(recipe.resources.memory_limit_gib)

    # --- The machine. A resumed run keeps the number of threads, on which the last bits of every sum depend.
    restored = Restored.read(Path(spec.resume_from)) if spec.resume_from else None
    wanted = spec.device if recipe.resources.device == "auto" else recipe.resources.device
    try:
        device = choose_device(wanted)
    except ValueError as error:
        raise configuration_failure(f"{error}.", "Set resources.device to one of them, or to auto.") from None
    threads = use_threads(restored.state.threads if restored else None)
    make_repeatable(recipe.seed)
    recipe.resources.device = device.type
    if recipe.training.precision == Precision.AUTO:
        recipe.training.precision = Precision.BF16 if computes_in_bf16(device) else Precision.FP32
    compute = torch.bfloat16 if recipe.training.precision == Precision.BF16 else None
    reporter.log(f"{device.type} with {threads} threads, {recipe.training.precision}; torch {torch.__version__}")

    # --- The data: one mask for trainer and previews, made in tunesmith.text.
    reporter.progress(0, message="reading the data")
    folder = Path(spec.model_path)
    text_tokenizer, template = TextTokenizer.from_folder(folder), ChatTemplate.from_folder(folder)
    pad_id = text_tokenizer.pad_id if text_tokenizer.pad_id is not None else text_tokenizer.eos_id or 0

    def read(file: str) -> Batches:
        rows = tokenize_file(Path(file), text_tokenizer, template, recipe.training.max_length)
        batches = Batches(rows, packing=recipe.training.packing, max_length=recipe.training.max_length, pad_id=pad_id)
        reporter.log(
            f"{Path(file).name}: {len(rows)} rows in {len(batches)} sequences, {len(rows.input_ids)} tokens, "
            f"{int(rows.trained.sum())} of them trained on; {rows.cut} rows cut to {recipe.training.max_length} tokens"
        )
        if rows.without_target:
            named = ", ".join(map(str, rows.without_target[:10]))
            reporter.log(
                f"{len(rows.without_target)} rows have no answer to learn and are left out: {named}", "warning"
            )
        return batches

    batches = read(spec.train_file)
    validation = read(spec.validation_file) if spec.validation_file else None

    # --- The model. Frozen matrices lie in the format that they are multiplied in; embeddings, norms and everything
    # that is trained stay in float32, and so does the stream between the layers.
    reporter.progress(0, message="loading the model")
    model: Any = load_weights(folder, torch.float32)
    lora = recipe.method.lora
    targets = target_modules(model, lora.target_modules)
    model = get_peft_model(
        model,
        LoraConfig(
            r=lora.r,
            lora_alpha=lora.alpha,  # PEFT says int and divides it: a float is as good
            lora_dropout=lora.dropout,
            target_modules=targets,
            use_rslora=lora.use_rslora,
            use_dora=lora.use_dora,
            task_type="CAUSAL_LM",
        ),
    )
    if compute:
        keep = model.get_output_embeddings()
        for module in model.modules():
            frozen = isinstance(module, torch.nn.Linear) and not module.weight.requires_grad
            if frozen and module is not keep:
                module.to(compute)
    model.to(device)
    trainable, everything = model.get_nb_trainable_parameters()
    reporter.log(f"training {trainable:,} of {everything:,} parameters")

    # --- The run.
    checkpoints = Checkpoints(reporter.run.checkpoints, recipe.training.keep_last_n)
    trainer = RunTrainer(
        model=model,
        tokenizer=load_tokenizer(folder),
        recipe=recipe,
        batches=batches,
        validation=validation,
        autocast=compute,
        checkpoints=checkpoints,
        reporter=reporter,
        restored=restored,
    )
    trainer.run_state.threads = threads
    steps = total_updates(recipe, len(batches))
    if restored:
        checkpoints.resumed_from = checkpoints.relative(restored.folder)
        reporter.log(f"going on from update {len(restored.state.losses)} of {steps}")
    reporter.progress(len(trainer.run_state.losses), steps, "training")
    trainer.run()

    # --- The result: the best checkpoint that was measured, else the last state.
    state = trainer.run_state
    if not trainer.stopped and state.best_checkpoint and state.best_checkpoint != state.kept[-1]:
        Restored.read(checkpoints.path(state.best_checkpoint)).into_model(model)
        reporter.log(f"the result is the best checkpoint, {Path(state.best_checkpoint).name}")
    result = run_result(state, stopped=trainer.stopped, resumed=restored is not None)
    result["weights_sha256"] = weights_sha256(adapter_tensors(model))
    if not trainer.stopped:
        write_artifacts(reporter.run.artifacts, model, recipe, folder, result)
    reporter.finished(result, stopped=trainer.stopped)


def target_modules(model: Any, wanted: str | list[str]) -> str | list[str]:
    """The modules to adapt; raises when a name fits none, saying which there are."""
    import torch
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING

    from tunesmith.ml.failures import configuration_failure

    if wanted == "auto":
        return TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.get(model.config.model_type, "all-linear")
    if isinstance(wanted, str):
        return wanted
    head = model.get_output_embeddings()
    linear = [name for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and m is not head]
    missing = [w for w in wanted if not any(name == w or name.endswith(f".{w}") for name in linear)]
    if missing:
        there = sorted({name.rsplit(".", 1)[-1] for name in linear})
        raise configuration_failure(
            f"method.lora.target_modules names {', '.join(missing)}, which this model does not have.",
            f"It has {', '.join(there)}; `all-linear` takes them all.",
        )
    return sorted(set(wanted))


def run_result(state: Any, *, stopped: bool, resumed: bool) -> dict[str, Any]:
    """The figures of the run."""
    last_tenth = state.losses[-max(1, len(state.losses) // 10) :]
    return {
        "status": "stopped" if stopped else "completed",
        "steps": len(state.losses),
        "final_loss": sum(last_tenth) / len(last_tenth),
        "eval_loss": state.eval_loss,
        "trained_tokens": state.trained_tokens,
        "tokens_per_second": round(state.tokens / max(state.training_seconds, 1e-9), 1),
        "resumed": resumed,
        "repaired": False,
        "checkpoint": state.best_checkpoint or (state.kept[-1] if state.kept else None),
    }


def write_artifacts(target: Path, model: Any, recipe: Any, base: Path, result: dict[str, Any]) -> None:
    """Adapter with tokenizer and template, resolved recipe, figures."""
    from tunesmith.ml.checkpoint import write_adapter, write_json_file
    from tunesmith.wire.checkpoint import new_checkpoint
    from tunesmith.wire.recipe_text import write_recipe

    with new_checkpoint(target / "adapter", result["steps"]) as adapter:
        write_adapter(model, adapter, recipe.model.base)
        for name in COMPANIONS:
            if (base / name).is_file():
                shutil.copyfile(base / name, adapter / name)
    (target / "recipe.yaml").write_text(write_recipe(recipe), encoding="utf-8")
    write_json_file(target / "metrics.json", result)


if __name__ == "__main__":
    main(sys.argv[1])
