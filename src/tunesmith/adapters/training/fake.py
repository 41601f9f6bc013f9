"""Pretends to train: a believable curve in about a second, for demonstrations, work on the web page and fast tests."""

from __future__ import annotations

from tunesmith.ports.training import EngineProblem
from tunesmith.wire.recipe import Recipe


class FakeEngine:
    """Keeps every promise of the port but one: the adapter that it leaves changes nothing."""

    name = "fake"
    module = "tunesmith.ml.fake"
    forecast_module = "tunesmith.ml.forecast"

    def __init__(self, run_seconds: float = 1.0) -> None:
        self.run_seconds = run_seconds

    def check(self, recipe: Recipe) -> list[EngineProblem]:
        """It can do anything, since it does nothing."""
        return []

    def environment(self, recipe: Recipe) -> dict[str, str]:
        """How long the pretence takes."""
        return {"FAKE_RUN_SECONDS": str(self.run_seconds)}
