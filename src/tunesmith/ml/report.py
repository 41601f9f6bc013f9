"""The child's side of the border: tell what happens, hear when to end, leave when nobody holds the lease.

    with Reporter(sys.argv[1]) as report:     # before torch is imported: its watch thread is the sign of life
        report.progress(1, 100)
        if report.end_requested(): …
        report.finished({"loss": 0.5})

A watch thread touches ``heartbeat`` each second and ends the process with code 75 when the newest lease file has not been
touched for two lease times, or when a later attempt has been started. By hand (`python -m tunesmith.ml.sft FOLDER`) there is
no lease file and so no watchdog. Nothing here imports torch.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tunesmith.wire.events import CheckpointSaved, Failed, Finished, LogLine, Metric, Progress, Sample
from tunesmith.wire.run_dir import RunDirectory

logger = logging.getLogger(__name__)

EXIT_ABANDONED = 75
"""Exit code of a child that nobody holds a lease for (EX_TEMPFAIL)."""
EXIT_FAILED = 1
HEARTBEAT_SECONDS = 1.0
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")


class Reporter:
    """Writes ``events.jsonl`` and watches the lease. Safe to use from several threads."""

    def __init__(self, run: RunDirectory | Path | str, *, watch: bool = True) -> None:
        self.run = run if isinstance(run, RunDirectory) else RunDirectory(Path(run).absolute())
        self.spec = self.run.read_spec()
        self._lock = threading.Lock()
        self._ended = False
        self._first: tuple[float, int] | None = None
        self._watch = Watch(self.run, float(self.spec.get("lease_seconds", 15.0)))
        if watch:
            self._watch.start()

    def progress(
        self,
        step: int,
        total_steps: int | None = None,
        message: str | None = None,
        *,
        eta_seconds: float | None = None,
    ) -> None:
        """How far the work is. Without ``eta_seconds`` it is estimated from the steps since the first call."""
        now = time.monotonic()
        first_at, first_step = self._first = self._first or (now, step)
        if eta_seconds is None and total_steps is not None and step > first_step:
            eta_seconds = (now - first_at) / (step - first_step) * max(0, total_steps - step)
        self._append(Progress(step=step, total_steps=total_steps, message=message, eta_seconds=eta_seconds))

    def metric(self, step: int, values: Mapping[str, float], *, epoch: float | None = None) -> None:
        """A point on the curves. What is not a number has no place on one (nor in JSON): it is told as a warning instead."""
        points = {name: float(value) for name, value in values.items()}
        for name in [name for name, value in points.items() if not math.isfinite(value)]:
            self.log(f"{name} is {points.pop(name)} at step {step}", "warning")
        self._append(Metric(step=step, epoch=epoch, values=points))

    def log(self, message: str, level: Literal["debug", "info", "warning", "error"] = "info") -> None:
        """A line for people."""
        self._append(LogLine(message=message, level=level))

    def sample(self, prompt: str, answer: str, *, step: int = 0) -> None:
        """Something that the model said."""
        self._append(Sample(prompt=prompt, answer=answer, step=step))

    def checkpoint(
        self,
        step: int,
        path: Path | str,
        *,
        size_bytes: int = 0,
        epoch: float | None = None,
        metrics: Mapping[str, float] | None = None,
        is_best: bool = False,
        removed: list[Path] | list[str] | None = None,
    ) -> None:
        """A checkpoint is complete on disk (``wire.checkpoint.new_checkpoint`` has returned)."""
        self._append(
            CheckpointSaved(
                step=step,
                epoch=epoch,
                path=self._relative(path),
                size_bytes=size_bytes,
                metrics={name: float(value) for name, value in (metrics or {}).items()},
                is_best=is_best,
                removed=[self._relative(old) for old in removed or []],
            )
        )

    def finished(self, result: Mapping[str, Any] | None = None, *, stopped: bool = False) -> None:
        """The work is done; ``stopped`` when it ended early on request with a checkpoint. The last word."""
        self._last_word(Finished(result=dict(result or {}), stopped=stopped))

    def failed(
        self,
        error_type: str,
        message: str,
        *,
        code: str = "training",
        hint: str = "",
        reason: str | None = None,
        retryable: bool = False,
    ) -> None:
        """The work cannot go on. The last word; the caller exits with code 1."""
        self._last_word(
            Failed(error_type=error_type, code=code, message=message, hint=hint, reason=reason, retryable=retryable)
        )

    def failed_by(self, error: BaseException) -> None:
        """The last word for an error that nobody expected: classified, one sentence, the traceback only in ``output.log``."""
        traceback.print_exception(error)
        words = f"{type(error).__name__}: {error}".strip().rstrip(":")
        if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            self.failed(
                "GPU_ERROR",
                f"The work ran out of memory ({words[:300]}).",
                code="out-of-memory",
                hint="Use a smaller batch or shorter rows, or turn on gradient checkpointing.",
                reason="out-of-memory",
            )
        elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
            self.failed(
                "DISK_ERROR",
                "The disk is full.",
                code="disk-full",
                hint="Free some space in the data folder, then resume the job.",
                reason="disk-full",
            )
        else:
            self.failed(
                "ENGINE_ERROR",
                f"The work stopped with an error that it does not know ({words[:500]}).",
                code="engine",
                hint="The last lines of the job's log show where it happened.",
            )

    def end_requested(self) -> Literal["stop", "cancel"] | None:
        """Whether the child is asked to end: "stop" saves a checkpoint first, "cancel" does not."""
        return self.run.end_requested()

    def close(self) -> None:
        """End the watch thread."""
        self._watch.stop()

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """An error that reaches this far becomes ``failed``; the process then exits with code 1, without a second trace."""
        try:
            if isinstance(error, Exception):
                if not self._ended:
                    self.failed_by(error)
                raise SystemExit(EXIT_FAILED) from None
        finally:
            self.close()

    def _relative(self, path: Path | str) -> str:
        return os.path.relpath(path, self.run.path) if os.path.isabs(path) else str(path)

    def _last_word(self, event: Finished | Failed) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self.run.append(event)

    def _append(self, event: Progress | Metric | LogLine | Sample | CheckpointSaved) -> None:
        with self._lock:
            if not self._ended:
                self.run.append(event)


class Watch(threading.Thread):
    """The sign of life, and the end of a child that nobody wants any more.

    Staleness is counted on this thread's own clock since the lease file last changed, so that a machine that slept, or a
    clock that was set, ends nothing.
    """

    def __init__(self, run: RunDirectory, lease_seconds: float) -> None:
        super().__init__(name="watch", daemon=True)
        self._run = run
        self._lease_seconds = lease_seconds
        self._interval_seconds = min(HEARTBEAT_SECONDS, lease_seconds / 4)
        self._stopped = threading.Event()
        self._lease_seen: float | None = None
        self._lease_changed_at = time.monotonic()

    def run(self) -> None:
        """Beat and watch until stopped."""
        while True:
            self._beat()
            reason = self._reason_to_leave()
            if reason:
                self._leave(reason)
            if self._stopped.wait(self._interval_seconds):
                return

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(timeout=5)

    def _beat(self) -> None:
        try:
            self._run.heartbeat_file.touch()
        except OSError as error:  # a full disk must not end the work by itself
            logger.warning("cannot touch the heartbeat: %s", error)

    def _reason_to_leave(self) -> str | None:
        try:
            if self._run.is_superseded():
                return "a later attempt has been started"
            newest = self._run.newest_lease_mtime()
        except OSError as error:
            return f"the run directory is gone ({error})"
        now = time.monotonic()
        if newest is None:
            return None  # started by hand
        if newest != self._lease_seen:
            self._lease_seen, self._lease_changed_at = newest, now
        elif now - self._lease_changed_at > 2 * self._lease_seconds:
            return f"no worker has renewed the lease for {now - self._lease_changed_at:.1f} s"
        return None

    def _leave(self, reason: str) -> None:
        with contextlib.suppress(OSError):
            self._run.abandoned_file.write_text(reason + "\n")
        os.write(2, f"exit {EXIT_ABANDONED}: {reason}\n".encode())
        os._exit(EXIT_ABANDONED)
