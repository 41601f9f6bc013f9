"""Which methods work where: read from the record that ``benchmarks/training_capabilities.py`` writes by trying each cell.

A cell says `works` only from a recorded run. What is known not to work names the reason and the nearest thing that does, and
recipes are refused for it; what nobody has tried yet is allowed, and says so.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

import tunesmith
from tunesmith.domains.training.schemas import CapabilityCell, CapabilityMatrix, CapabilityState
from tunesmith.wire.methods import Adapter, Objective
from tunesmith.wire.recipe import Recipe

RECORD = Path(tunesmith.__file__).parent / "bundle" / "capabilities.json"
DEVICES = ("cpu", "cuda", "mps")
ENGINE = "trl"
MPS_FOUR_BITS = (
    "bitsandbytes has no four-bit kernels for mps.",
    "Set method.adapter: lora with training.precision: bf16; it trains the same matrices.",
)


@lru_cache(maxsize=1)
def capability_matrix() -> CapabilityMatrix:
    """Every cell: recorded, known not to work, or not tried yet."""
    try:
        recorded = CapabilityMatrix.model_validate(json.loads(RECORD.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        recorded = CapabilityMatrix(cells=[])
    known = {(c.objective, c.adapter, c.device, c.engine): c for c in recorded.cells if not c.strategy}
    cells = [
        known.get((objective.value, adapter.value, device, ENGINE)) or _unrecorded(objective, adapter, device)
        for objective in Objective
        for adapter in Adapter
        for device in DEVICES
    ]
    extra = [cell for cell in recorded.cells if cell.engine != ENGINE or cell.strategy]
    return CapabilityMatrix(cells=[*cells, *extra])


def _unrecorded(objective: Objective, adapter: Adapter, device: str) -> CapabilityCell:
    cell = CapabilityCell(
        objective=objective.value, adapter=adapter.value, device=device, engine=ENGINE, state=CapabilityState.UNTRIED
    )
    if adapter is Adapter.QLORA and device == "mps":
        cell.state = CapabilityState.FAILS
        cell.reason, cell.alternative = MPS_FOUR_BITS
    else:
        cell.reason = f"No run on {device} has been recorded."
        cell.alternative = f"Try it: python -m benchmarks.training_capabilities --device {device}"
    return cell


def refused_cell(recipe: Recipe, device: str) -> CapabilityCell | None:
    """The cell of ``recipe`` on ``device``, when it is known not to work; ``auto`` is refused by nothing."""
    method, plan = recipe.method, recipe.resources.distributed
    strategies = ("", plan.strategy) if plan else ("",)
    for cell in capability_matrix().cells:
        if cell.strategy not in strategies:
            continue
        if cell.state is CapabilityState.FAILS and (cell.objective, cell.adapter, cell.device, cell.engine) == (
            method.objective,
            method.adapter,
            device,
            ENGINE,
        ):
            return cell
    return None
