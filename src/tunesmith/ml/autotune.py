"""``training.autotune``: a few passes in each of several shapes before the run, and the fastest that fits is taken.

Only what changes nothing but time and the last bits is tried: into how many forward passes an update is divided, whether
activations are kept, how many threads compute. The recipe as it stands is one of the candidates and wins unless another is
clearly faster. No weight and no generator is moved by it.

The choice is kept per device, model and shape of the recipe, so the same recipe runs the same way again, and a run that goes on
takes what its checkpoint says.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tunesmith.kit.machine import processor_count
from tunesmith.kit.memory import available_bytes
from tunesmith.kit.paths import write_json
from tunesmith.ml.attention import base_model
from tunesmith.ml.checkpoint import Restored, read_generators, write_generators
from tunesmith.ml.failures import explain
from tunesmith.ml.machine import use_threads
from tunesmith.ml.objectives import Examples, Objective
from tunesmith.ml.objectives.objective import add_counts, mean_loss
from tunesmith.ml.policy import Policy
from tunesmith.ml.rehearsal import SAFE_SHARE, peak_bytes, reset_peak, resident_bytes, wait_for
from tunesmith.ml.report import Reporter
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.spec import TrainSpec

CLEARLY = 0.97
"""Share of the plain recipe's time below which another shape is taken."""
ROUNDS = 3
"""Updates measured of each candidate, after one that is not."""
BUDGET_SECONDS = 120.0
"""Candidates that are not begun by then are left out."""
LARGEST_PASSES = 5
"""Divisions of an update that are tried."""
KEPT_SHARE = 8
"""How many times the memory of a pass grows, at most, where activations are kept."""


@dataclass(frozen=True)
class Shape:
    """How an update is computed."""

    batch_size: int
    gradient_accumulation_steps: int
    gradient_checkpointing: bool
    threads: int

    def into(self, recipe: Recipe) -> None:
        """Write it into the resolved recipe (threads are kept by the checkpoints)."""
        plan = recipe.training
        plan.batch_size, plan.gradient_accumulation_steps = self.batch_size, self.gradient_accumulation_steps
        plan.gradient_checkpointing = self.gradient_checkpointing

    def __str__(self) -> str:
        kept = "activations computed again" if self.gradient_checkpointing else "activations kept"
        return f"{self.batch_size} × {self.gradient_accumulation_steps}, {kept}, {self.threads} threads"


class Autotune:
    """Finds the fastest shape of one run."""

    def __init__(self, recipe: Recipe, objective: Objective, policy: Policy, examples: Examples, kept_in: Path) -> None:
        self._recipe, self._objective, self._policy, self._examples = recipe, objective, policy, examples
        self._folder = kept_in
        self._device = next(policy.model.parameters()).device
        self._lengths = examples.lengths
        self._by_length = sorted(range(len(examples)), key=lambda row: -self._lengths[row])
        self._grown_bytes = self._room_bytes = 0

    def choose(self, threads: int, model: Path) -> tuple[Shape, str]:
        """The shape to run in, and the sentence that says why; it is kept for the next run like this one."""
        plan = self._recipe.training
        plain = Shape(plan.batch_size, plan.gradient_accumulation_steps, plan.gradient_checkpointing, threads)
        file = self._folder / f"{self._key(plain, model)}.json"
        known = _read(file)
        if known is not None:
            return known, "as found before for this device, model and recipe"
        seconds = self._measure(self._candidates(plain))
        whole = {shape: sum(times) / ROUNDS for shape, times in seconds.items() if times and len(times) == ROUNDS}
        best = min(whole, key=lambda shape: whole[shape], default=plain)
        if plain in whole and whole[best] > CLEARLY * whole[plain]:
            best = plain
        _write(file, best)
        told = "; ".join(f"{shape}: {_told(times)}" for shape, times in seconds.items())
        why = "the recipe as it is" if best == plain else "the fastest"
        return best, f"{why} (seconds of an update: {told})"

    def _candidates(self, plain: Shape) -> list[Shape]:
        """The recipe first; then other divisions of the same update, all processors, activations kept."""
        rows = plain.batch_size * plain.gradient_accumulation_steps
        sizes = [size for size in range(1, rows + 1) if rows % size == 0 and size <= len(self._examples)] or [rows]
        sizes = sizes[:: max(1, -(-len(sizes) // LARGEST_PASSES))]
        counts = {plain.threads, processor_count()} if self._device.type == "cpu" else {plain.threads}
        shapes = [
            Shape(size, rows // size, again, count)
            for size in sizes
            for again in ((False, True) if plain.gradient_checkpointing else (False,))
            for count in sorted(counts)
        ]
        return [plain, *(shape for shape in shapes if shape != plain)]

    def _measure(self, shapes: list[Shape]) -> dict[Shape, list[float] | None]:
        """Seconds of each one's updates; None where it does not fit. In turns: what else runs disturbs all alike."""
        tensors, plain = read_generators()
        spent: dict[Shape, list[float] | None] = {shape: [] for shape in shapes}
        ends = time.monotonic() + BUDGET_SECONDS
        for number in range(ROUNDS + 1):
            for shape in shapes:
                times = spent[shape]
                is_late = shape != shapes[0] and time.monotonic() > ends
                if times is None or is_late or len(times) < number - 1:
                    continue
                seconds = self._fitting(shape, shapes[0], number)
                if seconds is None:
                    spent[shape] = None
                elif number:
                    times.append(seconds)
        write_generators(tensors, plain)
        self._policy.model.zero_grad(set_to_none=True)
        return spent

    def _fitting(self, shape: Shape, plain: Shape, number: int) -> float | None:
        """Seconds of one update; None where it does not fit, or is not going to."""
        is_plain = shape == plain
        if not is_plain and self._device.type != "cuda":  # where memory runs out, the system ends the process
            larger = shape.batch_size / plain.batch_size
            kept = KEPT_SHARE if plain.gradient_checkpointing and not shape.gradient_checkpointing else 1
            if self._grown_bytes * larger * kept > SAFE_SHARE * self._room_bytes:
                return None
        reset_peak(self._device)
        before = resident_bytes()
        if is_plain and number == 0:
            self._room_bytes = available_bytes()
        try:
            seconds = self._update(shape, number)
        except Exception as error:
            if explain(error).reason != "out-of-memory" or is_plain:
                raise
            gc.collect()
            return None
        if is_plain and number == 0:
            self._grown_bytes = max(0, peak_bytes(self._device) - before)
        return seconds

    def _update(self, shape: Shape, number: int) -> float:
        """Forward and backward over the rows of one update: the longest first, then shorter ones; the same for each shape."""
        rows = shape.batch_size * shape.gradient_accumulation_steps
        first = max(0, min(len(self._by_length) - rows, number * len(self._by_length) // (ROUNDS + 1)))
        chosen = self._by_length[first : first + rows]
        use_threads(shape.threads)
        policy = self._policy
        with self._checkpointing(shape.gradient_checkpointing), self._training():
            began = time.perf_counter()
            parts = [chosen[at : at + shape.batch_size] for at in range(0, len(chosen), shape.batch_size)]
            batches = [self._examples.collate({"sequence": row} for row in part) for part in parts]
            self._objective.prepare(policy, batches, 0)
            counts = add_counts(batches)
            for batch in batches:
                there = {k: v.to(self._device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
                mean_loss(self._objective.outcome(policy, there), counts).backward()
            wait_for(self._device)
            seconds = time.perf_counter() - began
        policy.model.zero_grad(set_to_none=True)
        return seconds

    @contextlib.contextmanager
    def _checkpointing(self, on: bool) -> Iterator[None]:
        whole = base_model(self._policy.model)
        if on:
            whole.activation_checkpointing_enable({"use_reentrant": False})
        try:
            yield
        finally:
            if on:
                whole.activation_checkpointing_disable()

    @contextlib.contextmanager
    def _training(self) -> Iterator[None]:
        was_training = self._policy.model.training
        self._policy.model.train()
        try:
            yield
        finally:
            self._policy.model.train(was_training)

    def _key(self, plain: Shape, model: Path) -> str:
        recipe = self._recipe
        device = torch.cuda.get_device_name() if self._device.type == "cuda" else self._device.type
        configuration = hashlib.sha256((model / "config.json").read_bytes()).hexdigest()
        plan = recipe.training
        shape = [plan.max_length, plan.packing, plan.precision, plan.compile, plan.offload_activations]
        method = recipe.method.model_dump(mode="json")
        about = [asdict(plain), shape, method, device, processor_count(), torch.__version__, configuration]
        about += [len(self._lengths), max(self._lengths), sum(self._lengths), recipe.resources.memory_limit_gib]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def settle(
    spec: TrainSpec,
    objective: Objective,
    policy: Policy,
    examples: Examples,
    threads: int,
    restored: Restored | None,
    reporter: Reporter,
) -> tuple[int, dict[str, Any] | None]:
    """Put the fastest shape into the recipe if it asks for one, and tell it; answers threads and shape for the checkpoints.

    A run that goes on does so in the shape that it began in; one that had to be repaired keeps its portions.
    """
    recipe = spec.recipe
    if not recipe.training.autotune:
        return threads, None
    if spec.repairs:
        return threads, None
    if restored is not None and restored.state.shape is not None:
        # as many threads as the run has now, which are fewer where several processes go on
        shape, told = Shape(**restored.state.shape | {"threads": threads}), "as the run began"
    elif restored is not None:
        return threads, None
    elif recipe.resources.world.size > 1:
        reporter.log("autotune: left out, since several processes would each choose for themselves")
        return threads, None
    elif objective.name == "grpo":
        reporter.log("autotune: left out, since generating answers takes most of the time of grpo")
        return threads, None
    elif objective.name == "kto":
        reporter.log("autotune: left out, since kto estimates its drift from the answers of one forward pass")
        return threads, None
    else:
        reporter.progress(0, message="trying shapes")
        folder = Path(spec.cache_path) if spec.cache_path else reporter.run.path
        tuning = Autotune(recipe, objective, policy, examples, folder / "autotune")
        shape, told = tuning.choose(threads, Path(spec.model_path))
    shape.into(recipe)
    use_threads(shape.threads)
    reporter.log(f"autotune: {shape}, {told}")
    return shape.threads, asdict(shape)


def _told(times: list[float] | None) -> str:
    if times is None:
        return "does not fit"
    return f"{sum(times) / ROUNDS:.3f}" if len(times) == ROUNDS else "not measured in time"


def _read(file: Path) -> Shape | None:
    """A choice that was kept; None when there is none that can be read."""
    try:
        return Shape(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(file: Path, shape: Shape) -> None:
    """Keep the choice. What cannot be kept is found again."""
    with contextlib.suppress(OSError):
        write_json(file, asdict(shape))
