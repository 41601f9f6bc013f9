"""`make check`: every rule of the house, each step by name, quiet when it holds.

.venv/bin/python -m tools.check            all steps
.venv/bin/python -m tools.check mypy ui    only these
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """One check: its name, its command, and how to mend what it finds."""

    name: str
    command: list[str]
    mend: str


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    step: Step
    passed: bool
    output: str
    seconds: float


STEPS = [
    Step("format", [f"{BIN}/ruff", "format", "--check", "."], f"{BIN.parent.name}/bin/ruff format ."),
    Step("lint", [f"{BIN}/ruff", "check", "--quiet", "."], f"{BIN.parent.name}/bin/ruff check --fix ."),
    Step("types", [f"{BIN}/mypy"], "correct the types that are named"),
    Step("imports", [f"{BIN}/lint-imports", "--no-cache"], "see ARCHITECTURE.md: arrows only point down"),
    Step(
        "architecture",
        [
            sys.executable,
            "-m",
            "pytest",
            "tests/architecture/test_rules.py",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
        ],
        "the failing test names the rule",
    ),
    Step("references", [sys.executable, "-m", "tools.reference", "--check"], "make reference, then commit"),
    Step(
        "ui",
        ["sh", "-c", "sh tools/check_ui_types.sh && cd ui && npm run --silent check"],
        "cd ui && npm run types && npm run fix",
    ),
]


def is_possible(step: Step) -> bool:
    """The UI's checks need Node; a machine without it says so, and CI refuses."""
    if step.name != "ui" or shutil.which("npm") or os.environ.get("CI") == "true":
        return True
    print("  ui            left out: Node 20 or newer is not installed (CI runs it)")
    return False


def run(step: Step) -> Outcome:
    """Run one step and keep what it said."""
    started = time.monotonic()
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(step.command, cwd=ROOT, capture_output=True, text=True, env=environment)
    return Outcome(step, done.returncode == 0, (done.stdout + done.stderr).strip(), time.monotonic() - started)


def main(names: list[str]) -> int:
    """Run the steps, two at a time; 1 when one fails."""
    unknown = set(names) - {step.name for step in STEPS}
    if unknown:
        print(f"No such step: {', '.join(sorted(unknown))}. Steps: {', '.join(s.name for s in STEPS)}", file=sys.stderr)
        return 2
    steps = [step for step in STEPS if (not names or step.name in names) and is_possible(step)]
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for outcome in pool.map(run, steps):
            print(
                f"  {outcome.step.name:<13} {'ok' if outcome.passed else 'FAILED':<7} {outcome.seconds:5.1f} s",
                flush=True,
            )
            if not outcome.passed:
                failed.append(outcome.step.name)
                print(f"{outcome.output}\n  To mend it: {outcome.step.mend}\n", flush=True)
    if failed:
        print(f"make check: {len(failed)} of {len(steps)} steps failed: {', '.join(failed)}")
        return 1
    print(f"make check: all {len(steps)} steps passed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
