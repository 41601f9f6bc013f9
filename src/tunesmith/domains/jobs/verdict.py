"""Why a child died that could not say it itself, read from how it ended and what it printed last."""

from __future__ import annotations

import re
import signal

from tunesmith.domains.jobs.failure import ErrorType, JobFailure
from tunesmith.wire.run_dir import RunDirectory

TAIL_BYTES = 8192
TAIL_LINES = 20
OUT_OF_MEMORY = re.compile(
    r"MemoryError|out of memory|[Cc]an(?:'t|not) allocate memory|bad_alloc|CUBLAS_STATUS_ALLOC_FAILED"
)
DISK_FULL = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded")


def output_tail(run: RunDirectory) -> list[str]:
    """The last lines that the child printed."""
    try:
        with run.output_file.open("rb") as file:
            file.seek(max(0, run.output_file.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]


def how_it_ended(exit_code: int | None) -> str:
    """The end of a process in words."""
    if exit_code is None:
        return "ended"
    if exit_code < 0:
        try:
            return f"was killed ({signal.Signals(-exit_code).name})"
        except ValueError:
            return f"was killed (signal {-exit_code})"
    return f"ended with code {exit_code}"


def judge(lines: list[str], exit_code: int | None, *, killed_for_memory: bool, starts: int) -> JobFailure:
    """What is told about a job whose child died ``starts`` times without a new checkpoint."""
    text = "\n".join(lines)
    times = f"{starts} times in a row" if starts > 1 else "once"
    if killed_for_memory or OUT_OF_MEMORY.search(text):
        return JobFailure(
            code="out-of-memory",
            error_type=ErrorType.GPU,
            message=f"The child process ran out of memory ({times}).",
            hint="Use a smaller batch or shorter rows, turn on gradient checkpointing, or close other programs.",
            reason="out-of-memory",
        )
    if DISK_FULL.search(text):
        return JobFailure(
            code="disk-full",
            error_type=ErrorType.DISK,
            message=f"The disk was full ({times}).",
            hint="Free some space in the data folder, then resume or retry the job.",
            reason="disk-full",
        )
    return JobFailure(
        code="child-died",
        error_type=ErrorType.ENGINE,
        message=f"The child process {how_it_ended(exit_code)} {times} before it reached a new checkpoint.",
        hint="The last lines that it printed are in the job's log.",
        reason="killed" if exit_code is not None and exit_code < 0 else None,
    )
