"""One child process that has a model loaded: started, watched, asked, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

import anyio
import psutil

from tunesmith.domains.runtime.errors import (
    RuntimeCrashed,
    RuntimeStartFailed,
    RuntimeStartSlow,
    RuntimeUnloaded,
    RuntimeUnreachable,
)
from tunesmith.domains.runtime.freshness import Stamp
from tunesmith.kit.clock import utc_now
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.http1 import Origin, TransportError, TransportTimeout
from tunesmith.kit.paths import write_json
from tunesmith.ports.serving import Servable, ServingBackend
from tunesmith.settings import Settings
from tunesmith.wire.serving import CHILD_HEADER, OUTPUT_FILE, READY_FILE, SPEC_FILE, ChildHealth, ReadyFile

READY_POLL_SECONDS = 0.02
EXIT_SECONDS = 5.0
SHOWN_LINES = 5
SHOWN_CHARACTERS = 1000


class Child:
    """A process of its own; when this process ends, it reads the end of its stdin and leaves too."""

    def __init__(self, backend: ServingBackend, model: Servable, device: str, folder: Path) -> None:
        self.backend = backend
        self.model = model
        self.loaded_at = utc_now()
        self.last_used = time.monotonic()
        self.users = 0
        self.adapters: set[str] = set()
        self.stamps: dict[Path, Stamp] = {}
        self.stamped_at: dict[Path, float] = {}
        self.is_outdated = False
        """Whether files that it was loaded from have been replaced: it ends the answers that it has begun, and begins no other."""
        self.health: ChildHealth | None = None
        self._device = device
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._origin: Origin | None = None
        self._unloaded = False

    @property
    def origin(self) -> Origin:
        """Speaks to the child."""
        if self._origin is None:
            raise RuntimeUnloaded(f"{self.model.name} is not loaded.")
        return self._origin

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None and not self._unloaded

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self._process.pid if self._process else None

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the process; what it has on an accelerator is in ``health``."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.pid else 0
        except psutil.NoSuchProcess:
            return 0

    async def start(self, settings: Settings) -> None:
        """Start the process and wait until it answers; raises ``RuntimeStartFailed``."""
        spec = self.backend.spec(self.model, self._device)
        self._folder.mkdir(parents=True, mode=0o700)
        write_json(self._folder / SPEC_FILE, spec.model_dump(mode="json"))
        with (self._folder / OUTPUT_FILE).open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.backend.command(self._folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=settings.child_environment() | dict(self.backend.environment(self.model)),
                start_new_session=True,  # Ctrl-C is for us; the child leaves when we do
            )
        try:
            ready = await self._ready(settings.runtime.start_timeout_seconds)
            self._origin = Origin(
                f"http://127.0.0.1:{ready.port}",
                headers={CHILD_HEADER: ready.token},
                read_seconds=settings.runtime.request_timeout_seconds,
            )
            self.health = ChildHealth.model_validate_json((await self._origin.request("GET", "/health")).content)
        except TransportError as error:
            failure = await self.explain(error)
            await self.stop()
            raise RuntimeStartFailed(failure.message) from error
        except BaseException:
            await self.stop()
            raise
        self.loaded_at = utc_now()

    async def _ready(self, timeout_seconds: float) -> ReadyFile:
        path = self._folder / READY_FILE
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if path.exists():
                return ReadyFile.model_validate_json(path.read_bytes())
            if not self.alive:
                raise RuntimeStartFailed(f"{self.model.name} could not be loaded: {self._ending()}{self._said()}")
            await anyio.sleep(READY_POLL_SECONDS)
        raise RuntimeStartSlow(f"{self.model.name} was not loaded within {timeout_seconds:g} seconds.{self._said()}")

    async def explain(self, error: TransportError) -> TunesmithError:
        """Why a call failed: the child was unloaded, died, or lives and is silent."""
        if self._unloaded:
            return RuntimeUnloaded(f"{self.model.name} was unloaded while it answered.")
        if self._process is not None and not isinstance(error, TransportTimeout):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), EXIT_SECONDS)  # the socket closes a moment before the exit
        if not self.alive:
            return RuntimeCrashed(f"The process of {self.model.name} died: {self._ending()}{self._said()}")
        return RuntimeUnreachable(f"{self.model.name} does not answer ({type(error).__name__}).")

    def _ending(self) -> str:
        code = self._process.returncode if self._process else None
        if code is None:
            return "it ended."
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = str(-code)
            return f"ended by {name}{', probably for lack of memory' if name == 'SIGKILL' else ''}."
        return f"it ended with code {code}."

    def _said(self) -> str:
        """The last lines that the child printed."""
        try:
            with (self._folder / OUTPUT_FILE).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 8192))
                lines = file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        if any(line.startswith("Traceback") for line in lines):
            lines = [line for line in lines if line and not line[0].isspace()][-1:]  # the error, not the way to it
        return " It said: " + "\n".join(lines[-SHOWN_LINES:])[-SHOWN_CHARACTERS:] if lines else ""

    async def stop(self) -> None:
        """End the process and return its memory; calls that still wait for it fail with ``RuntimeUnloaded``."""
        self._unloaded = True
        with anyio.CancelScope(shield=True):
            if self._origin is not None:
                await self._origin.close()
                self._origin = None
            if self._process is not None:
                if self._process.stdin is not None:
                    self._process.stdin.close()
                try:
                    await asyncio.wait_for(self._process.wait(), EXIT_SECONDS)
                except TimeoutError:
                    self._process.kill()
                    await self._process.wait()
            await anyio.to_thread.run_sync(lambda: shutil.rmtree(self._folder, ignore_errors=True))


def sweep(folder: Path) -> None:
    """Remove what children of processes that are gone have left behind."""
    for leftover in folder.glob("*-*"):
        owner = leftover.name.split("-", 1)[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(leftover, ignore_errors=True)
