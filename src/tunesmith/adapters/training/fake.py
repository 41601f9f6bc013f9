"""Pretends to train: a believable curve in about a second, for demonstrations, work on the web page and fast tests."""

from __future__ import annotations

from tunesmith.ports.training import EngineProblem
from tunesmith.wire.recipe import Recipe


class FakeEngine:
    """Keeps every promise of the port but one: the adapter that it leaves changes nothing."""

    name = "fake"
    module = "tunesmith.ml.fake"

    def check(self, recipe: Recipe) -> list[EngineProblem]:
        """It can do anything, since it does nothing."""
        return []

    def environment(self, recipe: Recipe) -> dict[str, str]:
        """Nothing besides what every child gets."""
        return {}
