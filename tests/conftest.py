"""What every test gets: no network beyond loopback, no settings of the developer's machine."""

from __future__ import annotations

import os

import pytest

# Before anything of ours is imported: the developer's own settings must not reach a test.
for _name in [name for name in os.environ if name.startswith("TUNESMITH_")]:
    del os.environ[_name]
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1", TOKENIZERS_PARALLELISM="false")

pytest_plugins = [
    "tests.fixtures.network",
    "tests.fixtures.databases",
    "tests.fixtures.application",
    "tests.fixtures.hub_server",
    "tests.fixtures.mlflow_server",
    "tests.fixtures.server",
    "tests.fixtures.serving",
    "tests.fixtures.tiny_models",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules of minutes go first, so that none of them is alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("early") is None)
