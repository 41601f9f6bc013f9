"""What each step of a derivation did, with a few examples; personal data in them is masked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from tunesmith.domains.datasets.derivation.parent import Passed
from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.readers import escape_pointer
from tunesmith.domains.datasets.schemas.derivation import DerivationReport, StepExample, StepReport

EXAMPLES = 5
LISTED_ROWS = 1000
SHOWN_CHARACTERS = 200
Kind = Literal["changed", "removed", "added", "left"]


@dataclass
class StepTally:
    """Counts of one step."""

    name: str
    changed: int = 0
    removed: int = 0
    added: int = 0
    left: int = 0
    removed_rows: list[int] = field(default_factory=list)
    examples: list[StepExample] = field(default_factory=list)

    def change(self, row: int, before: Any, after: Any, note: str | None = None) -> None:
        """A row was altered: the places that differ make the example."""
        self.changed += 1
        if len(self.examples) < EXAMPLES:
            pointer, old, new = first_difference(before, after)
            self._example("changed", row, note, pointer=pointer, before=old, after=new)

    def remove(self, row: int, value: Any, note: str | None = None) -> None:
        """A row was left out."""
        self.removed += 1
        if len(self.removed_rows) < LISTED_ROWS:
            self.removed_rows.append(row)
        if len(self.examples) < EXAMPLES:
            self._example("removed", row, note, before=value)

    def add(self, after_row: int, value: Any) -> None:
        """A row is new."""
        self.added += 1
        if len(self.examples) < EXAMPLES:
            self._example("added", after_row, None, after=value)

    def leave(self, row: int, note: str) -> None:
        """A row was asked for and stays as it is; ``note`` says why."""
        self.left += 1
        if len(self.examples) < EXAMPLES:
            self._example("left", row, note)

    def _example(
        self, kind: Kind, row: int, note: str | None, *, pointer: str = "", before: Any = None, after: Any = None
    ) -> None:
        self.examples.append(
            StepExample(
                kind=kind,
                row=row,
                pointer=shown(pointer),
                before=_excerpt(before),
                after=_excerpt(after),
                note=None if note is None else shown(note, SHOWN_CHARACTERS),
            )
        )

    def document(self) -> StepReport:
        """As it is answered."""
        return StepReport(
            step=self.name,
            changed=self.changed,
            removed=self.removed,
            added=self.added,
            left=self.left,
            removed_rows=self.removed_rows,
            examples=self.examples,
        )


class Report:
    """The steps of one derivation, in the order in which they first had something to say."""

    def __init__(self) -> None:
        self._steps: dict[str, StepTally] = {}
        self.file_changed = False
        """Whether something was mended that lies in no row, such as blank lines."""
        self.kept_as_text = 0
        self._passed = Passed()

    def step(self, name: str) -> StepTally:
        """The tally of that name."""
        return self._steps.setdefault(name, StepTally(name))

    def see_file(self, passed: Passed) -> None:
        """Take what the pass met beside the rows."""
        self._passed = passed

    def document(self) -> DerivationReport:
        """As it is answered."""
        return DerivationReport(
            steps=[step.document() for step in self._steps.values()],
            blank_lines=self._passed.blank_lines,
            byte_order_mark=self._passed.has_bom,
            outside_rows=[shown(text, SHOWN_CHARACTERS) for text in self._passed.others],
            kept_as_text=self.kept_as_text,
        )


def first_difference(before: Any, after: Any, pointer: str = "") -> tuple[str, Any, Any]:
    """The innermost place that holds all differences up to the first container of another shape, and both its values."""
    while True:
        if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
            steps = [(escape_pointer(str(key)), before[key], after[key]) for key in before]
        elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            steps = [(str(at), old, new) for at, (old, new) in enumerate(zip(before, after, strict=True))]
        else:
            return pointer, before, after
        changed = [step for step in steps if step[1] != step[2] or type(step[1]) is not type(step[2])]
        if not changed:
            return pointer, before, after
        step, before, after = changed[0]
        pointer = f"{pointer}/{step}"


def _excerpt(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    return shown(value, SHOWN_CHARACTERS)
