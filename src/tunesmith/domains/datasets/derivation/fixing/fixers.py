"""The fixer of each code: takes a row and its fault, answers the mended row, ``REMOVED``, or None when it cannot be told how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tunesmith.domains.datasets.derivation.fixing.fields import as_read, as_text, renamed_field
from tunesmith.domains.datasets.derivation.fixing.texts import decoded_again, without_control, without_halves
from tunesmith.domains.datasets.derivation.fixing.turns import (
    Fixer,
    cut_after_last_answer,
    inferred_role,
    known_role,
    merged_turns,
    without_empty_turns,
    without_row,
)
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.readers import Fault


def _any(function: Callable[[Any, Fault], Any]) -> Fixer:
    """A fixer that is the same for all formats."""
    return lambda value, fault, fmt: function(value, fault)


def _field(value: Any, fault: Fault, fmt: DataFormat) -> Any:
    renamed = renamed_field(value, fault, fmt)
    is_of_turn = fault.pointer.count("/") > 1
    return renamed if renamed is not None or not is_of_turn else inferred_role(value, fault, fmt)


FIXERS: dict[str, Fixer] = {
    "chosen-equals-rejected": _any(without_row),
    "control-character": _any(without_control),
    "duplicate-key": _any(as_read),
    "empty-turn": without_empty_turns,
    "invalid-encoding": _any(without_halves),
    "last-turn-not-assistant": cut_after_last_answer,
    "missing-field": _field,
    "mojibake": _any(decoded_again),
    "no-assistant": _any(without_row),
    "unknown-role": _any(known_role),
    "wrong-role-order": merged_turns,
    "wrong-type": _any(as_text),
}
OF_SEVERAL_ROWS = frozenset({"exact-duplicate"})
OF_THE_FILE = frozenset({"blank-line", "encoding-bom"})
