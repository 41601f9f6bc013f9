"""What a kind of job can do about a child that ran out of memory: ask for less, with the same result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from tunesmith.wire.run_dir import RunDirectory

OUT_OF_MEMORY = "out-of-memory"
Spec = TypeVar("Spec", bound=BaseModel)


class Repairs(Protocol):
    """Changes of a child's spec. They must come to an end: after the last one ``repair`` answers None."""

    def repair(self, spec: Any, doing: str | None) -> tuple[Any, str] | None:
        """A spec that asks for less memory than ``spec`` did, and what is different, in a sentence; None when nothing is left.

        ``doing`` is what the child said last that it was doing.
        """
        ...

    def carry(self, spec: Any, earlier: Any) -> Any:
        """``spec`` with the repairs of an ``earlier`` attempt of the same job."""
        ...


def as_repaired(
    repairs: Repairs, ordered: BaseModel, run: RunDirectory, doing: str | None
) -> tuple[BaseModel, str] | None:
    """The repair of what an attempt was really started with. From where it goes on is again what was ordered."""
    found = repairs.repair(type(ordered).model_validate(run.read_spec()), doing)
    if found is None:
        return None
    spec, what = found
    if "resume_from" in type(ordered).model_fields:
        spec = spec.model_copy(update={"resume_from": ordered.resume_from})  # type: ignore[attr-defined]
    return spec, what


def carried(repairs: Repairs, spec: Spec, attempts: Sequence[Path]) -> Spec:
    """``spec`` with what the newest of the earlier ``attempts`` had been repaired to, also by a worker that is gone."""
    for folder in reversed(attempts):
        try:
            earlier = type(spec).model_validate(RunDirectory(folder).read_spec())
        except (OSError, ValueError, json.JSONDecodeError):
            continue  # another kind of child, or a folder that was never completed
        found: Spec = repairs.carry(spec, earlier)
        return found
    return spec
