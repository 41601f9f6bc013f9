"""The server's socket: answers that are small leave at once."""

from __future__ import annotations

import socket
from pathlib import Path

from tunesmith.api.serving import listen
from tunesmith.settings import load_settings


def test_a_connection_is_known_as_tcp_so_that_small_answers_do_not_wait(data_dir: Path) -> None:
    with (
        listen(load_settings(data_dir=data_dir, api={"port": 0})) as listener,
        socket.create_connection(listener.getsockname()[:2]),
        listener.accept()[0] as accepted,
    ):
        assert accepted.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY for these only
