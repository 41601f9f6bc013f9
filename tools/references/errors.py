"""The error reference, from the tree under TunesmithError."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

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


def page() -> str:
    """Every code with its status and hint."""
    rows = [
        [
            code(e.code),
            str(e.status),
            cell(e.title),
            cell((e.__doc__ or "").strip().split("\n")[0]),
            cell(getattr(e, "hint", "")),
        ]
        for e in every_error()
    ]
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
