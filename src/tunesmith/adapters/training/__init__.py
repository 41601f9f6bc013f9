"""Engines that train: TRL in a child of its own, Axolotl and MLX, and one that only pretends, for demonstrations and fast tests."""

from __future__ import annotations

from tunesmith.adapters.training.axolotl import AxolotlEngine
from tunesmith.adapters.training.fake import FakeEngine
from tunesmith.adapters.training.mlx import MlxEngine
from tunesmith.adapters.training.trl import TrlEngine
from tunesmith.ports.training import TrainingEngine
from tunesmith.settings import AxolotlSettings, Settings

__all__ = ["AxolotlEngine", "FakeEngine", "MlxEngine", "TrlEngine", "training_engine"]


def training_engine(name: str, settings: Settings | None = None) -> TrainingEngine:
    """The engine of that name."""
    axolotl = settings.axolotl if settings else AxolotlSettings()
    found: list[TrainingEngine] = [
        TrlEngine(),
        FakeEngine(),
        MlxEngine(),
        AxolotlEngine(axolotl, settings.data_dir if settings else None),
    ]
    return {engine.name: engine for engine in found}[name]
