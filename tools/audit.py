"""`make audit`: known holes, floors of versions, licences. Fails when a package could not be looked at.

pip-audit answers "no known vulnerabilities" for a package that it skipped; here a skipped package is a failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.version import Version

from tools import check_licences

FLOORS = {
    "starlette": "1.0.1",
    "PyJWT": "2.13",
    "Authlib": "1.6.9",
    "python-multipart": "0.0.27",
    "torch": "2.10",
}
"""Older ones have known holes. A package that is not installed is fine."""
OURS = {"tunesmith"}


def below_floor() -> list[str]:
    """Installed packages that are older than their floor."""
    found = []
    for name, floor in FLOORS.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue
        if Version(installed) < Version(floor):
            found.append(f"{name} {installed} is older than {floor}, which closes known holes")
    return found


def verdict(report: dict[str, Any]) -> list[str]:
    """What pip-audit's JSON report says that is wrong."""
    found = []
    skipped = [p for p in report["dependencies"] if "skip_reason" in p and p["name"] not in OURS]
    if skipped:
        names = ", ".join(p["name"] for p in skipped[:10]) + (" …" if len(skipped) > 10 else "")
        found.append(f"{len(skipped)} packages were not looked at ({names}): {skipped[0]['skip_reason']}")
    for package in report["dependencies"]:
        for hole in package.get("vulns", []):
            fixed = ", ".join(hole["fix_versions"]) or "no version yet"
            found.append(f"{package['name']} {package['version']} has {hole['id']}; fixed in {fixed}")
    return found


def main() -> int:
    """Run all three; 1 when one finds something."""
    program = Path(sys.executable).with_name("pip-audit")
    done = subprocess.run(
        [str(program), "--format", "json", "--progress-spinner", "off"], capture_output=True, text=True
    )
    try:
        found = verdict(json.loads(done.stdout))
    except ValueError:
        found = [f"pip-audit gave no report (it needs the network):\n{done.stderr.strip()[-800:]}"]
    found += below_floor()
    for sentence in found:
        print(sentence)
    return 1 if check_licences.main() or found else 0


if __name__ == "__main__":
    sys.exit(main())
