"""TRL's trainer with four things of our own: the batches, the loss, the checkpoints and what is told about each update.

TRL and transformers keep the loop: accumulation, clipping, optimizer, schedule. Their own saving would write pickles, their
packing rebuilds the labels, and their loss computes entropy and accuracy at every position, so those are replaced.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sized
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import PreTrainedTokenizerBase, PrinterCallback
from trl import SFTConfig, SFTTrainer

from tunesmith.ml.checkpoint import Checkpoints, Restored, RunState
from tunesmith.ml.failures import RunFailure
from tunesmith.ml.machine import memory_gb
from tunesmith.ml.report import Reporter
from tunesmith.ml.rows import Batches
from tunesmith.text import IGNORED
from tunesmith.wire.recipe import Recipe

MEAN_WINDOW = 0.1
"""Share of the updates, at the end, whose mean loss is the run's final loss."""


class EpochOrder(Sampler[int]):
    """A new order in every epoch that depends on seed and epoch alone, so a resumed run meets the same batches."""

    def __init__(self, data: Sized, seed: int, epoch: Callable[[], int]) -> None:
        self.length, self.seed, self.epoch = len(data), seed, epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch())
        yield from torch.randperm(self.length, generator=generator).tolist()


class RunTrainer(SFTTrainer):
    """Trains the adapter of ``model`` on ``batches``."""

    loss_is_scaled_for_ga = True  # compute_loss divides by the trained tokens of the whole update

    def __init__(
        self,
        *,
        model: Any,
        tokenizer: PreTrainedTokenizerBase,
        recipe: Recipe,
        batches: Batches,
        validation: Batches | None,
        autocast: torch.dtype | None,
        checkpoints: Checkpoints,
        reporter: Reporter,
        restored: Restored | None = None,
    ) -> None:
        self.recipe, self.plan = recipe, recipe.training
        self.batches, self.validation = batches, validation
        self.autocast_dtype = autocast
        self.checkpoints, self.reporter, self.restored = checkpoints, reporter, restored
        self.run_state = restored.state if restored else RunState()
        self.stopped = False
        self._trained_in_update = self._tokens_in_update = 0
        self._reported_losses: list[float] = []
        self._handled_step = -1
        super().__init__(
            model=model,
            args=trainer_arguments(recipe, batches, checkpoints.folder, next(model.parameters()).device),
            data_collator=batches.collate,
            # Only the numbers of the sequences go through Arrow; the collator looks the tokens up.
            train_dataset=Dataset.from_dict({"sequence": list(range(len(batches)))}),
            processing_class=tokenizer,
        )
        self.remove_callback(PrinterCallback)

    # ---- data order

    @property
    def updates_per_epoch(self) -> int:
        """Optimizer updates in one pass over the data."""
        return updates_per_epoch(self.recipe, len(self.batches))

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return EpochOrder(self.batches, self.recipe.seed, lambda: self.state.global_step // self.updates_per_epoch)

    # ---- loss

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, Any]], device: torch.device) -> torch.Tensor:
        """How many tokens this update trains on, over all its forward passes."""
        trained = sum(int((batch["targets"] != IGNORED).sum()) for batch in batch_samples)
        self._trained_in_update = trained
        self._tokens_in_update = sum(batch["tokens"] for batch in batch_samples)
        return torch.tensor(max(trained, 1), device=device)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Cross entropy over the trained tokens, divided by how many the whole update has."""
        loss = self.loss_sum(model, inputs)
        return loss / (num_items_in_batch if num_items_in_batch is not None else 1)

    def loss_sum(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Sum of the losses of one batch. The head runs only where at least one row has a target."""
        targets = inputs["targets"]
        places = (targets != IGNORED).any(dim=0).nonzero().squeeze(1)
        device_type = targets.device.type
        with torch.autocast(device_type, self.autocast_dtype, enabled=self.autocast_dtype is not None):
            logits = model(
                input_ids=inputs["input_ids"],
                position_ids=inputs["position_ids"],
                use_cache=False,
                logits_to_keep=places,
            ).logits
        return F.cross_entropy(
            logits.float().flatten(0, 1), targets[:, places].flatten(), ignore_index=IGNORED, reduction="sum"
        )

    def evaluation_loss(self) -> float:
        """Mean loss over the trained tokens of the validation data."""
        assert self.validation is not None
        self.model.eval()
        total, trained = 0.0, 0
        size = self.plan.batch_size
        with torch.no_grad():
            for start in range(0, len(self.validation), size):
                numbers = range(start, min(start + size, len(self.validation)))
                batch = self._prepare_inputs(self.validation.collate({"sequence": i} for i in numbers))
                total += float(self.loss_sum(self.model, batch))
                trained += int((batch["targets"] != IGNORED).sum())
        self.model.train()
        return total / max(trained, 1)

    # ---- after each update

    def _maybe_log_save_evaluate(
        self, tr_loss: torch.Tensor, grad_norm: Any, *_: Any, learning_rate: float | None = None, **__: Any
    ) -> None:
        """Called after every update, and once more at the end of an epoch."""
        step = self.state.global_step
        if step == self._handled_step:
            return
        self._handled_step = step
        loss = tr_loss.item()
        tr_loss -= tr_loss
        self._account(loss, step)
        last = step >= self.state.max_steps
        if step % self.plan.logging_steps == 0 or last:
            self._tell(step, float(grad_norm), learning_rate or 0.0)
        eval_due = last or bool(self.plan.eval_steps and step % self.plan.eval_steps == 0)
        save_due = last or step % self.plan.save_steps == 0
        best_needs_loss = save_due and self.plan.metric_for_best == "eval_loss"
        if self.validation is not None and (eval_due or best_needs_loss):
            self._evaluate_now(step)
        wish = self.reporter.end_requested()
        if wish == "cancel":
            raise SystemExit(0)
        if save_due or wish == "stop" or self.control.should_training_stop:
            self._save_now(step, ranked=wish != "stop")
        if wish == "stop" and not last:
            self.stopped = self.control.should_training_stop = True
        self._update_began = time.perf_counter()

    def _account(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise RunFailure(
                "ENGINE_ERROR",
                "diverged",
                f"The loss is no longer a number at update {step}.",
                "Lower training.learning_rate, raise training.warmup_ratio, or set training.precision: fp32.",
                reason="diverged",
            )
        seconds = time.perf_counter() - self._update_began
        state = self.run_state
        state.losses.append(loss)
        state.trained_tokens += self._trained_in_update
        state.tokens += self._tokens_in_update
        state.training_seconds += seconds
        self._window.append((loss, self._tokens_in_update, seconds))

    def _tell(self, step: int, grad_norm: float, learning_rate: float) -> None:
        losses, tokens, seconds = zip(*self._window, strict=True)
        self._window.clear()
        values = {
            "loss": sum(losses) / len(losses),
            "learning_rate": learning_rate,
            "grad_norm": grad_norm,
            "tokens_per_second": sum(tokens) / max(sum(seconds), 1e-9),
            "memory_gb": memory_gb(self.args.device),
        }
        self.reporter.metric(step, values, epoch=self.state.epoch)
        done = step - self._first_step
        eta_seconds = (time.perf_counter() - self._began) / done * (self.state.max_steps - step)
        self.reporter.progress(step, self.state.max_steps, "training", eta_seconds=eta_seconds)

    def _evaluate_now(self, step: int) -> None:
        state, value = self.run_state, self.evaluation_loss()
        state.eval_loss = value
        self._evaluated_at = step
        self.reporter.metric(step, {"eval_loss": value}, epoch=self.state.epoch)
        rule = self.plan.early_stopping
        if state.lowest_eval_loss is None or value < state.lowest_eval_loss - (rule.min_delta if rule else 0.0):
            state.lowest_eval_loss, state.evaluations_without_gain = value, 0
        else:
            state.evaluations_without_gain += 1
        if rule and state.evaluations_without_gain >= rule.patience and step < self.state.max_steps:
            self.reporter.log(f"Stopped early at update {step}: {rule.patience} evaluations brought nothing better.")
            self.control.should_training_stop = True

    def _save_now(self, step: int, *, ranked: bool) -> None:
        state = self.run_state
        metrics = {"loss": self._mean_since_last_save(step)}
        if state.eval_loss is not None and self._evaluated_at == step:
            metrics["eval_loss"] = state.eval_loss
        by_eval = self.plan.metric_for_best == "eval_loss" and self.validation is not None
        value = metrics.get("eval_loss" if by_eval else "loss") if ranked else None
        is_best = value is not None and (state.best_value is None or value < state.best_value)
        if is_best:
            state.best_value = value
            state.best_checkpoint = self.checkpoints.relative(self.checkpoints.target(step))
        path, size_bytes = self.checkpoints.save(
            step,
            state,
            model=self.model,
            base_reference=self.recipe.model.base,
            optimizer=self.optimizer,
            scheduler=self.lr_scheduler,
            trainer_state=asdict(self.state),
        )
        self._saved_at = step
        self.reporter.checkpoint(
            step,
            path,
            size_bytes=size_bytes,
            epoch=self.state.epoch,
            metrics=metrics,
            is_best=is_best,
            removed=self.checkpoints.rotate(state),
        )

    def _mean_since_last_save(self, step: int) -> float:
        losses = self.run_state.losses[self._saved_at : step]
        return sum(losses) / max(len(losses), 1)

    # ---- beginning, and going on from a checkpoint

    def run(self) -> None:
        """Train to the end, or until asked to stop."""
        self._window: list[tuple[float, int, float]] = []
        self._evaluated_at = -1
        self._first_step = self._saved_at = len(self.run_state.losses)
        self._began = self._update_began = time.perf_counter()
        self.train(resume_from_checkpoint=str(self.restored.folder) if self.restored else None)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        assert self.restored is not None
        self.restored.into_model(self.model)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self.restored is not None:
            self.restored.into_optimizer(self.optimizer, self.lr_scheduler)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if self.restored is not None:
            self.restored.into_generators()

    # ---- what the library would do, and this run does not want

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """The run tells its own story."""

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not counted: walking over all parameters at every step costs more than the number is worth."""
        return 0

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        raise AssertionError("checkpoints are written by _save_now")


def updates_per_epoch(recipe: Recipe, sequences: int) -> int:
    """Optimizer updates in one pass over the data."""
    plan = recipe.training
    return math.ceil(math.ceil(sequences / plan.batch_size) / plan.gradient_accumulation_steps)


def total_updates(recipe: Recipe, sequences: int) -> int:
    """Optimizer updates of the whole run."""
    plan = recipe.training
    return plan.max_steps or math.ceil((plan.epochs or 1) * updates_per_epoch(recipe, sequences))


def trainer_arguments(recipe: Recipe, batches: Batches, folder: Path, device: torch.device) -> SFTConfig:
    """The recipe in the trainer's words. Logging, evaluation and saving are ours, so the library's are off."""
    plan = recipe.training
    updates = total_updates(recipe, len(batches))
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.gradient_accumulation_steps,
        max_steps=updates,
        learning_rate=plan.learning_rate,
        lr_scheduler_type={"constant": "constant_with_warmup"}.get(plan.scheduler, plan.scheduler),
        warmup_steps=math.ceil(plan.warmup_ratio * updates),
        weight_decay=plan.weight_decay,
        max_grad_norm=plan.max_grad_norm,
        optim="adamw_torch",
        seed=recipe.seed,
        data_seed=recipe.seed,
        gradient_checkpointing=plan.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if plan.gradient_checkpointing else None,
        bf16=False,  # autocast is entered around the loss, where one can see it
        fp16=False,
        use_cpu=device.type == "cpu",
        max_length=None,  # rows are cut when they are tokenised
        packing=False,  # and packed by us
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=device.type == "cuda",
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
    )
