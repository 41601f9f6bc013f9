"""Rules that need the program itself, each in an interpreter of its own so that any checkout can be looked at."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def _probe(rule: str) -> Callable[[Path], list[str]]:
    def run(root: Path) -> list[str]:
        command = [sys.executable, str(Path(__file__).with_name("probe.py")), str(root), rule]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root)
        return done.stdout.splitlines() + ([done.stderr.strip()[-2000:]] if done.returncode else [])

    return run


route_rules = _probe("route_rules")
route_documents = _probe("route_documents")
settings_described = _probe("settings_described")
owned_columns = _probe("owned_columns")
error_documents = _probe("error_documents")
