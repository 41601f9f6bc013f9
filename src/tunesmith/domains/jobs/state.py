"""The only state machine: a table of moves, and the one function that changes ``state``.

    waiting ── release ──▶ queued ── claim ──▶ running ── succeed ──▶ succeeded
                             ▲                   │ stop, cancel
                             │ retry, resume     ▼
    failed, cancelled, stopped ◀──────────── stopping

Stop keeps the checkpoint, cancel discards it; retry and resume lead back to the queue on the same id.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case

from tunesmith.domains.jobs.errors import JobStateConflict
from tunesmith.domains.jobs.schemas import JobState
from tunesmith.domains.jobs.tables import JobRow

WAITING, QUEUED, RUNNING, STOPPING = JobState.WAITING, JobState.QUEUED, JobState.RUNNING, JobState.STOPPING
STOPPED, SUCCEEDED, FAILED, CANCELLED = JobState.STOPPED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED


class Move(StrEnum):
    """What can happen to a job."""

    RELEASE = "release"
    CLAIM = "claim"
    SUCCEED = "succeed"
    REUSE = "reuse"
    FAIL = "fail"
    STOP = "stop"
    CANCEL = "cancel"
    END_STOPPED = "end-stopped"
    END_CANCELLED = "end-cancelled"
    RETRY = "retry"
    RESUME = "resume"
    REVIVE = "revive"


TRANSITIONS: dict[Move, dict[JobState, JobState]] = {
    Move.RELEASE: {WAITING: QUEUED},
    Move.CLAIM: {QUEUED: RUNNING, RUNNING: RUNNING, STOPPING: STOPPING},
    Move.SUCCEED: {RUNNING: SUCCEEDED, STOPPING: SUCCEEDED},
    Move.REUSE: {WAITING: SUCCEEDED, QUEUED: SUCCEEDED},
    Move.FAIL: {WAITING: FAILED, QUEUED: FAILED, RUNNING: FAILED, STOPPING: FAILED},
    Move.STOP: {WAITING: STOPPED, QUEUED: STOPPED, RUNNING: STOPPING, STOPPING: STOPPING},
    Move.CANCEL: {
        WAITING: CANCELLED,
        QUEUED: CANCELLED,
        STOPPED: CANCELLED,
        RUNNING: STOPPING,
        STOPPING: STOPPING,
    },
    Move.END_STOPPED: {STOPPING: STOPPED},
    Move.END_CANCELLED: {STOPPING: CANCELLED},
    Move.RETRY: {FAILED: QUEUED, CANCELLED: QUEUED, STOPPED: QUEUED},
    Move.RESUME: {FAILED: QUEUED, STOPPED: QUEUED},
    Move.REVIVE: {FAILED: WAITING, CANCELLED: WAITING, STOPPED: WAITING},
}

HELD_STATES = tuple(state.value for state in JobState if state.is_held)


def can_move(state: JobState, move: Move) -> bool:
    """Whether ``move`` is possible in ``state``."""
    return state in TRANSITIONS[move]


def advance(row: JobRow, move: Move) -> tuple[JobState, JobState]:
    """Change the state of ``row`` by ``move``; answers (before, after). Raises JobStateConflict when the table has no such move."""
    before = JobState(row.state)
    after = TRANSITIONS[move].get(before)
    if after is None:
        allowed = ", ".join(sorted(TRANSITIONS[move]))
        raise JobStateConflict(
            f"Job {row.id} is {before}; {move.value.replace('-', ' ')} is possible only when it is {allowed}.",
            hint=_way_out(before),
            state=before.value,
        )
    row.state = after.value
    return before, after


def state_after_claim() -> ColumnElement[Any]:
    """The state that a claim leads to, as SQL: claims are one UPDATE, and their moves are in the table like all others."""
    moves = TRANSITIONS[Move.CLAIM]
    return case({before.value: after.value for before, after in moves.items()}, value=JobRow.state)


def _way_out(state: JobState) -> str:
    ways = [move.value for move in (Move.CANCEL, Move.STOP, Move.RESUME, Move.RETRY) if can_move(state, move)]
    return f"Possible now: {', '.join(ways)}." if ways else "Nothing more happens to this job; start a new one."
