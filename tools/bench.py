"""`make bench`: runs every script of benchmarks/ (or those that are named) and prints what it measured.

python -m tools.bench [name …]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(names: list[str]) -> int:
    """Run the scripts one after another, so that they do not disturb each other; 1 when one fails."""
    scripts = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py")) if not path.stem.startswith("_")}
    unknown = [name for name in names if name not in scripts]
    if unknown or not scripts:
        print(f"No benchmark {', '.join(unknown)}; there are: {', '.join(scripts) or 'none'}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or list(scripts):
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, str(scripts[name])], cwd=ROOT).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
