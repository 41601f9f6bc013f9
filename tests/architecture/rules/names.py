"""What things are called, and where a docstring is owed."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.rules.source import classes, dotted, functions, package

FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}
COLLECTIONS = ("list", "tuple", "dict", "set", "Iterator", "Iterable", "AsyncIterator", "Sequence")
ROUTE_METHODS = {"get", "post", "put", "patch", "delete", "websocket"}


def forbidden_names(root: Path) -> list[str]:
    """No module or folder is called by a word that says nothing."""
    found = []
    for source in package(root):
        for part in Path(source.module).with_suffix("").parts:
            if part.lower() in FORBIDDEN or part.lower().endswith(("_utils", "_helpers", "_manager")):
                found.append(f"{source.place}: {part!r} says nothing; name it after what it does")
    return found


def get_find_list(root: Path) -> list[str]:
    """In a domain `get_` raises, and `find_` answers None."""
    found = []
    for source in package(root, "domains"):
        if source.path.name == "routes.py" or source.path.parent.name == "routes":
            continue
        for node in functions(source.tree):
            answer = ast.unparse(node.returns) if node.returns is not None else ""
            answers_none = "None" in answer
            place = f"{source.place}:{node.lineno} {node.name}"
            if node.name.startswith("get_") and answers_none:
                found.append(f"{place} can answer None; raise a NotFound, or call it find_")
            if node.name.startswith("find_") and not answers_none and not answer.startswith(COLLECTIONS):
                found.append(f"{place} never answers None; call it get_ or list_")
    return found


def docstrings(root: Path) -> list[str]:
    """Every package, public class, port method and route says what it is."""
    found = []
    for source in package(root):
        tree = source.tree
        if source.path.name == "__init__.py" and not ast.get_docstring(tree):
            found.append(f"{source.place}: the package has no docstring")
        for node in classes(tree):
            if not node.name.startswith("_") and not ast.get_docstring(node):
                found.append(f"{source.place}:{node.lineno} class {node.name} has no docstring")
            if source.module.startswith("ports/") and any(dotted(b).endswith("Protocol") for b in node.bases):
                found += [
                    f"{source.place}:{method.lineno} {node.name}.{method.name} is a port method without a docstring"
                    for method in functions(node)
                    if not ast.get_docstring(method)
                ]
        for function in functions(tree):
            is_route = any(
                isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr in ROUTE_METHODS
                for d in function.decorator_list
            )
            if is_route and not ast.get_docstring(function):
                found.append(f"{source.place}:{function.lineno} route {function.name} has no docstring")
    return found
