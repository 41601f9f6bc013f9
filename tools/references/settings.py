"""`.env.example` and the settings reference, from the settings."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tools.references.markdown import cell, code, generated, table
from tunesmith.settings import ALIASES, Settings


@dataclass(frozen=True)
class Setting:
    """One setting as the environment names it."""

    name: str
    default: str
    values: str
    description: str
    is_secret: bool


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, list[Setting]]]:
    """Groups of settings: the title of the group and what is in it."""
    own, groups = [], []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            groups.append((f"{prefix}{name.upper()}__", inner))
        else:
            own.append(_setting(f"{prefix}{name.upper()}", field))
    if own:
        title = "General" if model is Settings else (model.__doc__ or "").strip().split("\n")[0].rstrip(".")
        yield title, own
    for inner_prefix, inner in groups:
        yield from _walk(inner, inner_prefix)


def _setting(name: str, field: FieldInfo) -> Setting:
    secret = "SecretStr" in repr(field.annotation)
    return Setting(name, _default(field), _values(field), field.description or "", secret)


def _default(field: FieldInfo) -> str:
    value = None if field.default_factory is not None or field.is_required() else field.default
    if isinstance(value, SecretStr | Path) or value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(field: FieldInfo) -> str:
    """What may be given, in a few words."""
    annotation = field.annotation
    options = [a for a in typing.get_args(annotation) if a is not type(None)] if annotation else []
    if typing.get_origin(annotation) is typing.Literal:
        return " · ".join(str(o) for o in typing.get_args(annotation))
    if typing.get_origin(annotation) is list:
        return "list, comma-separated"
    kind = options[0] if options else annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " · ".join(str(member.value) for member in kind)
    words = {
        bool: "true · false",
        int: "whole number",
        float: "number",
        str: "text",
        Path: "folder",
        SecretStr: "secret text",
    }
    limits = [f"{word} {value}" for m in field.metadata for word, value in _limits(m)]
    return ", ".join([words.get(kind, "text") if isinstance(kind, type) else "text", *limits])


def _limits(metadata: object) -> Iterator[tuple[str, object]]:
    for attribute, word in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
        value = getattr(metadata, attribute, None)
        if value is not None:
            yield word, value


def env_example() -> str:
    """Every setting, commented out, with its default."""
    parts = [
        "# Every setting of Tunesmith with its default. Copy this file to .env and remove the '#' of what you change.",
        "# Written by `make reference` from src/tunesmith/settings; do not edit.",
    ]
    for title, settings in _walk(Settings, "TUNESMITH_"):
        parts.append(f"\n# --- {title}")
        for setting in settings:
            parts.append(f"\n# {setting.description} ({setting.values})")
            parts.append(f"# {setting.name}={setting.default}")
    return "\n".join(parts) + "\n"


def page() -> str:
    """The reference page."""
    parts = [
        generated("src/tunesmith/settings"),
        "# Settings\n",
        "A setting is an environment variable or a line of a `.env` file in the folder where the program starts; a command's "
        "option wins over both. `GET /config` answers the effective values with secrets masked.\n",
    ]
    for title, settings in _walk(Settings, "TUNESMITH_"):
        rows = [
            [code(s.name), cell(s.values), code(s.default) if s.default else "", cell(s.description)] for s in settings
        ]
        parts += [f"## {title}\n", table(["setting", "values", "default", "what it does"], rows)]
    aliases = [[code(alias), code(name)] for alias, name in ALIASES.items()]
    parts += [
        "## Names of other tools\n",
        "They are read too; our own name wins.\n",
        table(["name", "stands for"], aliases),
    ]
    return "\n".join(parts)
