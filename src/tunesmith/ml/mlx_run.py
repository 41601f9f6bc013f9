"""A training by MLX: ``python -m tunesmith.ml.mlx_run RUN_DIR``. Supervised fine-tuning with LoRA on Apple silicon.

The rows, their masks and the report are those of every run; the model, its layers of LoRA and the optimizer are mlx-lm's. The
adapter is written as PEFT has it, so everything after a run (evaluation, merging, exports) knows no difference.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.ml.guard import forbid_pickle, share_the_processor, stay_offline
from tunesmith.ml.mlx_adapter import write_peft_adapter
from tunesmith.ml.report import OUT_OF_MEMORY, Reporter

forbid_pickle()
stay_offline()
share_the_processor()

STATE_FILE, ADAPTER_FILE, OPTIMIZER_FILE = "run_state.json", "adapters.safetensors", "optimizer.safetensors"
IGNORED_LABEL = -100


@dataclass
class State:
    """What a run needs to go on where it was."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    trained_tokens: int = 0
    eval_loss: float | None = None
    best: float | None = None
    kept: list[str] = field(default_factory=list)


def main(run_dir: str) -> None:
    """Run, and turn whatever goes wrong into a ``failed`` event."""
    with Reporter(run_dir) as reporter:
        reporter.progress(0, message="starting MLX")
        from tunesmith.ml.failures import RunFailure

        try:
            MlxRun(reporter).run()
        except RunFailure as failure:
            reporter.failed(
                failure.error_type, failure.message, code=failure.code, hint=failure.hint, reason=failure.reason
            )
            raise SystemExit(1) from None
        except RuntimeError as error:
            if any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
                raise MemoryError(str(error)) from error
            raise


class MlxRun:
    """One run."""

    def __init__(self, reporter: Reporter) -> None:
        from tunesmith.wire.spec import TrainSpec

        self.reporter = reporter
        self.spec = TrainSpec.model_validate(reporter.spec)
        self.recipe = self.spec.recipe
        self.state = State()
        self.began = time.monotonic()
        self.seen_tokens = 0

    def run(self) -> None:
        """Train to the end, or to the checkpoint that a stop asks for."""
        import mlx.core as mx
        import mlx.nn as nn

        self.recipe.resources.device = (
            "cpu" if mx.default_device().type == mx.DeviceType.cpu else "mps"
        )  # its GPU is Metal's
        self._read_rows()
        self._load_model()
        if self.spec.resume_from:
            self._restore(Path(self.spec.resume_from))
        plan = self.recipe.training
        grad = nn.value_and_grad(self.model, loss_of)
        batches = self._batches(skip=self.state.step)
        while self.state.step < self.steps:
            wish = self.reporter.end_requested()
            if wish == "cancel":
                return
            if wish == "stop":
                self._save()
                self.reporter.finished(self._result(stopped=True), stopped=True)
                return
            self._update(grad, batches)
            step = self.state.step
            if self.validation is not None and plan.eval_steps and step % plan.eval_steps == 0 and step < self.steps:
                self._evaluate()
            if step % plan.save_steps == 0 and step < self.steps:
                self._save()
        if self.validation is not None:
            self._evaluate()
        self._save()
        self._leave_artifacts()
        self.reporter.finished(self._result(stopped=False))

    # --- What it starts from.

    def _read_rows(self) -> None:
        from tunesmith.ml.rows import tokenize_file
        from tunesmith.text import ChatTemplate, TextTokenizer

        folder = Path(self.spec.model_path)
        tokenizer, template = TextTokenizer.from_folder(folder), ChatTemplate.from_folder(folder)
        self.pad_id = tokenizer.pad_id if tokenizer.pad_id is not None else tokenizer.eos_id or 0
        length = self.recipe.training.max_length
        self.rows = tokenize_file(Path(self.spec.train_file), tokenizer, template, length)
        held_out = self.spec.validation_file
        self.validation = tokenize_file(Path(held_out), tokenizer, template, length) if held_out else None
        self.recipe.training.packing = False  # a batch here is rows side by side
        plan = self.recipe.training
        per_update = plan.batch_size * plan.gradient_accumulation_steps
        self.per_epoch = max(1, math.ceil(len(self.rows) / per_update))
        self.steps = plan.max_steps or max(1, round((plan.epochs or 1) * self.per_epoch))
        self.reporter.log(f"{len(self.rows)} rows, {self.rows.cut} of them cut; {self.steps} updates")

    def _load_model(self) -> None:
        import mlx.core as mx
        from mlx.utils import tree_flatten
        from mlx_lm.tuner.utils import linear_to_lora_layers
        from mlx_lm.utils import load_model

        mx.random.seed(self.recipe.seed)
        self.model, _config = load_model(Path(self.spec.model_path))
        is_fp32 = self.recipe.training.precision == "fp32"
        self.recipe.training.precision = "fp32" if is_fp32 else "bf16"  # type: ignore[assignment]
        self.model.set_dtype(mx.float32 if is_fp32 else mx.bfloat16)
        self.model.freeze()
        lora = self.recipe.method.lora
        keys = self._keys(lora.target_modules)
        config = {"rank": lora.r, "scale": lora.alpha / lora.r, "dropout": lora.dropout, "keys": keys}
        linear_to_lora_layers(self.model, len(self.model.layers), config)
        self.model.train()
        trainable = sum(array.size for _name, array in tree_flatten(self.model.trainable_parameters()))
        self.reporter.log(f"MLX {mx.__version__} on {self.recipe.resources.device}: training {trainable:,} parameters")
        self._make_optimizer()

    def _keys(self, wanted: str | list[str]) -> set[str]:
        """Names of the linear layers to adapt, from their block; raises when a name fits none."""
        import mlx.nn as nn

        from tunesmith.ml.failures import configuration_failure

        kinds = (nn.Linear, nn.QuantizedLinear)
        there = {name for name, module in self.model.layers[0].named_modules() if isinstance(module, kinds)}
        if isinstance(wanted, str):
            return there
        missing = [name for name in wanted if not any(key.rsplit(".", 1)[-1] == name for key in there)]
        if missing:
            has = ", ".join(sorted({key.rsplit(".", 1)[-1] for key in there}))
            message = f"method.lora.target_modules names {', '.join(missing)}, which this model does not have."
            raise configuration_failure(message, f"It has {has}; `all-linear` takes them all.")
        return {key for key in there if key.rsplit(".", 1)[-1] in wanted}

    def _make_optimizer(self) -> None:
        import mlx.optimizers as optimizers

        plan = self.recipe.training
        self.optimizer = optimizers.AdamW(learning_rate=plan.learning_rate, weight_decay=plan.weight_decay)

    def _rate(self, step: int) -> float:
        """Learning rate of update ``step`` (from 1), as the other engines have it."""
        plan = self.recipe.training
        warmup = math.ceil(plan.warmup_ratio * self.steps)
        if step <= warmup:
            return plan.learning_rate * (step - 1) / max(1, warmup)
        done = (step - 1 - warmup) / max(1, self.steps - warmup)
        if plan.scheduler == "cosine":
            return plan.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
        return plan.learning_rate * (1 - done) if plan.scheduler == "linear" else plan.learning_rate

    # --- One update.

    def _batches(self, skip: int) -> Iterator[list[int]]:
        """Rows of each forward pass; the order of an epoch follows from the seed alone, so a resumed run finds its place."""
        size, per_update = self.recipe.training.batch_size, self.recipe.training.gradient_accumulation_steps
        epoch = 0
        to_skip = skip * per_update
        while True:
            order = np.random.default_rng([self.recipe.seed, epoch]).permutation(len(self.rows)).tolist()
            order += (
                order[: -len(order) % (size * per_update)]
                if len(order) >= size * per_update
                else order * per_update * size
            )
            whole = len(order) // (size * per_update) * size * per_update
            for first in range(0, whole, size):
                if to_skip:
                    to_skip -= 1
                else:
                    yield order[first : first + size]
            epoch += 1

    def _arrays(self, rows: Any, chosen: list[int]) -> tuple[Any, Any, int]:
        import mlx.core as mx

        documents = [rows.document(index) for index in chosen]
        width = max(len(ids) for ids, _targets in documents)
        ids = np.full((len(chosen), width), self.pad_id, dtype=np.int32)
        targets = np.full((len(chosen), width), IGNORED_LABEL, dtype=np.int32)
        for line, (tokens, wanted) in enumerate(documents):
            ids[line, : len(tokens)], targets[line, : len(tokens)] = tokens, wanted
        return mx.array(ids), mx.array(targets), sum(len(tokens) for tokens, _targets in documents)

    def _update(self, grad: Any, batches: Iterator[list[int]]) -> None:
        import mlx.core as mx
        from mlx.optimizers import clip_grad_norm
        from mlx.utils import tree_map

        plan, began = self.recipe.training, time.monotonic()
        mx.random.seed(self.recipe.seed * 1_000_003 + self.state.step)  # dropout, the same in a resumed run
        parts = [self._arrays(self.rows, next(batches)) for _ in range(plan.gradient_accumulation_steps)]
        labels = sum(int((targets != IGNORED_LABEL).sum().item()) for _ids, targets, _tokens in parts)
        total, sums = 0.0, None
        for ids, targets, _tokens in parts:
            value, gradient = grad(self.model, ids, targets, max(1, labels))
            sums = gradient if sums is None else tree_map(lambda a, b: a + b, sums, gradient)
            mx.eval(value, sums)
            total += value.item()
        sums, norm = clip_grad_norm(sums, plan.max_grad_norm or math.inf)
        step = self.state.step + 1
        self.optimizer.learning_rate = self._rate(step)
        self.optimizer.update(self.model, sums)
        mx.eval(self.model.trainable_parameters(), self.optimizer.state)
        self.state.step = step
        self.state.losses.append(total)
        self.state.trained_tokens += labels
        tokens = sum(count for _ids, _targets, count in parts)
        self.seen_tokens += tokens
        if step % plan.logging_steps == 0 or step == self.steps:
            values = {
                "loss": total,
                "learning_rate": self._rate(step),
                "grad_norm": float(norm.item()),
                "tokens_per_second": tokens / max(time.monotonic() - began, 1e-9),
                "memory_gb": mx.get_peak_memory() / 1e9,
            }
            self.reporter.metric(step, values, epoch=step / self.per_epoch)
        self.reporter.progress(step, self.steps, "training")

    def _evaluate(self) -> None:
        assert self.validation is not None
        self.model.eval()
        loss, labels = 0.0, 0
        size = self.recipe.training.batch_size
        for first in range(0, len(self.validation), size):
            ids, targets, _tokens = self._arrays(
                self.validation, list(range(first, min(first + size, len(self.validation))))
            )
            count = int((targets != IGNORED_LABEL).sum().item())
            if count:
                loss += loss_of(self.model, ids, targets, count).item() * count
                labels += count
        self.model.train()
        if labels:
            self.state.eval_loss = loss / labels
            self.reporter.metric(
                self.state.step, {"eval_loss": self.state.eval_loss}, epoch=self.state.step / self.per_epoch
            )

    # --- What it leaves.

    def _save(self) -> None:
        import mlx.core as mx
        from mlx.utils import tree_flatten

        from tunesmith.wire.checkpoint import new_checkpoint

        target = self.reporter.run.checkpoints / f"step-{self.state.step:06d}"
        if target.exists():
            return
        self.state.kept.append(target.name)
        keep = self.recipe.training.keep_last_n
        removed, self.state.kept = self.state.kept[:-keep], self.state.kept[-keep:]
        metric = self.state.eval_loss if self.validation is not None else self.state.losses[-1]
        is_best = metric is not None and (self.state.best is None or metric < self.state.best)
        if is_best:
            self.state.best = metric
        with new_checkpoint(target, self.state.step) as folder:
            mx.save_safetensors(str(folder / ADAPTER_FILE), dict(tree_flatten(self.model.trainable_parameters())))
            mx.save_safetensors(str(folder / OPTIMIZER_FILE), dict(tree_flatten(self.optimizer.state)))
            (folder / STATE_FILE).write_text(json.dumps(asdict(self.state)), encoding="utf-8")
        size_bytes = sum(file.stat().st_size for file in target.iterdir())
        old = [self.reporter.run.checkpoints / name for name in removed]
        for folder in old:
            shutil.rmtree(folder, ignore_errors=True)
        metrics = {"loss": self.state.losses[-1]} if self.state.losses else {}
        self.reporter.checkpoint(
            self.state.step,
            target,
            size_bytes=size_bytes,
            metrics=metrics,
            is_best=is_best,
            removed=[str(o) for o in old],
        )

    def _restore(self, folder: Path) -> None:
        import mlx.core as mx
        from mlx.utils import tree_unflatten

        self.state = State(**json.loads((folder / STATE_FILE).read_text(encoding="utf-8")))
        self.state.kept = [name for name in self.state.kept if (self.reporter.run.checkpoints / name).is_dir()]
        self.model.load_weights(str(folder / ADAPTER_FILE), strict=False)
        self.optimizer.init(self.model.trainable_parameters())
        self.optimizer.state = tree_unflatten(list(mx.load(str(folder / OPTIMIZER_FILE)).items()))
        self.reporter.log(f"going on from update {self.state.step} of {self.steps}")

    def _leave_artifacts(self) -> None:
        from mlx.utils import tree_flatten

        from tunesmith.wire.checkpoint import new_checkpoint
        from tunesmith.wire.recipe_text import write_recipe

        artifacts, base = self.reporter.run.artifacts, Path(self.spec.model_path)
        arrays = {
            name: np.array(array.astype(float32())) for name, array in tree_flatten(self.model.trainable_parameters())
        }
        with new_checkpoint(artifacts / "adapter", self.state.step) as folder:
            self.weights = write_peft_adapter(folder, arrays, self.recipe, base)
        (artifacts / "recipe.yaml").write_text(write_recipe(self.recipe), encoding="utf-8")

    def _result(self, *, stopped: bool) -> dict[str, Any]:
        losses = self.state.losses
        last_tenth = losses[-max(1, len(losses) // 10) :]
        return {
            "status": "stopped" if stopped else "completed",
            "steps": self.state.step,
            "final_loss": sum(last_tenth) / len(last_tenth) if last_tenth else None,
            "eval_loss": self.state.eval_loss,
            "trained_tokens": self.state.trained_tokens,
            "tokens_per_second": self.seen_tokens / max(time.monotonic() - self.began, 1e-9),
            "weights_sha256": None if stopped else self.weights,
            "resumed": bool(self.spec.resume_from),
            "repaired": False,
            "checkpoint": f"checkpoints/{self.state.kept[-1]}" if self.state.kept else None,
        }


def float32() -> Any:
    """MLX's word for it."""
    import mlx.core as mx

    return mx.float32


def loss_of(model: Any, ids: Any, targets: Any, labels: int) -> Any:
    """Cross-entropy over the labels, divided by how many the whole update has. ``targets`` are already moved by one."""
    import mlx.core as mx
    import mlx.nn as nn

    logits = model(ids).astype(mx.float32)
    kept = targets != IGNORED_LABEL
    losses = nn.losses.cross_entropy(logits, mx.where(kept, targets, 0))
    return (losses * kept).sum() / labels


if __name__ == "__main__":
    main(sys.argv[1])
