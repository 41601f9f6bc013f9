"""What several processes cannot share of a recipe, each with the reason and the nearest thing that works."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.wire.methods import Adapter, Objective
from tunesmith.wire.recipe import Recipe


@dataclass(frozen=True)
class SharingProblem:
    """Something in a recipe that its processes cannot do together."""

    location: str
    message: str
    hint: str
    value: object = None


def sharing_problems(recipe: Recipe) -> list[SharingProblem]:
    """What is wrong with sharing ``recipe`` among its processes; empty for one process."""
    if recipe.resources.world.size == 1:
        return []
    found = (_strategy(recipe), _device(recipe), _objective(recipe), _rows(recipe), _drift(recipe))
    return [problem for problem in found if problem is not None]


def _strategy(recipe: Recipe) -> SharingProblem | None:
    plan = recipe.resources.distributed
    strategy = plan.strategy if plan else "auto"
    divides = "ZeRO-3" if plan and plan.zero_stage == 3 else strategy
    if divides in ("fsdp", "ZeRO-3") and recipe.method.adapter == Adapter.QLORA:
        return SharingProblem(
            "resources.distributed.strategy",
            f"{divides} divides weights among processes, and those in four bits (qlora) cannot be divided.",
            "Set strategy: ddp (each process has the base in four bits), or method.adapter: lora.",
            strategy,
        )
    if divides == "ZeRO-3" and recipe.training.compile:
        return SharingProblem(
            "training.compile",
            "Compiled layers do not get on with ZeRO-3, which gathers weights inside of them: no second update came in minutes.",
            "Leave training.compile out, or set zero_stage: 2.",
            True,
        )
    return None


def _device(recipe: Recipe) -> SharingProblem | None:
    size = recipe.resources.world.size
    if recipe.resources.device != "mps":
        return None
    return SharingProblem(
        "resources.processes",
        f"mps is one device: {size} processes cannot share it.",
        "Leave resources.processes out, or set resources.device: cpu.",
        size,
    )


def _objective(recipe: Recipe) -> SharingProblem | None:
    if recipe.method.objective != Objective.GRPO:
        return None
    return SharingProblem(
        "method.objective",
        f"grpo draws the answers of an update in one process; it is not shared by {recipe.resources.world.size}.",
        "Leave resources.processes and resources.distributed out, or take objective dpo, which is shared.",
        recipe.method.objective,
    )


def _rows(recipe: Recipe) -> SharingProblem | None:
    plan, size = recipe.training, recipe.resources.world.size
    rows = plan.batch_size * plan.gradient_accumulation_steps
    if rows >= size:
        return None
    return SharingProblem(
        "training.batch_size",
        f"An update of {rows} row{'s' if rows > 1 else ''} cannot be shared by {size} processes.",
        f"Set batch_size × gradient_accumulation_steps to {size} or more.",
        plan.batch_size,
    )


def _drift(recipe: Recipe) -> SharingProblem | None:
    plan, size, kto = recipe.training, recipe.resources.world.size, recipe.method.kto
    if kto is None or kto.loss != "kto" or plan.gradient_accumulation_steps >= size:
        return None
    return SharingProblem(
        "training.gradient_accumulation_steps",
        "kto measures the drift over the rows of one forward pass, so that its passes cannot be divided: "
        f"{size} processes need {size} passes, and there are {plan.gradient_accumulation_steps}.",
        f"Set gradient_accumulation_steps to {size} or more, or method.kto.loss: apo_zero_unpaired.",
        plan.gradient_accumulation_steps,
    )
