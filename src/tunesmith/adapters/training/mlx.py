"""MLX on Apple silicon, started as ``tunesmith.ml.mlx_run``. Its build for Linux's processors serves to check it."""

from __future__ import annotations

import importlib.util
import platform
import sys

from tunesmith.ports.training import EngineProblem
from tunesmith.wire.recipe import Recipe

LIBRARIES = ("mlx", "mlx_lm")
MODULES_HINT = "Take target_modules: all-linear, or write the names of modules."


class MlxEngine:
    """Supervised fine-tuning with LoRA by mlx-lm; the adapter is left as PEFT has it."""

    name = "mlx"
    module = "tunesmith.ml.mlx_run"
    forecast_module = None

    def check(self, recipe: Recipe) -> list[EngineProblem]:
        """Whether it is installed, whether this is a machine for it, and what it cannot do of the recipe."""
        problems = []
        missing = [library for library in LIBRARIES if importlib.util.find_spec(library) is None]
        if missing:
            is_apple = sys.platform == "darwin" and platform.machine() == "arm64"
            what = "is not installed" if is_apple else "is made for Apple silicon and is not installed here"
            hint = (
                "pip install mlx-lm"
                if is_apple
                else "Take the engine trl (TUNESMITH_TRAINING__ENGINE=trl) on this machine."
            )
            problems.append(
                EngineProblem("method", f"The engine mlx needs {' and '.join(missing)}, which {what}.", hint)
            )
        plain = recipe.to_plain()
        method = plain["method"]
        assert isinstance(method, dict)
        for key, can in (("objective", ("sft",)), ("adapter", ("lora",))):
            if method[key] not in can:
                words = f"The engine mlx cannot do method.{key}: {method[key]}."
                hint = f"Take {key}: {', '.join(can)}, or the engine trl."
                problems.append(EngineProblem(f"method.{key}", words, hint, method[key]))
        for key in ("use_dora", "use_rslora"):
            if method["lora"][key]:
                words = f"The engine mlx leaves an adapter without {key}."
                problems.append(
                    EngineProblem(f"method.lora.{key}", words, "Turn it off, or take the engine trl.", True)
                )
        if recipe.resources.device == "cuda":
            words = "The engine mlx does not train on cuda."
            problems.append(EngineProblem("resources.device", words, "Take device: auto, or the engine trl.", "cuda"))
        if recipe.resources.world.size > 1:
            words = f"The engine mlx trains in one process, not in {recipe.resources.world.size}."
            hint = "Leave resources.processes and resources.distributed out, or take the engine trl."
            problems.append(EngineProblem("resources.processes", words, hint, recipe.resources.world.size))
        return problems

    def environment(self, recipe: Recipe) -> dict[str, str]:
        """Nothing besides what every child gets."""
        return {}
