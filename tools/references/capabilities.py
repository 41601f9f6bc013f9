"""The capability matrix, from the record in the bundle."""

from __future__ import annotations

from tools.references.markdown import code, generated, table
from tunesmith.domains.training.capabilities import DEVICES, capability_matrix
from tunesmith.domains.training.schemas import CapabilityCell, CapabilityState


def page() -> str:
    """Objective by adapter by device, what does not work, and the recorded runs."""
    every = capability_matrix().cells
    cells, shared = [c for c in every if not c.strategy], [c for c in every if c.strategy]
    by_method: dict[tuple[str, str], dict[str, CapabilityCell]] = {}
    for cell in cells:
        by_method.setdefault((cell.objective, cell.adapter), {})[cell.device] = cell
    states = [
        [code(objective), code(adapter), *(found[device].state.value if device in found else "–" for device in DEVICES)]
        for (objective, adapter), found in by_method.items()
    ]
    failing = [cell for cell in cells if cell.state is CapabilityState.FAILS]
    recorded = [cell for cell in cells if cell.state is CapabilityState.WORKS]
    parts = [
        generated("src/tunesmith/bundle/capabilities.json (written by benchmarks/training_capabilities.py)"),
        "# What works where\n",
        "A cell says *works* only from a recorded run: four updates on the bundled model with a checkpoint in the middle, and the "
        "same weights again from that checkpoint. *Untried* is allowed and not promised; *fails* is refused with what works "
        "instead.\n",
        table(["Objective", "Adapter", *DEVICES], states),
        "## What fails\n",
        table(
            ["Method", "Device", "Why", "Instead"],
            [[f"{c.objective} with {c.adapter}", c.device, c.reason, c.alternative] for c in failing],
        ),
        "## Several processes\n",
        "The same by several processes that share each update. *Works* says besides that the loss of every update was that of one "
        "process to 1e-5 in float32. What has no row here has not been recorded.\n",
        table(
            ["Method", "Strategy", "Device", "State", "When", "Largest difference of a loss", "Seconds"],
            [_shared(cell) for cell in shared],
        ),
        "## Recorded runs\n",
        table(
            ["Method", "Device", "When", "Updates", "Seconds", "Weights SHA-256", "Libraries"],
            [_run(cell) for cell in recorded],
        ),
    ]
    return "\n".join(parts)


def _shared(cell: CapabilityCell) -> list[str]:
    when = cell.recorded_at.strftime("%Y-%m-%d") if cell.recorded_at else ""
    method, strategy = f"{cell.objective} with {cell.adapter}", f"{code(cell.strategy)}, {cell.processes} processes"
    difference = "–" if cell.loss_difference is None else f"{cell.loss_difference:.1e}"
    return [method, strategy, cell.device, cell.state.value, when, difference, f"{cell.seconds:.0f}"]


def _run(cell: CapabilityCell) -> list[str]:
    when = cell.recorded_at.strftime("%Y-%m-%d") if cell.recorded_at else ""
    libraries = ", ".join(f"{name} {version}" for name, version in cell.versions.items())
    figures = [when, str(cell.steps), f"{cell.seconds:.0f}", code(cell.weights_sha256[:12]), libraries]
    return [f"{cell.objective} with {cell.adapter}", f"{cell.device} ({cell.device_name})", *figures]
