"""How a computation in a thread learns that its job was cancelled."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.domains.jobs import JobContext


def stopper(context: JobContext) -> Callable[[], bool]:
    """A question that is never answered with yes: where the job is to end, asking it raises Cancelled."""

    def is_asked() -> bool:
        context.check()
        return False

    return is_asked
