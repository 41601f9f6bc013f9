"""One tree of errors: every code unique, every code translated."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.architecture.rules.source import classes, dotted, package

ERROR_ROOT = "TunesmithError"


def _own_codes(root: Path) -> dict[str, list[str]]:
    """Each code with the classes that define it; the tree is followed by name across files."""
    bases: dict[str, list[str]] = {}
    codes: dict[str, tuple[str, str]] = {}
    for source in package(root):
        for node in classes(source.tree):
            bases[node.name] = [dotted(b).rsplit(".")[-1] for b in node.bases]
            code = _code(node)
            if code:
                codes[node.name] = (code, f"{source.place}:{node.lineno} {node.name}")

    def is_error(name: str) -> bool:
        return name == ERROR_ROOT or any(is_error(base) for base in bases.get(name, []) if base != name)

    found: dict[str, list[str]] = defaultdict(list)
    for name, (code, place) in codes.items():
        if is_error(name):
            found[code].append(place)
    return found


def _code(node: ast.ClassDef) -> str | None:
    """The `code` that a class body assigns, alone or in a tuple."""
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and dotted(statement.target) == "code":
            value: ast.AST | None = statement.value
        elif isinstance(statement, ast.Assign):
            value = _assigned(statement.targets[0], statement.value)
        else:
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def _assigned(target: ast.AST, value: ast.AST) -> ast.AST | None:
    if dotted(target) == "code":
        return value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for name, given in zip(target.elts, value.elts, strict=False):
            if dotted(name) == "code":
                return given
    return None


def error_codes(root: Path) -> list[str]:
    """A code is a kebab-case slug and belongs to one class, or to one on each side of the border (nobody imports ml)."""
    found = []
    for code, places in sorted(_own_codes(root).items()):
        in_ml = sum("/ml/" in place for place in places)
        if in_ml > 1 or len(places) - in_ml > 1:
            found.append(f"the error code {code!r} belongs to several classes: {', '.join(places)}")
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code):
            found.append(f"{places[0]}: the error code {code!r} is not a kebab-case slug")
    return found


def error_translations(root: Path) -> list[str]:
    """The web interface has Korean for every code; its English is the server's own title and hint."""
    folder = root / "ui" / "src" / "i18n"
    if not folder.is_dir():
        return []
    files = sorted(folder.glob("errors-ko/*.ts"))
    texts = "\n".join(path.read_text(encoding="utf-8") for path in files)
    missing = [
        code for code in sorted(_own_codes(root)) if not re.search(rf"(?<![\w-])['\"]?{re.escape(code)}['\"]?:", texts)
    ]
    return [f"ui/src/i18n/errors-ko has no Korean for the error code {code!r}" for code in missing]
