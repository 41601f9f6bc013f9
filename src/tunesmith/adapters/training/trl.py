"""TRL, PEFT and transformers, started as ``tunesmith.ml.sft``."""

from __future__ import annotations

import ctypes.util
import importlib.util
import platform
import sys
from pathlib import Path

from tunesmith.ports.training import EngineProblem
from tunesmith.wire.methods import Adapter
from tunesmith.wire.recipe import Recipe

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
        return problems

    def environment(self, recipe: Recipe) -> dict[str, str]:
        """Nothing besides what every child gets."""
        return {}


def _may_have(device: str) -> bool:
    """Whether the device may be there, asked without torch: the driver for cuda, the platform for mps."""
    if device == "cuda":
        return Path("/dev/nvidiactl").exists() or bool(ctypes.util.find_library("nvcuda"))
    if device == "mps":
        return sys.platform == "darwin" and platform.machine() == "arm64"
    return True
