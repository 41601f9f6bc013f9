"""Values at JSON pointers (RFC 6901): looked up, and replaced in a copy."""

from __future__ import annotations

import itertools
import re
from typing import Any

_INDEX = re.compile(r"0|[1-9]\d{0,9}")


class PointerMissing(LookupError):
    """There is no such place; the text says where the way ends."""


def steps_of(pointer: str) -> list[str]:
    """The keys and indexes of a pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def value_at(value: Any, pointer: str) -> Any:
    """What lies there; raises PointerMissing."""
    for step in steps_of(pointer):
        value = _child(value, step)
    return value


def replaced(value: Any, pointer: str, new: Any) -> Any:
    """A copy of ``value`` with ``new`` at ``pointer``; only what lies on the way is copied.

    A field that an object lacks is added, and so is an element at the end of an array (its length, or ``-``).
    """
    steps = steps_of(pointer)
    if not steps:
        return new
    made = top = _copied(value, steps[0])
    for step, following in itertools.pairwise(steps):
        child = _copied(_child(made, step), following)
        made[int(step) if isinstance(made, list) else step] = child
        made = child
    last = steps[-1]
    if isinstance(made, dict):
        made[last] = new
    elif last == "-" or last == str(len(made)):
        made.append(new)
    else:
        _child(made, last)
        made[int(last)] = new
    return top


def without(value: Any, pointer: str) -> Any:
    """A copy of ``value`` without what lies at ``pointer``."""
    *parents, last = steps_of(pointer)
    owner_pointer = pointer[: pointer.rindex("/")]
    owner = _copied(value_at(value, owner_pointer), last)
    _child(owner, last)
    del owner[int(last) if isinstance(owner, list) else last]
    return replaced(value, owner_pointer, owner) if parents else owner


def _child(value: Any, step: str) -> Any:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
        return value[int(step)]
    raise PointerMissing(f"there is no {step[:60]!r} here")


def _copied(value: Any, step: str) -> Any:
    if isinstance(value, dict | list):
        return value.copy()
    raise PointerMissing(f"{step[:60]!r} leads into something that is neither an object nor an array")
