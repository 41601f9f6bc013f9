"""Rules that need the program itself, in an interpreter of its own so that any checkout can be looked at."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve()
OWN_ROOT = HERE.parents[3]
ALL = ("route_rules", "route_documents", "settings_described", "owned_columns", "error_documents")


def _ask(root: Path, *rules: str) -> list[str]:
    command = [sys.executable, str(HERE.with_name("probe.py")), str(root), *rules]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    failure = [f"{rule}\t{done.stderr.strip()[-2000:]}" for rule in rules] if done.returncode else []
    return done.stdout.splitlines() + failure


@functools.cache
def _own() -> list[str]:
    """This checkout does not change while it is looked at: one interpreter answers for all rules."""
    return _ask(OWN_ROOT, *ALL)


def _probe(rule: str) -> Callable[[Path], list[str]]:
    def run(root: Path) -> list[str]:
        lines = _own() if root == OWN_ROOT else _ask(root, rule)
        return [line.removeprefix(f"{rule}\t") for line in lines if line.startswith(f"{rule}\t")]

    return run


route_rules = _probe("route_rules")
route_documents = _probe("route_documents")
settings_described = _probe("settings_described")
owned_columns = _probe("owned_columns")
error_documents = _probe("error_documents")
