"""Writes the generated pages, or says which have drifted from the code.

python -m tools.reference            write them
python -m tools.reference --check    1 when one differs
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PAGES: dict[str, tuple[str, str]] = {
    ".env.example": ("settings", "env_example"),
    "docs/reference/settings.md": ("settings", "page"),
    "docs/reference/recipe.md": ("recipe", "page"),
    "docs/reference/capabilities.md": ("capabilities", "page"),
    "docs/reference/cli.md": ("cli", "page"),
    "docs/reference/errors.md": ("errors", "page"),
    "docs/reference/findings.md": ("findings", "page"),
    "docs/reference/hardware.md": ("hardware", "page"),
    "src/tunesmith/migrations/schema.sql": ("schema", "sqlite"),
    "ui/openapi.json": ("openapi", "document"),
}
"""Where each goes, and the function under tools/references/ that writes it."""


def render(place: str) -> str:
    """The text that belongs at `place`."""
    module, function = PAGES[place]
    writer: Callable[[], str] = getattr(import_module(f"tools.references.{module}"), function)
    return writer()


def drifted(root: Path) -> list[str]:
    """The places under `root` that say something else than the code."""
    return [p for p in PAGES if not (root / p).exists() or (root / p).read_text(encoding="utf-8") != render(p)]


def main(arguments: list[str]) -> int:
    """Write or check."""
    for name in [n for n in os.environ if n.startswith("TUNESMITH_")]:
        del os.environ[name]  # a page shows the defaults, not this machine's settings
    if "--check" in arguments:
        different = drifted(ROOT)
        for place in different:
            print(f"{place} differs from the code; run `make reference` and commit the result")
        return 1 if different else 0
    for place in PAGES:
        target = ROOT / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(place), encoding="utf-8")
        print(f"wrote {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
