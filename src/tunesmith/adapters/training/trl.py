"""TRL, PEFT and transformers, started as ``tunesmith.ml.sft``."""

from __future__ import annotations

import ctypes.util
import importlib.util
import platform
import sys
from pathlib import Path

from tunesmith.kit.machine import list_gpus, processor_count
from tunesmith.ports.training import EngineProblem
from tunesmith.wire.methods import Adapter
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.sharing import sharing_problems

LIBRARIES = ("torch", "transformers", "peft", "trl")


class TrlEngine:
    """Every objective, with adapters or with all weights, on mps, cuda or cpu."""

    name = "trl"
    module = "tunesmith.ml.sft"
    forecast_module = "tunesmith.ml.forecast"

    def check(self, recipe: Recipe) -> list[EngineProblem]:
        """Libraries that are not installed, and devices that are not there."""
        problems = []
        needed = [*LIBRARIES, *(["bitsandbytes"] if recipe.method.adapter == Adapter.QLORA else [])]
        missing = [library for library in needed if importlib.util.find_spec(library) is None]
        if missing:
            problems.append(
                EngineProblem(
                    "method",
                    f"Training needs {', '.join(missing)}, which is not installed.",
                    "Install it with: pip install 'tunesmith[train]'",
                )
            )
        plan = recipe.resources.distributed
        if plan is not None and plan.strategy == "deepspeed" and importlib.util.find_spec("deepspeed") is None:
            problems.append(
                EngineProblem(
                    "resources.distributed.strategy",
                    "ZeRO needs DeepSpeed, which is not installed.",
                    "Install it with: pip install 'tunesmith[deepspeed]', or set strategy: fsdp, which divides what ZeRO-3 "
                    "divides.",
                    plan.strategy,
                )
            )
        device = recipe.resources.device
        if not _may_have(device):
            problems.append(
                EngineProblem(
                    "resources.device",
                    f"There is no {device} device on this machine.",
                    "Set resources.device to auto or cpu, or start the run on a machine that has one.",
                    device,
                )
            )
        shared = [EngineProblem(p.location, p.message, p.hint, p.value) for p in sharing_problems(recipe)]
        return [*problems, *shared, *_missing_devices(recipe)]

    def environment(self, recipe: Recipe) -> dict[str, str]:
        """The GPUs that the recipe names, instead of the one that the queue gives."""
        resources = recipe.resources
        if resources.gpu_ids:
            return {"CUDA_VISIBLE_DEVICES": ",".join(map(str, resources.gpu_ids))}
        if resources.world.processes > 1 and resources.device != "cpu" and (gpus := list_gpus()):
            return {"CUDA_VISIBLE_DEVICES": ",".join(str(gpu.index) for gpu in gpus[: resources.world.processes])}
        return {}


def _missing_devices(recipe: Recipe) -> list[EngineProblem]:
    """More processes than there are devices for them, and GPUs that are not there."""
    resources = recipe.resources
    gpus = {gpu.index for gpu in list_gpus()} if resources.gpu_ids or resources.world.size > 1 else set()
    absent = sorted(set(resources.gpu_ids or []) - gpus)
    if absent:
        there = f"it has {', '.join(map(str, sorted(gpus)))}" if gpus else "it has none"
        named = ", ".join(map(str, absent))
        return [
            EngineProblem(
                "resources.gpu_ids",
                f"There is no GPU {named} on this machine; {there}.",
                "Name GPUs that are there (tunesmith system lists them), or leave gpu_ids out.",
                resources.gpu_ids,
            )
        ]
    wanted = resources.world.processes
    if wanted == 1 or resources.device == "mps":
        return []
    is_on_gpus = resources.device == "cuda" or bool(resources.device == "auto" and gpus)
    most, what = (len(gpus), "GPU") if is_on_gpus else (processor_count(), "processor core")
    if wanted <= most:
        return []
    return [
        EngineProblem(
            "resources.processes",
            f"{wanted} processes need {wanted} {what}s, and this machine has {most}.",
            f"Set resources.processes: {most}." if most > 1 else "Leave resources.processes out.",
            wanted,
        )
    ]


def _may_have(device: str) -> bool:
    """Whether the device may be there, asked without torch: the driver for cuda, the platform for mps."""
    if device == "cuda":
        return Path("/dev/nvidiactl").exists() or bool(ctypes.util.find_library("nvcuda"))
    if device == "mps":
        return sys.platform == "darwin" and platform.machine() == "arm64"
    return True
