"""What must not stand in a file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture.rules.source import dotted, package, tracked_files

_UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X{3}|NotImpl" + r"ementedError)\b")
_ADDRESSES = {
    "a registry's address": re.compile(
        r"https?://[a-z.]*(python" + r"hosted|npm" + r"js|py" + r"pi|deb" + r"ian)\.\S*"
    ),
    "a path of somebody's machine": re.compile(
        r"(?<![\w.-])/(wo" + r"rk|fa" + r"rm|ro" + r"ot|ho" + r"me/[a-z]+|Us" + r"ers/[a-z]+)/\S*"
    ),
}
_TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".json",
    ".yaml",
    ".yml",
    ".sh",
    ".ts",
    ".tsx",
    ".css",
    ".html",
    ".cfg",
    ".ini",
    ".mjs",
    "",
}


def unfinished(root: Path) -> list[str]:
    """No TODO and its kin on main."""
    found = []
    for folder in ("src/tunesmith", "ui/src", "tools", "tests"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".py", ".ts", ".tsx", ".sh") or {"__pycache__", "architecture"} & set(path.parts):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                word = _UNFINISHED.search(line)
                if word:
                    found.append(
                        f"{path.relative_to(root).as_posix()}:{number} has {word.group()!r}; finish it or remove it"
                    )
    return found


def swallowed_errors(root: Path) -> list[str]:
    """`except Exception: pass` hides what went wrong."""
    found = []
    for source in package(root):
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            wide = node.type is None or dotted(node.type) in ("Exception", "BaseException")
            silent = all(
                isinstance(s, ast.Pass | ast.Continue) or (isinstance(s, ast.Return) and s.value is None)
                for s in node.body
            )
            if wide and silent:
                found.append(f"{source.place}:{node.lineno} swallows every error; catch what can happen, or log it")
    return found


def addresses(root: Path) -> list[str]:
    """No registry's address and no machine's path in a tracked file: they work for one person only."""
    found = []
    for path in tracked_files(root):
        if path.suffix not in _TEXT or path.stat().st_size > 2_000_000:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for what, pattern in _ADDRESSES.items():
                hit = pattern.search(line)
                if hit:
                    found.append(f"{path.relative_to(root).as_posix()}:{number} has {what}: {hit.group()!r}")
    return found


def _test_files(root: Path) -> list[Path]:
    return [p for p in sorted((root / "tests").rglob("*.py")) if "architecture" not in p.parts]


def dotted_patches(root: Path) -> list[str]:
    """A test that patches `"tunesmith.x.y"` by its name tests the wiring, not the feature."""
    pattern = re.compile(r"(setattr|patch)\(\s*f?['\"]tunesmith\.")
    return [
        f"{path.relative_to(root).as_posix()}:{number} patches by dotted name; go through the front door"
        for path in _test_files(root)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def silent_skips(root: Path) -> list[str]:
    """No test is skipped or expected to fail; a missing program is handled in one place (tests/fixtures/databases.py)."""
    pattern = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b")
    return [
        f"{path.relative_to(root).as_posix()}:{number} skips a test; make it run, or remove it"
        for path in _test_files(root)
        if path.name != "databases.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
