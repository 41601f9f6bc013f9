"""Kinds of jobs: what the rest of the program declares, and what bootstrap registers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from tunesmith.db import Unit
from tunesmith.domains.jobs.errors import JobKindUnknown
from tunesmith.domains.jobs.schemas import JobView
from tunesmith.kit.errors import InvalidInput
from tunesmith.wire.events import Event

Task = Callable[[Any], Awaitable[BaseModel]]
"""Gets a ``JobContext`` (which lies above this module) and answers the result."""
OnChange = Callable[[Unit, JobView], Awaitable[None]]
OnEvent = Callable[[Unit, JobView, int, Event], Awaitable[None]]


@dataclass(frozen=True)
class JobKind:
    """One kind of work.

    ``run`` is idempotent: after a kill it runs again from the start, and ``run_child`` finds what it had started.
    A kind that ``needs_device`` waits until one is free: a device runs one such job at a time.
    ``on_change`` and ``on_event`` run in the same transaction as what they hear of.
    """

    name: str
    spec: type[BaseModel]
    result: type[BaseModel]
    run: Task
    cacheable: bool = False
    stoppable: bool = False
    resumable: bool = False
    gpus: int = 0
    needs_device: bool = False
    max_runtime_hours: Callable[[Any], float | None] | None = None
    """The longest that a job of this spec may run; where it is not said, the setting's."""
    on_change: OnChange | None = None
    on_event: OnEvent | None = None

    def parse(self, spec: dict[str, Any]) -> BaseModel:
        """``spec`` as its model; raises InvalidInput that names each fault."""
        try:
            return self.spec.model_validate(spec)
        except ValidationError as error:
            faults = [
                {"location": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
                for fault in error.errors(include_url=False, include_input=False, include_context=False)
            ]
            words = "; ".join(f"{fault['location'] or 'spec'}: {fault['message']}" for fault in faults[:5])
            raise InvalidInput(f"The spec of a {self.name!r} job is not valid: {words}.", errors=faults) from None


@dataclass
class GraphNode:
    """A job of a graph. ``inputs``: field of the spec ← (key of another node, dotted path in its result)."""

    key: str
    kind: str
    name: str
    spec: dict[str, Any]
    after: list[str] = field(default_factory=list)
    inputs: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def dependencies(self) -> list[str]:
        """Keys of the nodes that must have succeeded: those named, and those that give inputs."""
        return list(dict.fromkeys([*self.after, *(key for key, _path in self.inputs.values())]))


class Kinds:
    """The registered kinds, by name."""

    def __init__(self) -> None:
        self._kinds: dict[str, JobKind] = {}

    def register(self, kind: JobKind) -> None:
        """Make ``kind`` known; a name is taken once."""
        if kind.name in self._kinds:
            raise ValueError(f"the job kind {kind.name!r} is registered twice")
        self._kinds[kind.name] = kind

    def names(self) -> list[str]:
        """Names of all kinds."""
        return sorted(self._kinds)

    def needing_device(self) -> list[str]:
        """Names of the kinds that need a device for themselves."""
        return sorted(name for name, kind in self._kinds.items() if kind.needs_device)

    def get(self, name: str) -> JobKind:
        """The kind of that name; raises JobKindUnknown."""
        kind = self._kinds.get(name)
        if kind is None:
            raise JobKindUnknown(f"There is no job kind {name!r}; there are {', '.join(self.names()) or 'none'}.")
        return kind

    def find(self, name: str) -> JobKind | None:
        """The kind of that name, if this process knows it."""
        return self._kinds.get(name)


def spec_sha256(spec: dict[str, Any]) -> str:
    """One hash for equal specs, whatever the order of their keys."""
    return hashlib.sha256(
        json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
