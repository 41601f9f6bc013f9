"""The operations by name, as jobs name them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from tunesmith.domains.datasets.derivation.cleaning.operation import Clean
from tunesmith.domains.datasets.derivation.edits import Edit
from tunesmith.domains.datasets.derivation.fixing.operation import Fix
from tunesmith.domains.datasets.derivation.operation import Operation
from tunesmith.domains.datasets.derivation.personal import ApplyPii

OperationName = Literal["edit", "fix", "clean", "pii"]
OPERATIONS: dict[str, Callable[[dict[str, Any]], Operation]] = {
    "edit": Edit,
    "fix": Fix,
    "clean": Clean,
    "pii": ApplyPii,
}


def operation_of(name: str, parameters: dict[str, Any]) -> Operation:
    """The operation, with its parameters; raises pydantic.ValidationError for those that it does not take."""
    return OPERATIONS[name](parameters)
