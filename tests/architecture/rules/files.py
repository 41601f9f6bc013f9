"""How large files and functions may be."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.rules.source import functions, package

FILE_LINES, ML_FILE_LINES = 400, 500
FUNCTION_LINES, ML_FUNCTION_LINES = 60, 120
UI_FILE_LINES = 250


def file_size(root: Path) -> list[str]:
    """A server file has at most 400 lines, one of the engine room 500."""
    found = []
    for source in package(root):
        limit = ML_FILE_LINES if source.is_ml else FILE_LINES
        if len(source.lines) > limit:
            found.append(f"{source.place} has {len(source.lines)} lines; {limit} is the limit: split it by noun")
    return found


def function_size(root: Path) -> list[str]:
    """A server function has at most 60 lines, one of the engine room 120."""
    found = []
    for source in package(root):
        if source.module.startswith("migrations/"):
            continue  # a migration is a list of tables, written by a tool
        limit = ML_FUNCTION_LINES if source.is_ml else FUNCTION_LINES
        for node in functions(source.tree):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > limit:
                found.append(f"{source.place}:{node.lineno} {node.name} has {lines} lines; {limit} is the limit")
    return found


def ui_file_size(root: Path) -> list[str]:
    """A file of the web interface has at most 250 lines; generated ones, the component kit and tables of Korean are free."""
    found = []
    for path in sorted([*(root / "ui" / "src").rglob("*.ts"), *(root / "ui" / "src").rglob("*.tsx")]):
        place = path.relative_to(root).as_posix()
        if place.endswith((".d.ts", ".gen.ts", "-ko.ts")) or "/components/ui/" in place:
            continue
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > UI_FILE_LINES:
            found.append(f"{place} has {lines} lines; {UI_FILE_LINES} is the limit")
    return found
