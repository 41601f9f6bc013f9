"""The error reference, from the tree under TunesmithError."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import tunesmith
from tools.references.markdown import cell, code, generated, table
from tunesmith.kit.errors import TunesmithError

NOT_THE_SERVER = ("tunesmith.ml", "tunesmith.cli", "tunesmith.migrations", "tunesmith.bundle")


def every_error() -> list[type[TunesmithError]]:
    """One class for each code: the one that introduces it."""
    for module in pkgutil.walk_packages(tunesmith.__path__, "tunesmith."):
        if not module.name.startswith(NOT_THE_SERVER) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    by_code: dict[str, type[TunesmithError]] = {}
    for error in _below(TunesmithError):
        if "code" in vars(error):
            by_code.setdefault(error.code, error)
    return sorted(by_code.values(), key=lambda error: (error.status, error.code))


def _below(error: type[TunesmithError]) -> Iterator[type[TunesmithError]]:
    yield error
    for child in sorted(error.__subclasses__(), key=lambda c: c.__qualname__):
        yield from _below(child)


class Word(NamedTuple):
    """What a person reads about a code."""

    code: str
    status: str
    title: str
    when: str
    hint: str


def words() -> list[Word]:
    """Every code of the server, then those that only the engine room has, by status and code."""
    found = {
        error.code: Word(
            error.code, str(error.status), error.title, _first_line(error.__doc__), getattr(error, "hint", "")
        )
        for error in every_error()
    }
    for word in _engine_room():
        found.setdefault(word.code, word)
    return sorted(found.values(), key=lambda word: (word.status, word.code))


def _engine_room() -> Iterator[Word]:
    """Read from the text: importing the engine room would import torch."""
    for path in sorted((Path(tunesmith.__file__).parent / "ml").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                given = _assigned(node)
                if "code" in given and "title" in given:
                    doc = _first_line(ast.get_docstring(node))
                    yield Word(given["code"], given.get("status", "422"), given["title"], doc, given.get("hint", ""))


def _assigned(node: ast.ClassDef) -> dict[str, str]:
    """Names that a class body gives constants to, alone or in a tuple."""
    found = {}
    for statement in node.body:
        if not isinstance(statement, ast.Assign):
            continue
        target, value = statement.targets[0], statement.value
        pairs = zip(target.elts, value.elts, strict=False) if _both_tuples(target, value) else [(target, value)]  # type: ignore[attr-defined]
        found.update({n.id: str(v.value) for n, v in pairs if isinstance(n, ast.Name) and isinstance(v, ast.Constant)})
    return found


def _both_tuples(target: ast.AST, value: ast.AST) -> bool:
    return isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


def page() -> str:
    """Every code with its status and hint."""
    rows = [[code(w.code), w.status, cell(w.title), cell(w.when), cell(w.hint)] for w in words()]
    return "\n".join(
        [
            generated("the error classes"),
            "# Errors\n",
            "Every error of the API is `application/problem+json` (RFC 9457): `type` and `code` carry the slug below, `detail` says "
            "what was wrong, `hint` what to do, `instance` is the request id, and `errors` locates each fault of an input. The "
            "command line prints detail and hint; the web interface translates by code.\n",
            table(["code", "status", "title", "when", "what to do"], rows),
        ]
    )
