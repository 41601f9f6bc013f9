"""How a run is trained: an engine says what it cannot do, and which child process does the rest.

An engine's child is started with a run directory whose spec is a ``TrainSpec``. It tells events as ``wire.events`` has them,
writes checkpoints that ``wire.checkpoint`` verifies, goes on from ``resume_from``, ends on ``stop`` with a checkpoint, and
leaves ``artifacts/adapter/`` or, with all weights trained, ``artifacts/model/`` (both usable alone), ``artifacts/recipe.yaml``
(resolved) and a result with the figures of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tunesmith.wire.recipe import Recipe


@dataclass(frozen=True)
class EngineProblem:
    """Something in a recipe that an engine cannot do here; found before anything is queued."""

    location: str
    message: str
    hint: str
    value: object = None


class TrainingEngine(Protocol):
    """A way to train. Adapters are light: they import nothing of the libraries that their child uses."""

    @property
    def name(self) -> str:
        """The word by which settings choose it."""
        ...

    @property
    def module(self) -> str:
        """What ``python -m`` starts with the run directory as its argument."""
        ...

    @property
    def forecast_module(self) -> str | None:
        """What ``python -m`` starts to rehearse a run, with a ``ForecastSpec``; None when this engine cannot."""
        ...

    def check(self, recipe: Recipe) -> list[EngineProblem]:
        """What this engine cannot do of ``recipe`` on this machine; empty when it can do all of it."""
        ...

    def environment(self, recipe: Recipe) -> dict[str, str]:
        """Variables that the child needs besides those that every child gets."""
        ...
