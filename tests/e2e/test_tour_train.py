"""The tour of all training calls, on the bundled model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.tour_train import LATER, drive
from tests.fixtures.server import Server

pytestmark = [pytest.mark.long, pytest.mark.matrix]

WORKBENCH = 12


@pytest.mark.timeout(1800)
async def test_every_training_call_in_one_run(server: Server, tmp_path: Path) -> None:
    taken = await drive(server.url, tmp_path)
    later = [name for name in LATER if name not in taken]
    assert sum("/train/" in name for name in [*taken, *later]) == WORKBENCH
    assert sum("/train/" not in name for name in taken) >= 35
