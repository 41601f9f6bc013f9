"""The trainer of one rank among several. What differs from a run of one process, and nothing else:

- **data**: an update's rows are those of one process, in the same order; each rank takes its share of the forward passes.
- **loss**: a sum over this rank's rows divided by what the whole update has over all ranks, so that the ranks' shares add up to
  the loss of one process.
- **chance**: dropout is drawn from seed, update and rank, so that nothing of it has to be kept.
- **telling**: the first rank tells, saves and writes; all of them know the same figures and so decide the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from tunesmith.ml.checkpoint import Checkpoints, RunState, split_optimizer
from tunesmith.ml.machine import memory_gb
from tunesmith.ml.objectives import Objective
from tunesmith.ml.objectives.objective import Figures, add_figures, averages
from tunesmith.ml.policy import Batch, Policy
from tunesmith.ml.ranks import Ranks
from tunesmith.ml.trainer import RunTrainer, ScoreTrainer
from tunesmith.ml.wrappers import DataParallel, FullySharded, LossModule, Wrapped
from tunesmith.wire.recipe import Recipe


def share(rows: Sequence[int], batch_size: int, accumulated: int, rank: int, size: int) -> list[list[int]]:
    """The forward passes of ``rank`` in an update of ``rows``: as many as every other rank has.

    Where one process would have as many passes as there are ranks, they are dealt out whole; else the rows are divided evenly.
    A pass for which nothing is left takes the update's first row, marked by ``~row``: it is computed and counts nothing.
    """
    if accumulated >= size:
        passes = [list(rows[at : at + batch_size]) for at in range(0, len(rows), batch_size)]
    else:
        ends = [len(rows) * n // size for n in range(size + 1)]
        passes = [list(rows[ends[n] : ends[n + 1]]) for n in range(size)]
    rounds = -(-len(passes) // size)
    mine = [passes[n] if n < len(passes) else [] for n in range(rank, rounds * size, size)]
    return [numbers or [~rows[0]] for numbers in mine]


def passes_of_update(accumulated: int, size: int) -> int:
    """Forward passes that each rank has in a full update."""
    return -(-accumulated // size) if accumulated >= size else 1


class Shares(Sampler[list[int]]):
    """The batches of one rank, epoch by epoch in the order that one process would have."""

    def __init__(self, order: Sampler[int], batch_size: int, accumulated: int, ranks: Ranks) -> None:
        self._order, self._ranks = order, ranks
        self._batch_size, self._accumulated = batch_size, accumulated

    def __len__(self) -> int:
        count = len(self._order)
        return sum(len(self._of_update(range(at, end))) for at, end in self._updates(count))

    def __iter__(self) -> Iterator[list[int]]:
        rows = list(self._order)
        for at, end in self._updates(len(rows)):
            yield from self._of_update(rows[at:end])

    def _updates(self, count: int) -> Iterator[tuple[int, int]]:
        step = self._batch_size * self._accumulated
        return ((at, min(at + step, count)) for at in range(0, count, step))

    def _of_update(self, rows: Sequence[int]) -> list[list[int]]:
        return share(rows, self._batch_size, self._accumulated, self._ranks.rank, self._ranks.size)


class Numbers(Dataset[dict[str, int]]):
    """The numbers of the sequences, marked ones too."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> dict[str, int]:
        return {"sequence": number}


class RankCheckpoints(Checkpoints):
    """The first rank writes; the others give it their parts of what is divided, and know the same names."""

    def __init__(self, folder: Path, keep_last_n: int, ranks: Ranks) -> None:
        super().__init__(folder, keep_last_n)
        self._ranks = ranks

    def save(self, step: int, state: RunState, **parts: Any) -> tuple[Path, int]:
        """Write everything that going on needs, or give the first rank what it gathers. Returns folder and size."""
        if self._ranks.is_first:
            return super().save(step, state, **parts)
        split_optimizer(parts["optimizer"].state_dict())  # in the order of the first rank
        parts["trained"].published()
        return self.note(step, state), 0

    def _remove(self, folder: Path) -> bool:
        return super()._remove(folder) if self._ranks.is_first else False


class ManyRanks(ScoreTrainer):
    """What a rank does in another way than one process alone."""

    def __init__(self, *, ranks: Ranks, wrapped: Wrapped, **given: Any) -> None:
        self.ranks, self.wrapped = ranks, wrapped
        self._passes_left = 0
        self._own = {"loss_seconds": 0.0, "seconds": 0.0, "tokens": 0.0}
        super().__init__(**given)
        self.args.gradient_accumulation_steps = passes_of_update(self.plan.gradient_accumulation_steps, ranks.size)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """The trainer's own, handed to the wrapper: all ranks find it in its place before the first update."""
        self.optimizer = self.wrapped.begin(super().create_optimizer(model))
        self.reporter.log(self.wrapped.describe())
        self.run_state.strategy = self.wrapped.strategy
        return self.optimizer

    # ---- data

    def get_train_dataloader(self) -> DataLoader[Any]:
        """This rank's batches."""
        order = self._get_train_sampler()
        plan = self.plan
        shares = Shares(order, plan.batch_size, plan.gradient_accumulation_steps, self.ranks)
        return DataLoader(Numbers(len(self.examples)), batch_sampler=shares, collate_fn=self._collate)

    def _collate(self, examples: Iterable[dict[str, int]]) -> Batch:
        numbers = [example["sequence"] for example in examples]
        is_absent = numbers[0] < 0
        batch = self.examples.collate({"sequence": ~number if is_absent else number} for number in numbers)
        return _without_weight(batch) if is_absent else batch

    # ---- one update

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Nothing to put back: every update draws from a seed of its own."""

    def _get_num_items_in_batch(self, batch_samples: list[Batch], device: torch.device) -> torch.Tensor:
        super()._get_num_items_in_batch(batch_samples, device)
        self._passes_left = len(batch_samples)
        self._own["tokens"] += self._tokens_in_update
        summed = self.ranks.add({**self._counts, "/tokens": self._tokens_in_update})
        self._tokens_in_update = int(summed.pop("/tokens"))
        self._counts = {unit: int(count) for unit, count in summed.items()}
        torch.manual_seed((self.recipe.seed * 1_000_003 + self.state.global_step) * 4_099 + self.ranks.rank)
        return torch.tensor(max(self._counts["tokens"], 1), device=device)

    def training_step(self, model: Any, inputs: Batch, num_items_in_batch: Any = None) -> torch.Tensor:
        """One forward and backward pass."""
        self._passes_left -= 1
        began = time.perf_counter()
        with self.wrapped.passing(is_last=self._passes_left == 0):
            loss = super().training_step(model, inputs, num_items_in_batch)
        self._own["seconds"] += time.perf_counter() - began
        return loss

    def compute_loss(
        self, model: Any, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """This rank's share in the mean, times the number of ranks, over which the wrapper takes the mean."""
        began = time.perf_counter()
        loss: torch.Tensor = self.wrapped.module(inputs, self._counts)
        self._own["loss_seconds"] += time.perf_counter() - began
        if inputs.get("absent"):
            return loss * 0.0
        add_figures(self._figures, self.wrapped.loss.figures)
        return loss * self.ranks.size

    def _clip_grad_norm(self, model: Any) -> Any:
        return self.wrapped.clip(self.args.max_grad_norm)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        return self.wrapped.clip(float("inf")) if grad_norm is None else grad_norm

    # ---- after an update

    def _maybe_log_save_evaluate(self, tr_loss: torch.Tensor, grad_norm: Any, *rest: Any, **named: Any) -> None:
        if self.state.global_step != self._handled_step:
            shares = self.ranks.tell_all(tr_loss.item())
            tr_loss.fill_(sum(shares) / self.ranks.size)
            grad_norm = self.wrapped.norm(grad_norm)
        super()._maybe_log_save_evaluate(tr_loss, grad_norm, *rest, **named)

    def _tell(self, step: int, grad_norm: float, learning_rate: float) -> None:
        own = {**self._own, "memory_gb": memory_gb(self.args.device), "figures": self._figures}
        said = self.ranks.tell_all(own)
        self._own = dict.fromkeys(self._own, 0.0)
        self._figures = {}
        for one in said:
            add_figures(self._figures, one["figures"])
        values: dict[str, float] = {}
        for rank, one in enumerate(said):
            values |= {
                f"rank_{rank}_loss_seconds": one["loss_seconds"],
                f"rank_{rank}_memory_gb": one["memory_gb"],
                f"rank_{rank}_tokens_per_second": one["tokens"] / max(one["seconds"], 1e-9),
            }
        self.reporter.metric(step, values, epoch=self.state.epoch)
        if step - self._first_step <= self.plan.logging_steps or step >= self.state.max_steps:
            for rank in range(self.ranks.size):
                loss, memory, speed = (
                    values[f"rank_{rank}_{name}"] for name in ("loss_seconds", "memory_gb", "tokens_per_second")
                )
                self.reporter.log(
                    f"update {step}, rank {rank}: {loss:.3f} s in the loss, {memory:.2f} GB, {speed:.0f} tokens/s of its own"
                )
        super()._tell(step, grad_norm, learning_rate)

    def evaluate_all(self) -> dict[str, float]:
        """``loss`` and the objective's figures as means over the validation data, which the ranks share."""
        assert self.validation is not None
        sums: dict[str, float] = {}
        counts: dict[str, float] = {}
        figures: Figures = {}
        size = self.plan.batch_size
        starts = list(range(0, len(self.validation), size))
        with torch.no_grad(), self.policy.evaluating(), self.wrapped.measuring():
            for place in range(0, len(starts), self.ranks.size):
                is_there = place + self.ranks.rank < len(starts)
                start = starts[place + self.ranks.rank] if is_there else 0
                numbers = range(start, min(start + size, len(self.validation)))
                batch = self.validation.collate({"sequence": i} for i in numbers)
                self.objective.prepare(self.policy, [batch], -1)
                own = batch["counts"]
                self.wrapped.loss(self._prepare_inputs(batch), own)
                if is_there:
                    for unit, total in self.wrapped.loss.sums.items():
                        sums[unit] = sums.get(unit, 0.0) + float(total)
                        counts[unit] = counts.get(unit, 0) + own[unit]
                    add_figures(figures, self.wrapped.loss.figures)
        said = self.ranks.tell_all([sums, counts, figures])
        whole: Figures = {}
        shown: Figures = {}
        for of_sums, of_counts, of_figures in said:
            add_figures(whole, {unit: (of_sums[unit], of_counts[unit]) for unit in of_sums})
            add_figures(shown, of_figures)
        return {"loss": sum(total / max(count, 1) for total, count in whole.values()), **averages(shown)}


class ManyRunTrainer(ManyRanks, RunTrainer):
    """The same for language models."""


def checkpoints_of(ranks: Ranks) -> Callable[[Path, int], Checkpoints]:
    """How this rank keeps checkpoints."""
    return Checkpoints if ranks.size == 1 else partial(RankCheckpoints, ranks=ranks)


def trainer_of(
    ranks: Ranks, recipe: Recipe, objective: Objective, policy: Policy, device: torch.device
) -> Callable[..., ScoreTrainer]:
    """The trainer of a run alone, or of a rank; a model that several divide is divided when this answers."""
    is_words = objective.head == "words"
    if ranks.size == 1:
        return RunTrainer if is_words else ScoreTrainer
    wrapped = wrap(recipe, policy, objective, ranks, device)
    return partial(ManyRunTrainer if is_words else ManyRanks, ranks=ranks, wrapped=wrapped)


def wrap(recipe: Recipe, policy: Policy, objective: Objective, ranks: Ranks, device: torch.device) -> Wrapped:
    """The loss in the wrapper that the recipe names; weights that are to be divided are divided when this answers."""
    loss, plan = LossModule(policy, objective), recipe.resources.distributed
    assert plan is not None
    if plan.strategy == "fsdp":
        return FullySharded(loss, ranks, device)
    if plan.strategy == "ddp":
        return DataParallel(loss, ranks)
    from tunesmith.ml.zero import Zero

    return Zero(loss, ranks, device, plan.zero_stage or 2, recipe.training.max_grad_norm)


def _without_weight(batch: Batch) -> Batch:
    """A batch that is computed because the other ranks compute one, and counts nothing."""
    nothing = dict.fromkeys(batch["counts"], 0)
    return batch | {"counts": nothing, "tokens": 0, "absent": True}
