"""Reading a checkout: its files and their syntax trees."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SKIPPED = {
    ".venv",
    "node_modules",
    "__pycache__",
    ".git",
    "build",
    "dist",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
}
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file."""

    root: Path
    path: Path

    @property
    def place(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def module(self) -> str:
        """Its path in the package: `domains/jobs/service.py`."""
        return self.path.relative_to(self.root / "src" / "tunesmith").as_posix()

    @property
    def is_ml(self) -> bool:
        """Whether it is in the engine room, where longer files are allowed."""
        return self.module.startswith("ml/")

    @property
    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()

    @property
    def tree(self) -> ast.Module:
        state = self.path.stat()
        return _parsed(self.path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=2000)
def _parsed(path: Path, _modified_ns: int, _size: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def package(root: Path, below: str = "") -> Iterator[Source]:
    """The product's Python files, in order."""
    folder = root / "src" / "tunesmith" / below
    for path in sorted(folder.rglob("*.py")):
        if "__pycache__" not in path.parts and "bundle" not in path.parts:
            yield Source(root, path)


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    """Every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode):
            yield node


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    """Every class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute chain, a call or a subscript; empty when it is something else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return ""


def tracked_files(root: Path) -> list[Path]:
    """What is or would be committed; a copy without Git is walked instead."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True
    )
    if listed.returncode == 0 and (root / ".git").exists():
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return [root / name for name in names if (root / name).is_file()]
    return [p for p in sorted(root.rglob("*")) if p.is_file() and not SKIPPED & set(p.relative_to(root).parts)]
