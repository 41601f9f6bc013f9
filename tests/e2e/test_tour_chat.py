"""The tour of all chat calls on the bundled model."""

from __future__ import annotations

import pytest

from tests.e2e.tour_chat import drive
from tests.fixtures.server import Server

pytestmark = pytest.mark.long

WORKBENCH = 12


async def test_every_chat_call_in_one_run(server: Server) -> None:
    taken = await drive(server.url)
    assert sum(name.partition(" ")[2].startswith("/chat/") for name in taken) == WORKBENCH
    assert sum("/conversations" in name for name in taken) == 8
