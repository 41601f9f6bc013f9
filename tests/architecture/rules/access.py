"""Every resource has an owner, and every query of one starts from who is asking."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.rules.source import Source, classes, dotted, functions, package

OWNERLESS = {
    "users": "a person belongs to nobody",
    "projects": "it is what the others belong to; it has created_by",
    "project_members": "part of a project",
    "audit_log": "append-only, outlives what it tells of",
    "workers": "a process that serves every project",
    "resource_samples": "what a machine uses, forgotten after a day",
    "idempotency_keys": "tied to a person, forgotten after a day",
}
"""Tables that are no resource, each with its reason. Rows that are part of a resource are found by their foreign key."""

QUERY_WORDS = {"select", "update", "delete"}


def _tables(source: Source) -> list[tuple[ast.ClassDef, str, bool]]:
    """Row classes with their table's name and whether they are owned by a project."""
    found = []
    for node in classes(source.tree):
        for statement in node.body:
            is_name = isinstance(statement, ast.Assign) and dotted(statement.targets[0]) == "__tablename__"
            if is_name and isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                owned = any(dotted(b).rsplit(".")[-1] == "ProjectOwned" for b in node.bases)
                found.append((node, str(statement.value.value), owned))
    return found


def _is_part(node: ast.ClassDef) -> bool:
    """Whether the row goes with its parent: a foreign key that cascades."""
    return any(
        isinstance(call, ast.Call)
        and dotted(call) == "ForeignKey"
        and any(
            k.arg == "ondelete" and isinstance(k.value, ast.Constant) and k.value.value == "CASCADE"
            for k in call.keywords
        )
        for call in ast.walk(node)
    )


def owned_rows(root: Path) -> list[str]:
    """Every table is a resource with project_id and created_by, a part of one (cascading foreign key), or listed."""
    found = []
    for source in package(root):
        for node, table, owned in _tables(source):
            if not owned and table not in OWNERLESS and not _is_part(node):
                found.append(
                    f"{source.place}:{node.lineno} table {table!r} has no owner: derive the row from ProjectOwned, "
                    "or make it part of a resource by a foreign key with ondelete='CASCADE'"
                )
    return found


def _owned_classes(root: Path) -> set[str]:
    return {node.name for source in package(root) for node, _, owned in _tables(source) if owned}


def visible_to(root: Path) -> list[str]:
    """A repository reads its resources through visible_to; what works for everybody (the worker) says 'unscoped'."""
    owned = _owned_classes(root)
    found = []
    for source in package(root, "domains"):
        if source.path.name == "repository.py" and _has_resources(source) and "visible_to" not in "".join(source.lines):
            found.append(f"{source.place} never starts from visible_to(principal)")
        for function in functions(source.tree):
            if "unscoped" in function.name or "unscoped" in (ast.get_docstring(function) or "").lower():
                continue
            found += [
                f"{source.place}:{line} {function.name} queries {row} for everybody; start from visible_to(principal), "
                "or say 'unscoped' and why in its docstring"
                for line, row in _queries(function)
                if row in owned
            ]
    return found


def _has_resources(repository: Source) -> bool:
    tables = Source(repository.root, repository.path.with_name("tables.py"))
    return tables.path.exists() and any(is_owned for _, _, is_owned in _tables(tables))


def _queries(function: ast.AST) -> list[tuple[int, str]]:
    """Where a function selects, updates or deletes, with the row class that it begins with."""
    return [
        (node.lineno, dotted(node.args[0]).split(".")[0])
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and dotted(node) in QUERY_WORDS and node.args
    ]
