"""Axolotl, run from its own environment or container by ``tunesmith.ml.axolotl_run``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tunesmith.ports.training import EngineProblem
from tunesmith.settings import AxolotlSettings
from tunesmith.wire.foreign import write_axolotl
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import RecipeError

INSTALL = "Install it in an environment of its own and set TUNESMITH_AXOLOTL__PYTHON to that Python, or set TUNESMITH_AXOLOTL__IMAGE."


class AxolotlEngine:
    """Writes Axolotl's configuration from the recipe and runs its command line."""

    name = "axolotl"
    module = "tunesmith.ml.axolotl_run"
    forecast_module = None

    def __init__(self, settings: AxolotlSettings, data_dir: Path | None = None) -> None:
        self._settings = settings
        self._data_dir = data_dir

    def check(self, recipe: Recipe) -> list[EngineProblem]:
        """Whether it is there, and whether it can do what the recipe says."""
        problems = []
        obstacle = self._find_obstacle()
        if obstacle:
            problems.append(EngineProblem("method", obstacle, INSTALL))
        if recipe.resources.device == "mps":
            problems.append(
                EngineProblem(
                    "resources.device",
                    "Axolotl does not train on mps.",
                    "Take the engine mlx or trl on Apple silicon.",
                    "mps",
                )
            )
        if recipe.resources.memory_limit_gib is not None:
            limit = recipe.resources.memory_limit_gib
            words = "Axolotl cannot be held to resources.memory_limit_gib."
            problems.append(
                EngineProblem("resources.memory_limit_gib", words, "Leave it out, or take the engine trl.", limit)
            )
        if recipe.resources.world.size > 1 or recipe.resources.gpu_ids:
            words = "Axolotl starts its processes with a launcher of its own."
            hint = "Set TUNESMITH_AXOLOTL__LAUNCHER and leave resources.processes, gpu_ids and distributed out, or take the engine trl."
            problems.append(EngineProblem("resources.processes", words, hint, recipe.resources.world.size))
        try:
            write_axolotl(recipe.to_plain(), custom=self._settings.custom)
        except RecipeError as error:
            fault = error.errors[0] if error.errors else {"location": "method"}
            hint = "Change that key, or take the engine trl."
            problems.append(EngineProblem(str(fault["location"]), error.message, hint, fault.get("value")))
        return problems

    def environment(self, recipe: Recipe) -> dict[str, str]:
        """What the child is to run."""
        settings = self._settings
        plan: dict[str, object] = {"command": self._command(), "launcher": settings.launcher, "custom": settings.custom}
        if settings.image:
            plan |= {"image": settings.image, "runtime": settings.runtime, "data_dir": str(self._data_dir)}
        return {"TUNESMITH_AXOLOTL_PLAN": json.dumps(plan)}

    def _command(self) -> list[str]:
        if self._settings.python is not None:
            return [str(self._settings.python), "-m", "axolotl.cli.main"]
        return [shutil.which("axolotl") or "axolotl"]

    def _find_obstacle(self) -> str | None:
        settings = self._settings
        if settings.image:
            found = shutil.which(settings.runtime)
            return None if found else f"Axolotl's image needs {settings.runtime}, which is not installed."
        if settings.python is not None:
            is_there = settings.python.is_file()
            return None if is_there else f"There is no Python at {settings.python} (TUNESMITH_AXOLOTL__PYTHON)."
        return (
            None if shutil.which("axolotl") else "The engine axolotl is not installed: there is no `axolotl` command."
        )
