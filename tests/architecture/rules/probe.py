"""Rules that need the program itself: `python probe.py ROOT RULE …` imports ROOT's package and prints violations."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STATIC_ROUTES = {
    "/",
    "/app",
    "/app/{path:path}",
    "/openapi.json",
    "/docs",
    "/redoc",
    "/docs/{path:path}",
    "/static/{path:path}",
}
"""They answer files of the program and nothing of a person's."""

MUTATING = {"POST", "PUT", "PATCH", "DELETE"}


def _modules(pattern: str) -> Iterator[tuple[Path, str]]:
    """The product's own modules of this pattern, but for rooms that no server enters; to import all would take minutes."""
    import tunesmith

    package = Path(tunesmith.__path__[0])
    for file in sorted(package.glob(pattern)):
        parts = file.relative_to(package).with_suffix("").parts
        in_server = parts[0] not in ("ml", "cli", "migrations", "bundle") and parts[-1] != "__main__"
        if in_server and (file.parent / "__init__.py").exists():
            yield file, ".".join(("tunesmith", *parts)).removesuffix(".__init__")


def _app() -> Any:
    from tunesmith.api.app import create_app
    from tunesmith.settings import load_settings

    return create_app(load_settings(data_dir=tempfile.gettempdir()))


def _rules_of(dependant: Any) -> Iterator[Any]:
    """Every permission in a route's tree of dependencies; None stands for a route that is public on purpose."""
    for dependency in dependant.dependencies:
        if hasattr(dependency.call, "permission"):
            yield dependency.call.permission
        yield from _rules_of(dependency)


def route_rules() -> Iterator[str]:
    """Every route says who may call it, and one that changes something asks for more than reading."""
    from fastapi.routing import iter_route_contexts

    from tunesmith.kit.principal import Permission

    for route in iter_route_contexts(_app().routes):
        dependant = getattr(route, "dependant", None)
        if route.path in STATIC_ROUTES:
            continue
        place = f"{','.join(sorted(route.methods or ['WEBSOCKET']))} {route.path}"
        rules = list(_rules_of(dependant)) if dependant is not None else []
        if not rules:
            yield f"{place} says nothing about who may call it; add allow(…), reading(…), writing(…) or public()"
        elif MUTATING & set(route.methods or ()) and not set(rules) - {Permission.READ, None}:
            yield f"{place} changes something, and asks for no more than reading"


def route_documents() -> Iterator[str]:
    """Every operation is described; every field of every schema says what it is."""
    document = _app().openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation.get("description"):
                yield f"{method.upper()} {path} has no description"
    for name, schema in document["components"]["schemas"].items():
        if name.startswith(("Body_", "HTTPValidationError", "ValidationError")):
            continue  # the framework's own
        for field, definition in schema.get("properties", {}).items():
            if not definition.get("description") and "const" not in definition:
                yield f"the field {name}.{field} has no description"


def settings_described() -> Iterator[str]:
    """Every setting says what it is for."""
    from pydantic import BaseModel

    from tunesmith.settings import Settings

    def walk(model: type[BaseModel], prefix: str) -> Iterator[str]:
        for name, field in model.model_fields.items():
            if not field.description:
                yield f"the setting {prefix}{name.upper()} has no description"
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from walk(field.annotation, f"{prefix}{name.upper()}__")

    yield from walk(Settings, "TUNESMITH_")


def owned_columns() -> Iterator[str]:
    """In the database's own words: a resource's project_id and created_by are not null and lead to their tables."""
    from tunesmith.db import Base, ProjectOwned

    for _, name in _modules("**/tables.py"):
        importlib.import_module(name)
    for mapper in Base.registry.mappers:
        if not issubclass(mapper.class_, ProjectOwned):
            continue
        for column, target in (("project_id", "projects.id"), ("created_by", "users.id")):
            found = mapper.columns.get(column)
            keys = {key.target_fullname for key in found.foreign_keys} if found is not None else set()
            if found is None or found.nullable or target not in keys:
                yield f"{mapper.class_.__name__}.{column} has to be a non-null foreign key to {target}"


def error_documents() -> Iterator[str]:
    """Every error has a status, a title and a hint."""
    from tunesmith.kit.errors import TunesmithError

    for file, name in _modules("**/*.py"):
        if "kit.errors import" in file.read_text(encoding="utf-8"):
            importlib.import_module(name)
    waiting: list[type[TunesmithError]] = [TunesmithError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if not (400 <= error.status <= 599 and error.title and getattr(error, "hint", "")):
            yield f"{error.__module__}.{error.__name__} needs a status, a title and a hint"
        if error is not TunesmithError and error.code == "internal":
            yield f"{error.__module__}.{error.__name__} has no code of its own"


def main(root: Path, rules: list[str]) -> None:
    """Print the violations of these rules in the checkout `root`, each after its rule's name."""
    sys.path.insert(0, str(root / "src"))
    import tunesmith

    if not (tunesmith.__file__ or "").startswith(str(root)):
        sys.exit(f"looked at {tunesmith.__file__} instead of {root}")
    for rule in rules:
        for violation in globals()[rule]():
            print(f"{rule}\t{violation}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
