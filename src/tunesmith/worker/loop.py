"""The loop of a worker: up to so many jobs at once, and a way out that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

from tunesmith.bootstrap import Services
from tunesmith.domains.jobs import Claims, Execution
from tunesmith.kit import logs
from tunesmith.kit.machine import list_devices, measure

logger = logging.getLogger(__name__)

SAMPLE_SECONDS = 10.0
"""Between two looks at what this machine uses."""
AWAY_SECONDS = 1.0
"""Pause after the database did not answer."""


async def run_worker(
    services: Services, *, until_idle: bool = False, parent: int | None = None, name: str | None = None
) -> None:
    """Work until SIGTERM or SIGINT; then give the leases back, and the next worker goes on where this one was.

    ``until_idle`` ends when nothing is ready and nobody holds anything. With ``parent``, the process id of the server that
    started this one, it claims nothing more when that is gone, and ends when the running jobs have. ``services`` must have been
    started.
    """
    await Worker(services, name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}").run(
        until_idle=until_idle, parent=parent
    )


class Worker:
    """One worker process."""

    def __init__(self, services: Services, name: str) -> None:
        self.name = name
        self._settings = services.settings.jobs
        self._data_dir = services.settings.data_dir
        self._devices = [device.name for device in list_devices(services.settings.device)]
        self._claims = Claims(services.jobs, name, devices=self._devices)
        self._mirrors = services.training.mirrors
        self._running: dict[int, tuple[Execution, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()
        self._is_draining = False
        self._seen_at = 0.0
        self._measured_at = 0.0

    async def run(self, *, until_idle: bool, parent: int | None) -> None:
        """See ``run_worker``."""
        await self._beat()
        self._mirrors.start()
        logger.info("worker %s is ready", self.name)
        with self._signals():
            while not self._is_draining:
                self._collect()
                is_orphan = parent is not None and os.getppid() != parent
                if is_orphan and not self._running:
                    logger.info("worker %s ends: the server that started it is gone", self.name)
                    break
                if not is_orphan and await self._try(self._claim()):
                    continue
                if until_idle and not self._running and await self._try(self._claims.is_idle()):
                    break
                await self._try(self._beat())
                await self._pause()
        was_told_to_leave = self._is_draining
        await self._drain()
        await self._mirrors.finish(deliver=not was_told_to_leave)
        with contextlib.suppress(Exception):  # its row grows old and is forgotten as well
            await self._claims.leave()

    def drain(self) -> None:
        """Claim nothing more and give back what is held."""
        self._is_draining = True
        self._wake.set()

    async def _claim(self) -> bool:
        """Claim a job if there is room for one; whether it was."""
        if len(self._running) >= self._settings.concurrency:
            return False
        execution = await self._claims.claim(not_these=list(self._running))
        if execution is None:
            return False
        task = asyncio.create_task(execution.run())
        task.add_done_callback(lambda _task: self._wake.set())
        self._running[execution.job_id] = (execution, task)
        return True

    def _collect(self) -> None:
        for job_id, (_execution, task) in list(self._running.items()):
            if task.done():
                del self._running[job_id]
                error = None if task.cancelled() else task.exception()
                if error is not None:
                    logger.error("job %d is left: its end could not be recorded", job_id, exc_info=error)

    async def _drain(self) -> None:
        for execution, _task in self._running.values():
            execution.drain()
        if self._running:
            logger.info("worker %s gives %d jobs back; their children go on", self.name, len(self._running))
            await asyncio.wait([task for _execution, task in self._running.values()])
        self._collect()

    async def _beat(self) -> None:
        if time.monotonic() - self._seen_at >= self._settings.lease_seconds / 3:
            capabilities = {"concurrency": self._settings.concurrency, "devices": self._devices}
            await self._claims.beat(socket.gethostname(), os.getpid(), capabilities)
            self._seen_at = time.monotonic()
        if time.monotonic() - self._measured_at >= SAMPLE_SECONDS:
            self._measured_at = time.monotonic()
            await self._claims.note_usage(await asyncio.to_thread(measure, self._data_dir))

    async def _try(self, step: Any) -> bool:
        """Do one step of the loop; a database that is away is tried again later."""
        try:
            return bool(await step)
        except Exception as error:
            logger.warning("the worker waits for the database: %s: %s", type(error).__name__, error)
            await asyncio.sleep(AWAY_SECONDS)
            return False

    async def _pause(self) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._settings.poll_seconds)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        caught = []
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(RuntimeError, ValueError):  # not in the main thread
                loop.add_signal_handler(number, self.drain)
                caught.append(number)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)


async def serve(services: Services, *, until_idle: bool, parent: int | None, name: str | None) -> None:
    """Start the services, work, and close them."""
    logs.configure_logging(services.settings.log_level, as_json=services.settings.log_json)
    await services.start()
    try:
        await run_worker(services, until_idle=until_idle, parent=parent, name=name)
    finally:
        await services.close()
