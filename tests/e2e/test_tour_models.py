"""The tour of the seven model calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.tour_models import Tour, settings_for
from tests.fixtures.hub_server import HubServer
from tests.fixtures.server import Server


@pytest.mark.long
def test_the_seven_calls_in_one_run(
    make_server: Callable[..., Server], hub: HubServer, tiny_model: Path, tmp_path: Path
) -> None:
    server = make_server(**settings_for(hub, tmp_path)).start()
    taken = Tour(server.http, hub, tiny_model).drive()
    server.close()
    assert {name.partition(" ")[2] for name in taken} == {
        "/model/download",
        "/model/upload",
        "/model/info/{model_id}",
        "/model/current",
        "/model/local-models",
        "/model/unload",
        "/model/health",
    }
