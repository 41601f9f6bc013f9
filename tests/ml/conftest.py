"""What runs of the training child share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ml import training_runs as runs


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that learns in seconds; modules that need another one have their own."""
    return runs.tiny_model(tmp_path_factory.mktemp("models") / "tiny")
