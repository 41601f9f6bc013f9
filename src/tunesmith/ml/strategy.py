"""How the ranks share a run: what the recipe names, or what memory suggests."""

from __future__ import annotations

import math
import re
from pathlib import Path

import torch

from tunesmith.kit.memory import available_bytes
from tunesmith.ml.failures import configuration_failure
from tunesmith.ml.ranks import Ranks
from tunesmith.ml.report import Reporter
from tunesmith.ml.weights import ModelWeights
from tunesmith.wire.devices import DistributedSection
from tunesmith.wire.recipe import Precision, Recipe
from tunesmith.wire.sharing import sharing_problems

SHARE_FOR_STATE = 0.7
"""Of a process's memory: the rest is for activations and what libraries keep."""
BYTES_TRAINED = 16
"""For each trained weight: itself, its gradient and AdamW's two moments, in float32."""
_IN_A_LAYER = re.compile(r"\.\d+\.")
"""Part of the names of a layer's weights: of these a frozen matrix lies in the format that it is multiplied in."""


def choose_strategy(
    recipe: Recipe, folder: Path, ranks: Ranks, device: torch.device, needs_reference: bool
) -> tuple[str, str]:
    """The strategy and the reason for it. Raises RunFailure for what the ranks cannot share."""
    problems = sharing_problems(recipe)
    if problems:
        raise configuration_failure(problems[0].message, problems[0].hint)
    plan = recipe.resources.distributed
    if plan is not None and plan.strategy != "auto":
        return plan.strategy, "the recipe names it"
    if recipe.method.adapter == "qlora":
        return "ddp", "a base in four bits is not divided"
    needed = state_bytes(recipe, folder, needs_reference)
    there = process_bytes(recipe, device)
    needed, there = ranks.of_first([needed, there])
    figures = f"a whole copy with gradients and moments takes {needed / 1e9:.3g} GB of the {there / 1e9:.3g} GB of each process"
    return ("ddp", figures) if needed <= SHARE_FOR_STATE * there else ("fsdp", f"{figures}, so it is divided")


def share_run(
    recipe: Recipe, folder: Path, ranks: Ranks, device: torch.device, needs_reference: bool, reporter: Reporter
) -> None:
    """Choose the strategy of several processes, and write it into the recipe and into the log."""
    if ranks.size == 1:
        return
    strategy, reason = choose_strategy(recipe, folder, ranks, device, needs_reference)
    plan = recipe.resources.distributed or DistributedSection()
    recipe.resources.distributed = plan.model_copy(update={"strategy": strategy})
    reporter.log(f"{recipe.resources.world} share the run by {strategy}: {reason}")


def divides_weights(recipe: Recipe) -> bool:
    """Whether each process holds a part of every weight, so that no device needs room for all of them."""
    plan = recipe.resources.distributed
    return plan is not None and (plan.strategy == "fsdp" or (plan.strategy == "deepspeed" and plan.zero_stage == 3))


def state_bytes(recipe: Recipe, folder: Path, needs_reference: bool) -> int:
    """Memory of a whole copy of the model in training, without activations."""
    with ModelWeights(folder) as stored:
        sizes = {name: math.prod(tensor.shape) for name, tensor in stored.tensors.items()}
        matrices = {
            name for name, tensor in stored.tensors.items() if len(tensor.shape) == 2 and _IN_A_LAYER.search(name)
        }
    weights = sum(sizes.values())
    if recipe.method.adapter != "full":  # the adapter is a small part of it
        halved = sum(sizes[name] for name in matrices) if recipe.training.precision == Precision.BF16 else 0
        return weights * 4 - halved * 2
    return weights * (BYTES_TRAINED + (4 if needs_reference else 0))


def process_bytes(recipe: Recipe, device: torch.device) -> int:
    """Memory that one process may take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info()
        return int(free)
    share = available_bytes() // recipe.resources.world.processes
    limit = recipe.resources.memory_limit_gib
    return share if limit is None else min(share, int(limit * 2**30))
