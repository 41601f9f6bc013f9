"""Child processes that outlive their parent: how they start, how they are known again, how they end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, Field

from tunesmith.kit.paths import write_json
from tunesmith.wire.run_dir import RunDirectory

CLOCK_TOLERANCE_SECONDS = 2.0
"""Start times are counted from the boot time, which moves when the clock is set."""
FIRST_BEAT_SECONDS = 60.0
"""How long a child may take to its first sign of life."""
OOM_SCORE = "500"
"""How much rather than others the system ends a child when memory runs out: from -1000 to 1000, others have 0."""


class ChildIdentity(BaseModel):
    """``child.json``: enough to know the process again, and to never mistake another one for it."""

    pid: int = Field(description="Process id; also the id of its process group.")
    create_time: float = Field(description="Unix time of its start.")
    host: str = Field(description="Machine that it runs on.")
    module: str = Field(description="Module that it runs.")
    call: int = Field(description="Which of the task's children it is, from 0.")


class OwnedProcess(subprocess.Popen[bytes]):
    """A process that may outlive this one: forgetting it is no mistake."""

    def __del__(self, *_: Any) -> None:
        self.poll()


class Child:
    """The process of one attempt, ours or an earlier worker's."""

    def __init__(self, run: RunDirectory, identity: ChildIdentity, owned: OwnedProcess | None = None) -> None:
        self.run = run
        self.identity = identity
        self._owned = owned

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, and when it was not ours to see."""
        return self._owned.poll() if self._owned is not None else None

    @property
    def is_ours(self) -> bool:
        """Whether this very worker started it."""
        return self._owned is not None

    @property
    def is_elsewhere(self) -> bool:
        """Whether it runs on another machine, where only its heartbeat can be seen."""
        return self.identity.host != socket.gethostname()

    def is_alive(self) -> bool:
        """Whether the process runs. One of another machine counts as alive; its heartbeat decides."""
        if self._owned is not None:
            return self._owned.poll() is None
        return self.is_elsewhere or self._find() is not None

    def kill(self) -> None:
        """End it, and all that it started, at once. On another machine it ends itself: a later attempt supersedes it."""
        if self.is_elsewhere or not self.is_alive():
            return
        try:
            os.killpg(self.identity.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        if self._owned is not None:
            self._owned.wait()

    def _find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.identity.pid)
            with process.oneshot():
                is_same = abs(process.create_time() - self.identity.create_time) < CLOCK_TOLERANCE_SECONDS
                if is_same and process.status() != psutil.STATUS_ZOMBIE and str(self.run.path) in process.cmdline():
                    return process
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            return None
        return None


def start_child(
    run: RunDirectory, module: str, call: int, environment: dict[str, str], python: str | None = None
) -> Child:
    """Start ``python -m module FOLDER`` in a session of its own and write down who it is."""
    command = [python or sys.executable, "-m", module, str(run.path)]
    with run.output_file.open("ab") as output:
        process = OwnedProcess(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=run.path,
            env=environment,
        )
    identity = ChildIdentity(
        pid=process.pid,
        create_time=psutil.Process(process.pid).create_time(),
        host=socket.gethostname(),
        module=module,
        call=call,
    )
    write_json(run.child_file, identity.model_dump())
    with contextlib.suppress(OSError):  # where memory ends, the child goes before the worker that can start it again
        Path(f"/proc/{process.pid}/oom_score_adj").write_text(OOM_SCORE)
    return Child(run, identity, process)


def find_child(run: RunDirectory) -> Child | None:
    """The child that was started for ``run``, dead or alive; None when none was."""
    try:
        return Child(run, ChildIdentity.model_validate(json.loads(run.child_file.read_bytes())))
    except (FileNotFoundError, ValueError):
        return None


def attempt_numbers(attempts: Path) -> list[int]:
    """Numbers of the attempts that have a folder."""
    try:
        return sorted(int(name) for name in os.listdir(attempts) if name.isdigit())
    except FileNotFoundError:
        return []


class Beat:
    """Whether a child still gives signs of life, on our own clock: neither a clock that was set nor our own sleep kills it."""

    def __init__(self, run: RunDirectory, lease_seconds: float) -> None:
        self._run = run
        self._lease_seconds = lease_seconds
        self._seen: float | None = None
        self._changed_at = self._looked_at = time.monotonic()

    def is_stale(self) -> bool:
        """Whether there was no beat for two lease times while we were looking."""
        now = time.monotonic()
        try:
            beat: float | None = self._run.heartbeat_file.stat().st_mtime
        except OSError:
            beat = None
        if beat != self._seen or now - self._looked_at > self._lease_seconds:
            self._seen, self._changed_at = beat, now
        self._looked_at = now
        limit_seconds = 2 * self._lease_seconds
        return now - self._changed_at > (limit_seconds if beat else max(limit_seconds, FIRST_BEAT_SECONDS))
