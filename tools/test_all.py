"""`make test-all`: every test, the long ones too; the summary is written to docs/verification/.

python -m tools.test_all [pytest arguments]

Three parts, since coverage makes a process up to twice as slow: first what the coverage is read from; then, without it, what goes
through one behaviour in many ways; last, two at a time, what claims a time.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PARTS = {
    "covered": ["-m", "not matrix and not timed", "-n", "3", "--cov", "--cov-fail-under=95", "-o", "timeout=900"],
    "matrix": ["-m", "matrix and not timed", "-n", "3", "-o", "timeout=1800"],
    "timed": ["-m", "timed", "-n", "2", "--dist", "load"],
}
BY_FILE = ["--dist", "loadfile", "--no-loadscope-reorder"]
TARGET = ROOT / "docs" / "verification" / "test-all.md"


def cases_of(report: Path) -> list[ElementTree.Element]:
    """The tests of a report; none where pytest has written none."""
    if not report.exists():
        return []
    return list(ElementTree.parse(report).getroot().iter("testcase"))  # noqa: S314  # our own pytest wrote it


def covered() -> str:
    """The share of lines that the first part ran, child processes counted, as coverage prints it."""
    command = [sys.executable, "-m", "coverage", "report", "--format=total", "--precision=1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return f"{done.stdout.strip()} %" if done.returncode == 0 else "not measured"


def summary(cases: list[ElementTree.Element], seconds: float, exit_code: int, coverage: str) -> str:
    """The result as a page: totals, folders, and the slowest tests."""
    bad = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    skipped = [c for c in cases if c.find("skipped") is not None]
    folders: dict[str, tuple[int, float]] = {}
    for case in cases:
        folder = ".".join(case.get("classname", "").split(".")[:2])
        count, spent = folders.get(folder, (0, 0.0))
        folders[folder] = (count + 1, spent + float(case.get("time", 0)))
    slowest = sorted(cases, key=lambda c: -float(c.get("time", 0)))[:10]
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    lines = [
        "# The whole suite\n",
        f"Written by `make test-all` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {revision.stdout.strip()}, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} processors.\n",
        f"**{len(cases) - len(bad) - len(skipped)} passed, {len(bad)} failed, {len(skipped)} skipped** in "
        f"{seconds / 60:.1f} minutes (exit code {exit_code}); lines covered: {coverage}.\n",
        "| folder | tests | seconds |\n| --- | --- | --- |",
        *(f"| {name} | {count} | {spent:.0f} |" for name, (count, spent) in sorted(folders.items())),
        "\n| slowest test | seconds |\n| --- | --- |",
        *(f"| {c.get('classname')}.{c.get('name')} | {float(c.get('time', 0)):.1f} |" for c in slowest),
    ]
    lines += [f"\nFailed: {', '.join(str(c.get('name')) for c in bad)}"] if bad else []
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Run pytest and write the page."""
    BUILD.mkdir(exist_ok=True)
    started, codes = time.monotonic(), []
    cases: list[ElementTree.Element] = []
    for name, how in PARTS.items():
        report = BUILD / f"test-{name}.xml"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *BY_FILE, *how, *arguments]
        codes.append(subprocess.run(command, cwd=ROOT).returncode)
        cases += cases_of(report)
    exit_code = next((code for code in codes if code), 0)
    if cases:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(summary(cases, time.monotonic() - started, exit_code, covered()), encoding="utf-8")
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
