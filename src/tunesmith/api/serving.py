"""``tunesmith serve``: the server in the foreground, one supervised worker beside it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import sys
import webbrowser

from tunesmith.api.app import create_app
from tunesmith.api.server import EmbeddedServer
from tunesmith.kit.errors import Conflict
from tunesmith.kit.logs import configure_logging
from tunesmith.settings import Settings


class AddressTaken(Conflict):
    """Another program listens there."""

    code, title = "address-taken", "The address is taken"
    hint = "Take another port with --port, or 0 for a free one."


def listen(settings: Settings) -> socket.socket:
    """A listening socket, so that a taken port is refused before anything starts."""
    family = socket.AF_INET6 if ":" in settings.api.host else socket.AF_INET
    # with its protocol: asyncio sends small answers at once (TCP_NODELAY) only where it is named, else 40 ms later
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.api.host, settings.api.port))
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise AddressTaken(f"Port {settings.api.port} of {settings.api.host} is taken.") from error
        raise
    listener.listen(128)
    return listener


Companion = contextlib.AbstractAsyncContextManager[object]


def run_server(settings: Settings, *, beside: Companion | None, open_browser: bool) -> int:
    """Serve until interrupted, with ``beside`` (the worker's supervisor) for as long; answers the exit code."""
    configure_logging(settings.log_level, as_json=settings.log_json)
    return asyncio.run(_serve(settings, beside, open_browser))


async def _serve(settings: Settings, beside: Companion | None, open_browser: bool) -> int:
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    server = EmbeddedServer(create_app(settings))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, lambda: setattr(server, "should_exit", True))
    async with contextlib.AsyncExitStack() as stack:
        serving = await stack.enter_async_context(server.running([listener]))
        if beside is not None:
            await stack.enter_async_context(beside)
        gc.collect()
        gc.set_threshold(20_000, 20, 20)  # a request makes thousands of objects, hardly any of them in a circle
        gc.freeze()  # what lives as long as the server is not looked through again while somebody waits
        sys.stderr.write(f"Tunesmith is ready: {address}/app/  (data folder: {settings.data_dir})\n")
        sys.stderr.flush()
        if open_browser:
            webbrowser.open(f"{address}/app/")
        await serving
    return 0
