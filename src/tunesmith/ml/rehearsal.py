"""The first updates of a run, timed and weighed: two on the longest batch that the run will meet, then typical ones.

What is measured, and how a whole run follows from it:

- **memory**: the process's peak, after updates on the longest batch (the second one has the optimizer's moments), an evaluation
  and a checkpoint. Where the longest batch does not fit, fewer rows of it are tried and the peak is carried on in a line.
- **time**: start (from the birth of the process to the first update) + updates × (optimizer and accounts + forward passes of an
  update × mean of the typical ones) + evaluations + checkpoints + end. Typical batches are drawn evenly from the sizes that the
  run's own order gives; their mean is corrected by how much larger or smaller they are than all.
"""

from __future__ import annotations

import gc
import math
import random
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch.utils.data import DataLoader

from tunesmith.kit.memory import available_bytes
from tunesmith.ml.failures import explain
from tunesmith.ml.machine import GIB
from tunesmith.ml.trainer import total_updates, updates_per_epoch
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.spec import ForecastSpec, TrainSpec

LONGEST = 2
"""Updates on the longest batch."""
TYPICAL = 12
"""Updates on typical batches, fewer when they take longer than the budget."""
BUDGET_SECONDS = 45.0
EPOCHS_LOOKED_AT = 20
EVALUATED_SEQUENCES = 32
SAFE_SHARE = 0.9
"""Of the free memory: a rehearsal must not take the machine down."""
TEARDOWN_SECONDS = 0.7
"""From the last word of a child to its end."""


def abridged(spec: ForecastSpec) -> TrainSpec:
    """The run as far as it is rehearsed. Two forward passes for an update hold all that more of them would hold."""
    recipe = spec.recipe.model_copy(deep=True)
    plan = recipe.training
    plan.epochs, plan.max_steps, plan.early_stopping = None, LONGEST + TYPICAL, None
    plan.gradient_accumulation_steps = min(2, plan.gradient_accumulation_steps)
    resources = recipe.resources
    resources.processes, resources.distributed, resources.gpu_ids = None, None, (resources.gpu_ids or [])[:1] or None
    recipe.resources.memory_limit_gib = None  # beside a GPU such a limit would forbid the driver's address space
    if not torch.cuda.is_available():
        recipe.resources.memory_limit_gib = SAFE_SHARE * available_bytes() / GIB
    fields = set(TrainSpec.model_fields) & set(ForecastSpec.model_fields) - {"kind", "recipe"}
    return TrainSpec(recipe=recipe, **{name: getattr(spec, name) for name in fields})


@dataclass(frozen=True)
class Order:
    """The forward passes of a run, from the order in which it will meet its data."""

    batches: list[list[int]]
    sizes: np.ndarray
    """Rows × longest row of each, in tokens: what a forward pass has to do."""
    updates: int
    passes: int
    tokens: int


class Rehearsal:
    """Called by the run in place of its training; answers the figures."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.imported_bytes = resident_bytes()  # from here on the run's own memory limit counts
        self.passes: list[float] = []
        self.updates: list[float] = []
        self.ended = 0

    def __call__(self, trainer: Any) -> dict[str, Any]:
        """Rehearse and measure."""
        start_seconds = time.time() - psutil.Process().create_time()
        self.trainer, self.examples = trainer, trainer.data_collator.__self__
        self.lengths = self.examples.lengths
        ready_bytes = resident_bytes()
        order = self.order()
        trainer.reporter.progress(0, LONGEST + TYPICAL, "rehearsing")
        rows = len(order.batches[int(order.sizes.argmax())])
        peak, fits = self.rehearse(order, rows, ready_bytes)
        evaluate_seconds = self.evaluate()
        save_seconds, checkpoint_bytes = self.save()
        if fits:
            peak = max(peak, peak_bytes(trainer.args.device))
        update_seconds, first_seconds, spent = self.seconds_of_an_update(order)
        evaluations, saves = self.occasions(order.updates)
        end_seconds = save_seconds + (save_seconds if trainer.validation is not None else 0.0) + TEARDOWN_SECONDS
        total = start_seconds + first_seconds + order.updates * update_seconds + end_seconds
        total += evaluations * evaluate_seconds + saves * save_seconds
        rows_read = getattr(self.examples, "rows", None)
        trainable = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
        return {
            "peak_memory_bytes": int(peak),
            "imported_memory_bytes": self.imported_bytes,
            "device_memory_bytes": device_memory_bytes(trainer.args.device),
            "fits": fits,
            "seconds": total,
            "seconds_per_step": update_seconds,
            "start_seconds": start_seconds,
            "evaluation_seconds": evaluations * evaluate_seconds,
            "checkpoint_seconds": saves * save_seconds,
            "checkpoint_bytes": checkpoint_bytes,
            "steps": order.updates,
            "evaluations": evaluations,
            "checkpoints": saves,
            "tokens": order.tokens,
            "padding_share": 1 - order.tokens / max(1.0, float(order.sizes.mean()) * order.passes),
            "sequences": len(self.examples),
            "rows": len(rows_read) if rows_read is not None else len(self.examples),
            "truncated_rows": self.examples.cut,
            "rows_without_target": [int(n) for n in getattr(rows_read, "without_target", [])][:1000],
            "longest_tokens": int(max(self.lengths)),
            "measured_updates": spent,
            "device": trainer.args.device.type,
            "precision": str(trainer.recipe.training.precision),
            "trainable_parameters": trainable,
            "total_parameters": sum(p.numel() for p in trainer.model.parameters()),
        }

    # ---- the run's own order

    def order(self) -> Order:
        """The forward passes of the first epochs, and what the whole run comes to."""
        trainer, size = self.trainer, self.recipe.training.batch_size
        count, lengths = len(self.examples), np.asarray(self.lengths)
        updates, in_epoch = total_updates(self.recipe, count), updates_per_epoch(self.recipe, count)
        epochs = updates / in_epoch
        batches: list[list[int]] = []
        for epoch in range(min(EPOCHS_LOOKED_AT, math.ceil(epochs))):
            trainer.state.global_step = epoch * trainer.updates_per_epoch
            numbers = list(trainer._get_train_sampler())
            batches += [numbers[at : at + size] for at in range(0, count, size)]
        trainer.state.global_step = 0
        whole = math.ceil(count / size)
        passes = round(epochs * whole) if updates > in_epoch else min(whole, updates * self.accumulated)
        batches = batches[:passes] if len(batches) > passes else batches
        sizes = np.array([len(batch) * int(lengths[batch].max()) for batch in batches])
        seen = sum(int(lengths[batch].sum()) for batch in batches)
        return Order(batches, sizes, updates, passes, round(seen * passes / len(batches)))

    @property
    def accumulated(self) -> int:
        """Forward passes of an update of the run."""
        return self.recipe.training.gradient_accumulation_steps

    # ---- updates

    def rehearse(self, order: Order, rows: int, ready_bytes: int) -> tuple[float, bool]:
        """Run the updates; where memory does not suffice, with fewer rows. Answers the peak of a whole batch, and if it fits."""
        whole = rows
        while True:
            reset_peak(self.trainer.args.device)
            try:
                self.run(self.chosen(order, rows))
                break
            except Exception as error:
                if explain(error).reason != "out-of-memory" or rows == 1:
                    raise
                self.trainer.reporter.log(f"a batch of {rows} rows does not fit; trying {rows // 2}", "warning")
            rows //= 2
            self.trainer.model.zero_grad(set_to_none=True)
            gc.collect()
        peak = peak_bytes(self.trainer.args.device)
        if rows == whole:
            return peak, True
        for seconds in (self.passes, self.updates):
            seconds[:] = [value * whole / rows for value in seconds]
        return ready_bytes + (peak - ready_bytes) * whole / rows, False

    def chosen(self, order: Order, rows: int) -> list[list[int]]:
        """The longest batch for two updates, then typical ones: evenly from small to large, in a seeded order."""
        passes = self.trainer.plan.gradient_accumulation_steps
        longest = order.batches[int(order.sizes.argmax())]
        by_size = np.argsort(order.sizes, kind="stable")
        places = (np.arange(TYPICAL * passes) + 0.5) / (TYPICAL * passes) * len(by_size)
        typical = [int(by_size[int(place)]) for place in places]
        random.Random(self.recipe.seed).shuffle(typical)
        self.expected = float(order.sizes.mean())
        self.sizes = [float(order.sizes.max())] * LONGEST * passes + [float(order.sizes[i]) for i in typical]
        batches = [longest] * LONGEST * passes + [order.batches[i] for i in typical]
        return [sorted(batch, key=lambda i: -self.lengths[i])[:rows] for batch in batches]

    def run(self, batches: Sequence[list[int]]) -> None:
        """The trainer's own loop over ``batches``, timed from inside."""
        trainer = self.trainer
        self.passes, self.updates, self.ended = [], [], 0
        data = DataLoader(trainer.train_dataset, batch_sampler=batches, collate_fn=trainer.data_collator)
        trainer.get_train_dataloader = lambda: data
        inner = type(trainer).training_step
        trainer.training_step = lambda *args, **kwargs: self.timed(inner, trainer, *args, **kwargs)
        trainer._maybe_log_save_evaluate = self.after_update
        self.began = time.perf_counter()
        trainer.run()

    def timed(self, inner: Any, *args: Any, **kwargs: Any) -> Any:
        """One forward and backward pass."""
        began = time.perf_counter()
        loss = inner(*args, **kwargs)
        wait_for(self.trainer.args.device)
        self.passes.append(time.perf_counter() - began)
        return loss

    def after_update(self, tr_loss: torch.Tensor, *_: Any, **__: Any) -> None:
        """What the run does after an update, as far as it costs time; ends the rehearsal when its time is up."""
        trainer = self.trainer
        step = trainer.state.global_step
        if step == self.ended:
            return
        self.ended = step
        tr_loss -= tr_loss.item()
        self.updates.append(time.perf_counter() - self.began)
        trainer.reporter.progress(step, LONGEST + TYPICAL, "rehearsing")
        if trainer.reporter.end_requested():
            raise SystemExit(0)
        if step > LONGEST and sum(self.updates) > BUDGET_SECONDS:
            trainer.control.should_training_stop = True
        self.began = time.perf_counter()

    def seconds_of_an_update(self, order: Order) -> tuple[float, float, int]:
        """Seconds of a typical update, what the first one takes besides, and how many were measured."""
        passes = self.trainer.plan.gradient_accumulation_steps
        done = len(self.updates) * passes
        first = LONGEST * passes
        seconds, sizes = self.passes[first:done], self.sizes[first:done]
        mean = sum(seconds) / len(seconds) * self.expected / (sum(sizes) / len(sizes))
        outside = [whole - sum(self.passes[i * passes : (i + 1) * passes]) for i, whole in enumerate(self.updates)]
        besides = sum(outside[1:]) / max(1, len(outside) - 1)
        extra = max(0.0, self.updates[0] - self.updates[1])
        return besides + mean * order.passes / order.updates, extra, len(self.updates)

    # ---- what else a run does

    def evaluate(self) -> float:
        """Seconds of one evaluation; a long one from a part of it."""
        trainer = self.trainer
        whole = trainer.validation
        if whole is None:
            return 0.0
        part = Part(whole, max(EVALUATED_SEQUENCES, trainer.plan.batch_size))
        trainer.validation = part
        began = time.perf_counter()
        trainer._evaluate_now(0)
        seconds = time.perf_counter() - began
        trainer.validation = whole
        share = sum(whole.lengths) / max(1, sum(part.lengths))
        return seconds * share

    def save(self) -> tuple[float, int]:
        """Seconds and bytes of a checkpoint, which is removed at once."""
        trainer = self.trainer
        folder: Path = trainer.checkpoints.target(0)
        began = time.perf_counter()
        trainer._save_now(0, ranked=False)
        seconds = time.perf_counter() - began
        size_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder)
        return seconds, size_bytes

    def occasions(self, updates: int) -> tuple[int, int]:
        """How often the run evaluates and saves, by the trainer's own rule."""
        plan = self.recipe.training
        saved = set(range(plan.save_steps, updates + 1, plan.save_steps)) | {updates}
        if self.trainer.validation is None:
            return 0, len(saved)
        evaluated = set(range(plan.eval_steps, updates + 1, plan.eval_steps)) if plan.eval_steps else set()
        evaluated |= {updates} | (saved if plan.metric_for_best != "loss" else set())
        return len(evaluated), len(saved)


class Part:
    """Some examples of many, evenly chosen, in the place of all."""

    def __init__(self, whole: Any, count: int) -> None:
        step = max(1, len(whole) // count)
        self._whole = whole
        self._chosen = list(range(0, len(whole), step))[:count]

    def __len__(self) -> int:
        return len(self._chosen)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each."""
        lengths = self._whole.lengths
        return [lengths[i] for i in self._chosen]

    def collate(self, examples: Iterable[dict[str, int]]) -> Any:
        """As the whole does it."""
        return self._whole.collate({"sequence": self._chosen[example["sequence"]]} for example in examples)


def resident_bytes() -> int:
    """Memory that this process has in use now."""
    return int(psutil.Process().memory_info().rss)


def peak_bytes(device: torch.device) -> int:
    """The most that was in use at once: on a GPU what torch allocated there, else the process's resident memory."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) << 10 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # bytes on macOS


def device_memory_bytes(device: torch.device) -> int | None:
    """Memory of a GPU that this process has or may still take; None where it is the machine's own."""
    if device.type != "cuda":
        return None
    free, _total = torch.cuda.mem_get_info()
    return int(free + torch.cuda.memory_reserved())


def reset_peak(device: torch.device) -> None:
    """Begin to look for the peak anew."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    switch = Path("/proc/self/clear_refs")
    if switch.exists():
        switch.write_text("5")


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()
