"""Uvicorn, as ``serve`` and the command line run it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

KEPT_SECONDS = 75
"""How long an idle connection stays open: longer than clients keep theirs, or they would send into a closing one."""


class EmbeddedServer(uvicorn.Server):
    """A server inside a command: signals stay with the command, so that Ctrl-C can first stop a run cleanly."""

    def __init__(self, app: FastAPI, **where: Any) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=KEPT_SECONDS,
            **where,
        )
        super().__init__(config)
        self._listening = asyncio.Event()
        self._app = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._listening.set()

    @contextlib.asynccontextmanager
    async def running(self, sockets: list[socket.socket] | None = None) -> AsyncIterator[asyncio.Task[None]]:
        """Serve while the block runs; raises what the application's start raised (uvicorn would only log it)."""
        async with self._app.router.lifespan_context(self._app):
            serving = asyncio.create_task(self.serve(sockets))
            listening = asyncio.create_task(self._listening.wait())
            await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
            listening.cancel()
            try:
                yield serving
            finally:
                self.should_exit = True
                await serving
