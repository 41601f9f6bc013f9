"""`make test-all`: every test, the long ones too; the summary is written to docs/verification/.

python -m tools.test_all [pytest arguments]
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
REPORT = ROOT / "build" / "test-all.xml"
SIDE_BY_SIDE = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
TARGET = ROOT / "docs" / "verification" / "test-all.md"


def summary(report: Path, seconds: float, exit_code: int) -> str:
    """The result as a page: totals, folders, and the slowest tests."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314  # our own pytest wrote it
    cases = [case for suite in suites for case in suite.iter("testcase")]
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
        f"{seconds / 60:.1f} minutes (exit code {exit_code}).\n",
        "| folder | tests | seconds |\n| --- | --- | --- |",
        *(f"| {name} | {count} | {spent:.0f} |" for name, (count, spent) in sorted(folders.items())),
        "\n| slowest test | seconds |\n| --- | --- |",
        *(f"| {c.get('classname')}.{c.get('name')} | {float(c.get('time', 0)):.1f} |" for c in slowest),
    ]
    lines += [f"\nFailed: {', '.join(str(c.get('name')) for c in bad)}"] if bad else []
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Run pytest and write the page."""
    REPORT.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--junitxml={REPORT}",
        "--cov",
        "--cov-fail-under=95",
        *SIDE_BY_SIDE,
        *arguments,
    ]
    exit_code = subprocess.run(command, cwd=ROOT).returncode
    if REPORT.exists():
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(summary(REPORT, time.monotonic() - started, exit_code), encoding="utf-8")
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
