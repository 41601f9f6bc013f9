"""TRL's trainer with four things of our own: the batches, the loss, the checkpoints and what is told about each update.

TRL and transformers keep the loop: accumulation, clipping, optimizer, schedule. Their own saving would write pickles, their
packing rebuilds the labels, and their loss computes entropy and accuracy at every position, so those are replaced. What is
learnt is an ``objectives.Objective``; checkpoints, resuming, stopping and early stopping are the same for each of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sized
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import PreTrainedTokenizerBase, PrinterCallback, Trainer
from trl import SFTConfig, SFTTrainer

from tunesmith.ml.checkpoint import Checkpoints, Restored, RunState
from tunesmith.ml.failures import diverged
from tunesmith.ml.machine import memory_gb
from tunesmith.ml.objectives import Examples, Objective
from tunesmith.ml.objectives.objective import Figures, add_counts, add_figures, averages, mean_loss
from tunesmith.ml.order import LengthOrder
from tunesmith.ml.policy import Batch, Policy
from tunesmith.ml.report import Reporter
from tunesmith.ml.rows import Batches
from tunesmith.ml.trained import Trained
from tunesmith.wire.recipe import Recipe


class EpochOrder(Sampler[int]):
    """A new order in every epoch that depends on seed and epoch alone, so a resumed run meets the same batches."""

    def __init__(self, data: Sized, seed: int, epoch: Callable[[], int]) -> None:
        self.length, self.seed, self.epoch = len(data), seed, epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch())
        yield from torch.randperm(self.length, generator=generator).tolist()


class ScoreTrainer(Trainer):
    """Trains ``policy`` on ``examples``; all that is ours. By itself it serves models whose head gives a score."""

    loss_is_scaled_for_ga = True  # compute_loss divides by what the whole update has

    def __init__(
        self,
        *,
        policy: Policy,
        trained: Trained,
        objective: Objective,
        tokenizer: PreTrainedTokenizerBase,
        recipe: Recipe,
        examples: Examples,
        validation: Examples | None,
        checkpoints: Checkpoints,
        reporter: Reporter,
        restored: Restored | None = None,
    ) -> None:
        self.recipe, self.plan = recipe, recipe.training
        self.policy, self.trained, self.objective = policy, trained, objective
        self.examples, self.validation = examples, validation
        self.checkpoints, self.reporter, self.restored = checkpoints, reporter, restored
        self.run_state = restored.state if restored else RunState()
        self.stopped = False
        self._counts: dict[str, int] = {}
        self._tokens_in_update = 0
        self._figures: Figures = {}
        self._handled_step = -1
        model = policy.model
        learning = [(p, p.data) for p in model.parameters() if p.requires_grad]
        super().__init__(
            model=model,
            args=trainer_arguments(recipe, len(examples), checkpoints.folder, next(model.parameters()).device),
            data_collator=examples.collate,
            # Only the numbers of the sequences go through Arrow; the collator looks the tokens up.
            train_dataset=Dataset.from_dict({"sequence": list(range(len(examples)))}),
            processing_class=tokenizer,
        )
        # Beside a base in four bits TRL rounds them to bf16, where small steps vanish.
        for parameter, values in learning:
            parameter.data = values
        self.remove_callback(PrinterCallback)

    # ---- data order

    @property
    def updates_per_epoch(self) -> int:
        """Optimizer updates in one pass over the data."""
        return updates_per_epoch(self.recipe, len(self.examples))

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        def epoch() -> int:
            return self.state.global_step // self.updates_per_epoch

        if self.plan.group_by_length and isinstance(self.examples, Batches) and not self.examples.is_packed:
            update = self.plan.batch_size * self.plan.gradient_accumulation_steps
            return LengthOrder(self.examples.lengths, update, self.recipe.seed, epoch)
        return EpochOrder(self.examples, self.recipe.seed, epoch)

    # ---- loss

    def _get_num_items_in_batch(self, batch_samples: list[Batch], device: torch.device) -> torch.Tensor:
        """What this update learns from, over all its forward passes; called once, before the first of them."""
        self.objective.prepare(self.policy, batch_samples, self.state.global_step)
        self._counts = add_counts(batch_samples)
        self._tokens_in_update = sum(batch["tokens"] for batch in batch_samples)
        return torch.tensor(max(self._counts["tokens"], 1), device=device)

    def compute_loss(
        self, model: Any, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """The loss of one forward pass: its share in the mean over the whole update."""
        outcome = self.objective.outcome(self.policy, inputs)
        add_figures(self._figures, outcome.figures)
        return mean_loss(outcome, self._counts)

    def evaluate_all(self) -> dict[str, float]:
        """``loss`` and the objective's figures as means over the validation data."""
        assert self.validation is not None
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        figures: Figures = {}
        size = self.plan.batch_size
        with torch.no_grad(), self.policy.evaluating():
            for start in range(0, len(self.validation), size):
                numbers = range(start, min(start + size, len(self.validation)))
                batch = self.validation.collate({"sequence": i} for i in numbers)
                self.objective.prepare(self.policy, [batch], -1)
                counts = add_counts([{"counts": counts}, batch])
                outcome = self.objective.outcome(self.policy, self._prepare_inputs(batch))
                for unit, total in outcome.sums.items():
                    sums[unit] = sums.get(unit, 0.0) + float(total)
                add_figures(figures, outcome.figures)
        loss = sum(total / max(counts[unit], 1) for unit, total in sums.items())
        return {"loss": loss, **averages(figures)}

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
        best_needs_it = save_due and self.plan.metric_for_best != "loss"
        if self.validation is not None and (eval_due or best_needs_it):
            self._evaluate_now(step)
        wish = self.reporter.end_requested()
        if wish == "cancel":
            raise SystemExit(0)
        if save_due or wish == "stop" or self.control.should_training_stop:
            self._save_now(step, ranked=save_due or wish != "stop")
        if wish == "stop" and not last:
            self.stopped = self.control.should_training_stop = True
        self._update_began = time.perf_counter()

    def _account(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise diverged(f"The loss is no longer a number at update {step}.")
        seconds = time.perf_counter() - self._update_began
        state = self.run_state
        state.losses.append(loss)
        state.trained_tokens += self._counts["tokens"]
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
            **averages(self._figures),
        }
        self._figures.clear()
        self.reporter.metric(step, values, epoch=self.state.epoch)
        done = step - self._first_step
        eta_seconds = (time.perf_counter() - self._began) / done * (self.state.max_steps - step)
        self.reporter.progress(step, self.state.max_steps, "training", eta_seconds=eta_seconds)

    def _evaluate_now(self, step: int) -> None:
        state, found = self.run_state, self.evaluate_all()
        state.eval_loss, state.evaluation = found["loss"], found
        self._evaluated_at = step
        told = {f"eval_{name}": figure for name, figure in found.items()}
        self.reporter.metric(step, told, epoch=self.state.epoch)
        rule = self.plan.early_stopping
        cost = self._cost(told)
        cost = found["loss"] if cost is None else cost
        if state.lowest_eval_cost is None or cost < state.lowest_eval_cost - (rule.min_delta if rule else 0.0):
            state.lowest_eval_cost, state.evaluations_without_gain = cost, 0
        else:
            state.evaluations_without_gain += 1
        if rule and state.evaluations_without_gain >= rule.patience and step < self.state.max_steps:
            self.reporter.log(f"Stopped early at update {step}: {rule.patience} evaluations brought nothing better.")
            self.control.should_training_stop = True

    def _save_now(self, step: int, *, ranked: bool) -> None:
        state = self.run_state
        metrics = {"loss": self._mean_since_last_save(step)}
        if self._evaluated_at == step:
            metrics |= {f"eval_{name}": figure for name, figure in state.evaluation.items()}
        cost = self._cost(metrics) if ranked else None
        is_best = cost is not None and (state.best_cost is None or cost < state.best_cost)
        if is_best:
            state.best_cost = cost
            state.best_checkpoint = self.checkpoints.relative(self.checkpoints.target(step))
        path, size_bytes = self.checkpoints.save(
            step,
            state,
            trained=self.trained,
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

    def _cost(self, figures: dict[str, float]) -> float | None:
        """What the best checkpoint has least of; the loss of the training rows where no row is held out."""
        if self.validation is None:
            name, more_is_better = "loss", self.plan.metric_for_best == "loss" and self.plan.more_is_better
            if not self.objective.loss_tells_progress:
                return None
        else:
            name, more_is_better = self.plan.metric_for_best, self.plan.more_is_better
        value = figures.get(name)
        return -value if value is not None and more_is_better else value

    def go_back_to_best(self) -> None:
        """Make the best checkpoint the result where it is not the last: its weights, and what was measured of them."""
        state = self.run_state
        if not state.best_checkpoint or state.best_checkpoint == state.kept[-1]:
            return
        best = Restored.read(self.checkpoints.path(state.best_checkpoint))
        best.into_weights(self.trained)
        self.reporter.log(f"the result is the best checkpoint, {Path(state.best_checkpoint).name}")
        if self.validation is None:
            return
        if self.plan.metric_for_best != "loss":  # then each checkpoint was evaluated as it was written
            state.eval_loss, state.evaluation = best.state.eval_loss, best.state.evaluation
        else:
            state.evaluation = self.evaluate_all()
            state.eval_loss = state.evaluation["loss"]

    def _mean_since_last_save(self, step: int) -> float:
        losses = self.run_state.losses[self._saved_at : step]
        return sum(losses) / max(len(losses), 1)

    # ---- beginning, and going on from a checkpoint

    def run(self) -> None:
        """Train to the end, or until asked to stop."""
        self._window: list[tuple[float, int, float]] = []
        self._evaluated_at = -1
        self._first_step = len(self.run_state.losses)
        self._saved_at = self._first_step // self.plan.save_steps * self.plan.save_steps
        self._began = self._update_began = time.perf_counter()
        self.train(resume_from_checkpoint=str(self.restored.folder) if self.restored else None)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        assert self.restored is not None
        self.restored.into_weights(self.trained)

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


class RunTrainer(ScoreTrainer, SFTTrainer):
    """The same for language models, on top of TRL's trainer."""


def updates_per_epoch(recipe: Recipe, sequences: int) -> int:
    """Optimizer updates in one pass over the data."""
    plan = recipe.training
    return math.ceil(math.ceil(sequences / plan.batch_size) / plan.gradient_accumulation_steps)


def total_updates(recipe: Recipe, sequences: int) -> int:
    """Optimizer updates of the whole run."""
    plan = recipe.training
    return plan.max_steps or math.ceil((plan.epochs or 1) * updates_per_epoch(recipe, sequences))


def trainer_arguments(recipe: Recipe, examples: int, folder: Path, device: torch.device) -> SFTConfig:
    """The recipe in the trainer's words. Logging, evaluation and saving are ours, so the library's are off."""
    plan = recipe.training
    updates = total_updates(recipe, examples)
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=plan.batch_size,
        gradient_accumulation_steps=plan.gradient_accumulation_steps,
        max_steps=updates,
        learning_rate=plan.learning_rate,
        lr_scheduler_type={"constant": "constant_with_warmup"}.get(plan.scheduler, plan.scheduler),
        warmup_steps=min(math.ceil(plan.warmup_ratio * updates), updates - 1),  # the first of a warm-up moves nothing
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
