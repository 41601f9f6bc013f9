"""A training, top to bottom: ``python -m tunesmith.ml.sft RUN_DIR``. Supervised fine-tuning, and every other objective.

RUN_DIR holds ``spec.json`` (a ``TrainSpec``). Events go to ``events.jsonl``, checkpoints to ``checkpoints/``, the adapter (or
the model), the resolved recipe and the metrics to ``artifacts/``.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.ml.guard import (
    NEVER_USED,
    forbid_pickle,
    importing,
    leave_out,
    leave_out_bitsandbytes,
    share_the_processor,
    stay_offline,
)
from tunesmith.ml.launch import launched
from tunesmith.ml.ranks import choose_gpu, connect, reporter_of
from tunesmith.ml.report import Reporter

forbid_pickle()  # before any library that knows how to read one
stay_offline()
share_the_processor()
leave_out(*NEVER_USED)
choose_gpu()


def main(run_dir: str, work: Callable[[Reporter], None] | None = None) -> None:
    """Run, and turn whatever goes wrong into a ``failed`` event; the traceback goes to the output."""
    if work is None and (code := launched(run_dir)) is not None:
        raise SystemExit(code)  # this was the agent of several ranks
    with reporter_of(run_dir) as reporter:
        reporter.progress(0, message="starting")  # a sign of life before the seconds that the imports take
        with importing():
            from tunesmith.ml.failures import explain

        try:
            (work or train)(reporter)
        except Exception as error:
            traceback.print_exception(error)
            failure = explain(error)
            reporter.failed(
                failure.error_type, failure.message, code=failure.code, hint=failure.hint, reason=failure.reason
            )
            raise SystemExit(1) from None


def train(reporter: Reporter, rehearse: Callable[[Any], dict[str, Any]] | None = None) -> None:
    """The run; with ``rehearse`` only as far as the first update, which that does in its own way."""
    from tunesmith.wire.recipe import Adapter, Precision
    from tunesmith.wire.spec import TrainSpec

    spec = TrainSpec.model_validate(reporter.spec)
    recipe, folder = spec.recipe, Path(spec.model_path)
    if recipe.method.adapter != Adapter.QLORA:
        leave_out_bitsandbytes(folder)
    if recipe.resources.distributed is None or recipe.resources.distributed.strategy != "deepspeed":
        leave_out("deepspeed")

    with importing():
        import torch
        import transformers

        from tunesmith.ml import machine
        from tunesmith.ml.autotune import settle
        from tunesmith.ml.build import build_model
        from tunesmith.ml.checkpoint import Restored, weights_sha256
        from tunesmith.ml.compiling import quicken
        from tunesmith.ml.failures import configuration_failure
        from tunesmith.ml.load import load_tokenizer
        from tunesmith.ml.objectives import Texts, objective_of
        from tunesmith.ml.parallel import checkpoints_of, trainer_of
        from tunesmith.ml.policy import Policy
        from tunesmith.ml.strategy import divides_weights, share_run
        from tunesmith.ml.token_cache import TokenCache
        from tunesmith.ml.trainer import total_updates

    forbid_pickle()  # torch.load is there now
    transformers.utils.logging.disable_progress_bar()
    machine.limit_data_memory(recipe.resources.memory_limit_gib)

    # --- The machine. A resumed run keeps the number of threads, on which the last bits of every sum depend.
    restored = Restored.read(Path(spec.resume_from)) if spec.resume_from else None
    wanted = spec.device if recipe.resources.device == "auto" else recipe.resources.device
    try:
        device = machine.choose_device(wanted)
    except ValueError as error:
        raise configuration_failure(f"{error}.", "Set resources.device to one of them, or to auto.") from None
    world = recipe.resources.world
    ranks = connect(world, device.type, reporter)
    made_by = restored.state.processes if restored else world.size
    is_alike = made_by == world.size
    threads = machine.use_threads(restored.state.threads if restored and is_alike else None)
    machine.make_repeatable(recipe.seed)
    recipe.resources.device = device.type
    if recipe.training.precision == Precision.AUTO:
        recipe.training.precision = Precision.BF16 if machine.computes_in_bf16(device) else Precision.FP32
    compute = torch.bfloat16 if recipe.training.precision == Precision.BF16 else None
    reporter.log(f"{device.type} with {threads} threads, {recipe.training.precision}; torch {torch.__version__}")

    # --- The data: one mask for trainer and previews, made in tunesmith.text.
    reporter.progress(0, message="reading the data")
    cache = Path(spec.cache_path) if spec.cache_path else None
    texts = Texts(folder, TokenCache(cache / "tokens" if cache else None))
    objective = objective_of(recipe, texts)
    examples = objective.read(Path(spec.train_file), reporter.log)
    objective.check(examples, Path(spec.train_file).name)
    validation = objective.read(Path(spec.validation_file), reporter.log) if spec.validation_file else None

    # --- The model. One that is going to be divided is built in the processor's memory.
    reporter.progress(0, message="loading the model")
    share_run(recipe, folder, ranks, device, objective.needs_reference, reporter)
    place = torch.device("cpu") if divides_weights(recipe) else device
    model, trained = build_model(
        recipe, folder, head=objective.head, compute=compute, device=place, pad_id=texts.pad_id
    )
    offloads = recipe.training.offload_activations and device.type == "cuda"
    policy = Policy(model, compute, needs_reference=objective.needs_reference, offloads=offloads)
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    everything = model.num_parameters() if recipe.method.adapter == "full" else model.get_nb_trainable_parameters()[1]
    reporter.log(f"{objective.name} with {recipe.method.adapter}: training {learning:,} of {everything:,} parameters")
    quicken(recipe, policy, device, reporter)
    threads, shape = (
        (threads, None) if rehearse else settle(spec, objective, policy, examples, threads, restored, reporter)
    )

    # --- The run.
    checkpoints = checkpoints_of(ranks)(reporter.run.checkpoints, recipe.training.keep_last_n)
    trainer = trainer_of(ranks, recipe, objective, policy, device)(
        policy=policy,
        trained=trained,
        objective=objective,
        tokenizer=load_tokenizer(folder),
        recipe=recipe,
        examples=examples,
        validation=validation,
        checkpoints=checkpoints,
        reporter=reporter,
        restored=restored,
    )
    trainer.run_state.threads, trainer.run_state.processes = threads, world.size
    trainer.run_state.shape = shape
    if rehearse:
        return reporter.finished(rehearse(trainer))
    steps = total_updates(recipe, len(examples))
    if restored:
        reporter.log(restored.what_is_left(steps))
        checkpoints.resumed_from = checkpoints.relative(restored.folder)
        if not is_alike:
            reporter.log(
                f"{made_by} wrote the checkpoint and {world} go on: the same run, but for the last bits of its sums"
            )
    reporter.progress(len(trainer.run_state.losses), steps, "training")
    trainer.run()

    # --- The result: the best checkpoint that was measured, else the last state.
    state = trainer.run_state
    if not trainer.stopped:
        trainer.go_back_to_best()
    result = run_result(state, stopped=trainer.stopped, resumed=restored is not None, repairs=spec.repairs)
    result["weights_sha256"] = weights_sha256(trained.published())
    if not trainer.stopped and ranks.is_first:
        write_artifacts(reporter.run.artifacts, trained, recipe, result)
    elif not trainer.stopped:
        trained.published()  # the first rank gathers what is divided
    reporter.finished(result, stopped=trainer.stopped)
    ranks.leave()


def run_result(state: Any, *, stopped: bool, resumed: bool, repairs: list[str]) -> dict[str, Any]:
    """The figures of the run."""
    last_tenth = state.losses[-max(1, len(state.losses) // 10) :]
    return {
        "status": "stopped" if stopped else "completed",
        "steps": len(state.losses),
        "final_loss": sum(last_tenth) / len(last_tenth),
        "eval_loss": state.eval_loss,
        "measures": {name: value for name, value in state.evaluation.items() if name != "loss"},
        "trained_tokens": state.trained_tokens,
        "tokens_per_second": round(state.tokens / max(state.training_seconds, 1e-9), 1),
        "resumed": resumed,
        "repaired": bool(repairs),
        "repairs": repairs,
        "checkpoint": state.best_checkpoint or (state.kept[-1] if state.kept else None),
    }


def write_artifacts(target: Path, trained: Any, recipe: Any, result: dict[str, Any]) -> None:
    """Adapter or model with tokenizer and template, resolved recipe, figures."""
    from tunesmith.ml.trained import write_json_file
    from tunesmith.wire.checkpoint import new_checkpoint
    from tunesmith.wire.recipe_text import write_recipe

    with new_checkpoint(target / trained.folder_name, result["steps"]) as folder:
        trained.publish(folder)
    (target / "recipe.yaml").write_text(write_recipe(recipe), encoding="utf-8")
    write_json_file(target / "metrics.json", result)


if __name__ == "__main__":
    main(sys.argv[1])
