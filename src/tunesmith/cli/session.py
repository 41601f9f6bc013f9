"""Where a command's calls go: to a server that was named, or to the application mounted in this process."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tunesmith.cli.options import Options
from tunesmith.client import TunesmithClient

if TYPE_CHECKING:
    from tunesmith.settings import Settings


@dataclass
class Session:
    """A client, and the worker that in-process commands need for their jobs."""

    client: TunesmithClient
    options: Options
    on_exit: contextlib.AsyncExitStack | None
    has_worker: bool = False

    async def need_worker(self) -> None:
        """Make sure that somebody runs jobs: in process a worker is started, a named server has its own."""
        if self.on_exit is None or self.has_worker:
            return
        from tunesmith.worker.supervisor import Supervisor

        self.has_worker = True
        settings = own_settings(self.options)
        supervisor = Supervisor(settings, log_file=settings.data_dir / "logs" / "worker.log")
        await supervisor.start()
        self.on_exit.push_async_callback(supervisor.stop)


def own_settings(options: Options) -> Settings:
    """The settings of work in this process: whoever types a path may name every one that their account can read."""
    from tunesmith.settings import Mode

    settings = options.settings()
    if settings.mode is not Mode.LOCAL or settings.models.allowed_roots:
        return settings
    models = settings.models.model_copy(update={"allowed_roots": [Path(Path.cwd().anchor)]})
    return settings.model_copy(update={"models": models})


@contextlib.asynccontextmanager
async def open_session(options: Options) -> AsyncIterator[Session]:
    """The session of one command."""
    if options.server:
        client = TunesmithClient.connect(options.server)
        try:
            yield Session(client, options, on_exit=None)
        finally:
            await client.close()
        return
    async with _mounted(options) as client, contextlib.AsyncExitStack() as stack:
        yield Session(client, options, on_exit=stack)


@contextlib.asynccontextmanager
async def _mounted(options: Options) -> AsyncIterator[TunesmithClient]:
    """The application in this process, behind a socket that only this user can open (streams need a real connection)."""
    from tunesmith.api.app import create_app
    from tunesmith.api.server import EmbeddedServer
    from tunesmith.kit.logs import configure_logging

    settings = own_settings(options)
    configure_logging("DEBUG" if options.debug else "ERROR", as_json=False)
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-"))
    os.chmod(folder, 0o700)
    socket = folder / "api"
    try:
        async with EmbeddedServer(create_app(settings), uds=str(socket)).running():
            transport = httpx.AsyncHTTPTransport(uds=str(socket))
            http = httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=120)
            client = TunesmithClient(http, "this process")
            try:
                yield client
            finally:
                await client.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
