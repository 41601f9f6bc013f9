"""Engines that train: TRL in a child of its own, and one that only pretends, for demonstrations and fast tests."""

from __future__ import annotations

from tunesmith.adapters.training.fake import FakeEngine
from tunesmith.adapters.training.trl import TrlEngine
from tunesmith.ports.training import TrainingEngine

__all__ = ["FakeEngine", "TrlEngine", "training_engine"]


def training_engine(name: str) -> TrainingEngine:
    """The engine of that name."""
    engines: dict[str, TrainingEngine] = {engine.name: engine for engine in (TrlEngine(), FakeEngine())}
    return engines[name]
