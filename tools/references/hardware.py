"""The lines that no test runs on a machine without a GPU: what is left out of the coverage, by name."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.references.markdown import code, generated, table

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "tunesmith"


def page() -> str:
    """Each branch with its file, the function that it is in, and its condition."""
    return "\n".join(
        [
            generated("pyproject.toml ([tool.coverage.report] exclude_also) and src/tunesmith"),
            "# Lines that need a GPU or a Mac\n",
            "The tests run on a machine without an accelerator; these branches are left out of the coverage that `make test` asks for. "
            "Everything else counts, the lines of child processes too.\n",
            table(["file", "in", "branch"], [[code(cell) for cell in row] for row in branches()]),
            "Whole files that need a Mac: " + ", ".join(code(name) for name in files()) + ".",
        ]
    )


def files() -> list[str]:
    """Those that are left out whole."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names: list[str] = settings["tool"]["coverage"]["report"]["omit"]
    return names


def branches() -> Iterator[list[str]]:
    """File, enclosing function and condition of each."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pattern = next(p for p in settings["tool"]["coverage"]["report"]["exclude_also"] if "cuda" in p)
    for path in sorted(SRC.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if not re.search(pattern, source, re.MULTILINE):
            continue
        functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        for number, line in enumerate(source.splitlines(), 1):
            if re.search(pattern, line):
                around = [f for f in functions if f.lineno <= number <= (f.end_lineno or 0)]
                name = max(around, key=lambda f: f.lineno).name if around else "the module"
                yield [path.relative_to(ROOT).as_posix(), name, line.strip()]
