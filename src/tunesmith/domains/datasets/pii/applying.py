"""Taking personal data out of rows: what is done with each kind, and what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.pii.entities import CERTAIN, Entity, PiiHit
from tunesmith.domains.datasets.pii.finding import find_pii
from tunesmith.domains.datasets.pii.masking import mask_value, rewrite
from tunesmith.domains.datasets.pii.surrogates import Pseudonyms

_ROUNDS = 8

FindPii = Callable[[str, str], list[PiiHit]]
"""Finds personal data in a text, given the name of the field that holds it."""


class PiiAction(StrEnum):
    """What is done with personal data."""

    MASK = "mask"
    REDACT = "redact"
    PSEUDONYMISE = "pseudonymise"
    DROP = "drop"


class PiiChange(NamedTuple):
    """One find that was dealt with: JSON pointer to the text that held it, and its kind."""

    pointer: str
    entity: Entity


class Applied(NamedTuple):
    """A row after its personal data was dealt with. A dropped row keeps its old value."""

    value: Any
    changes: list[PiiChange]
    is_dropped: bool


class PiiSummary(BaseModel):
    """What was found in, or done to, many rows."""

    rows: int = Field(0, description="Rows that were looked at.")
    rows_with_pii: int = Field(0, description="Rows that hold personal data.")
    rows_dropped: int = Field(0, description="Rows that were left out.")
    by_entity: dict[str, int] = Field(default_factory=dict, description="Number of finds by kind.")


@dataclass
class PiiTally:
    """Sums over the rows that have been dealt with."""

    rows: int = 0
    rows_with_pii: int = 0
    rows_dropped: int = 0
    by_entity: Counter[str] = field(default_factory=Counter)

    def add(self, applied: Applied) -> None:
        """Count one row."""
        self.rows += 1
        self.rows_with_pii += bool(applied.changes)
        self.rows_dropped += applied.is_dropped
        self.by_entity.update(change.entity.value for change in applied.changes)

    def summary(self) -> PiiSummary:
        """The sums."""
        return PiiSummary(
            rows=self.rows,
            rows_with_pii=self.rows_with_pii,
            rows_dropped=self.rows_dropped,
            by_entity=dict(sorted(self.by_entity.items())),
        )


def apply_pii(
    value: Any,
    actions: Mapping[Entity, PiiAction],
    pseudonyms: Pseudonyms | None = None,
    *,
    at_least: float = CERTAIN,
    find: FindPii = find_pii,
) -> Applied:
    """A row (or any JSON value) with the personal data of all its texts dealt with; ``value`` itself is not changed.

    Kinds without an action stay, and so do keys of objects. Hits below ``at_least`` stay. One hit whose action is to drop
    drops the row. ``pseudonyms`` are needed when an action asks for them.
    """
    if pseudonyms is None and PiiAction.PSEUDONYMISE in actions.values():
        raise ValueError("pseudonymise needs the pseudonyms of the data set")
    walk = _Walk(actions, pseudonyms, at_least, find)
    made = walk.walked(value)
    return Applied(value if walk.is_dropped else made, walk.changes, walk.is_dropped)


class _Walk:
    """Through one row, without recursion: rows may be nested deeply."""

    def __init__(
        self, actions: Mapping[Entity, PiiAction], pseudonyms: Pseudonyms | None, at_least: float, find: FindPii
    ) -> None:
        self._actions = actions
        self._pseudonyms = pseudonyms
        self._at_least = at_least
        self._find = find
        self.changes: list[PiiChange] = []
        self.is_dropped = False

    def walked(self, value: Any) -> Any:
        """A copy with the texts rewritten."""
        holder: list[Any] = [value]
        waiting: list[tuple[Any, Any, str, str]] = [(holder, 0, "", "")]
        while waiting:
            parent, key, pointer, name = waiting.pop()
            current = parent[key]
            if isinstance(current, str):
                parent[key] = self._rewritten(current, pointer, name)
            elif isinstance(current, dict):
                made = parent[key] = dict(current)
                inner = [(made, k, f"{pointer}/{_escaped(k)}", str(k)) for k in made]
                waiting += reversed(inner)
            elif isinstance(current, list):
                copied = parent[key] = list(current)
                waiting += reversed([(copied, index, f"{pointer}/{index}", name) for index in range(len(copied))])
        return holder[0]

    def _rewritten(self, text: str, pointer: str, name: str) -> str:
        for round_number in range(_ROUNDS):
            hits = [h for h in self._find(text, name) if h.confidence >= self._at_least and h.entity in self._actions]
            if round_number:  # what came out as a pseudonym is not dealt with again
                hits = [hit for hit in hits if self._actions[hit.entity] is not PiiAction.PSEUDONYMISE]
            if not hits:
                break
            self.changes += [PiiChange(pointer, hit.entity) for hit in hits]
            self.is_dropped |= any(self._actions[hit.entity] is PiiAction.DROP for hit in hits)
            if self.is_dropped:
                break
            text = rewrite(text, hits, self._rendered)
        return text

    def _rendered(self, hit: PiiHit, value: str) -> str:
        action = self._actions[hit.entity]
        if action is PiiAction.MASK:
            return mask_value(hit.entity, value)
        if action is PiiAction.REDACT:
            return f"[{hit.entity.value.upper()}]"
        assert self._pseudonyms is not None
        return self._pseudonyms.of(hit.entity, value)


def _escaped(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
