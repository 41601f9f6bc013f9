"""A worker process beside a server, or beside a command that needs one for a while: started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from pathlib import Path
from typing import Self

from tunesmith.settings import Settings

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 60.0
STOP_SECONDS = 10.0


class Supervisor:
    """Keeps one worker alive between ``start`` and ``stop``.

    The worker runs in a session of its own: Ctrl-C reaches the server, and the server ends the worker. When the server is
    killed, the worker finishes what it has and ends.
    """

    def __init__(self, settings: Settings, *, until_idle: bool = False, log_file: Path | None = None) -> None:
        self._settings = settings
        self._until_idle = until_idle
        self._log_file = log_file
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the worker."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the worker; it gives its jobs back, and their children go on for two lease times."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            logger.warning("the worker does not end; it is killed")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def wait(self) -> None:
        """Return when a worker that runs ``until_idle`` has nothing more to do."""
        if self._keeper is not None:
            await self._keeper

    async def _spawn(self) -> None:
        command = [sys.executable, "-m", "tunesmith.worker", f"--parent={os.getpid()}"]
        if self._until_idle:
            command.append("--until-idle")
        with contextlib.ExitStack() as stack:
            output: int | None = None
            if self._log_file is not None:
                self._log_file.parent.mkdir(parents=True, exist_ok=True)
                output = os.open(self._log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                stack.callback(os.close, output)
            self._process = await asyncio.create_subprocess_exec(
                *command,
                env=self._settings.worker_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
            )

    async def _keep(self) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        while self._process is not None:
            started_at = time.monotonic()
            code = await self._process.wait()
            if code == 0 and self._until_idle:
                return
            if time.monotonic() - started_at > HEALTHY_AFTER_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            logger.warning("the worker ended with code %s; another is started in %.1f s", code, pause_seconds)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
            await self._spawn()
