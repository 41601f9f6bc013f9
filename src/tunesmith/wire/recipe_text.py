"""Recipes as text: read with every fault located, overridden by ``key.path=value``, and written."""

from __future__ import annotations

import difflib
import json
import types
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Union

import yaml
from pydantic import BaseModel, ValidationError

from tunesmith.kit.errors import InvalidInput
from tunesmith.wire.methods import stale_sections
from tunesmith.wire.recipe import Recipe

MAX_RECIPE_BYTES = 1 << 20
Location = tuple[str | int, ...]
Places = dict[Location, tuple[int, int]]
FaultReason = Literal["missing", "unknown-key", "wrong-type", "out-of-range", "not-a-choice", "invalid"]
_BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


class RecipeError(InvalidInput):
    """A recipe that cannot be used. ``errors`` has ``{location, message, value, line, column}`` for each fault."""

    code, title = "configuration", "The recipe is not valid"
    hint = "Correct the keys that are named; docs/reference/recipe.md lists them all."


def read_recipe(source: str | Path) -> Recipe:
    """The recipe in a text (YAML or JSON) or in a file; raises RecipeError that says line, column and key of each fault."""
    name = source.name if isinstance(source, Path) else "recipe"
    text = _read_file(source) if isinstance(source, Path) else source
    if len(text.encode("utf-8", "replace")) > MAX_RECIPE_BYTES:
        raise RecipeError(f"{name} is larger than {MAX_RECIPE_BYTES} bytes; that is no recipe.")
    data, places = _parse(text, name)
    return validate_recipe(data, places=places, name=name)


def parse_document(text: str, name: str) -> object:
    """The plain values in YAML or JSON text, whatever they are; raises RecipeError with the line."""
    if len(text.encode("utf-8", "replace")) > MAX_RECIPE_BYTES:
        raise RecipeError(f"{name} is larger than {MAX_RECIPE_BYTES} bytes; that is no recipe.")
    return _parse(text, name)[0]


def validate_recipe(data: object, *, places: Places | None = None, name: str = "recipe") -> Recipe:
    """The recipe in plain values; raises RecipeError."""
    if not isinstance(data, dict):
        raise RecipeError(f"{name} must be a mapping of keys to values, not {_kind(data)}.")
    try:
        json.dumps(data, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise RecipeError(f"{name} has text that is not valid Unicode (half of a surrogate pair).") from None
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        faults = [_fault(e, data, places or {}) for e in error.errors(include_url=False)]
    faults.sort(key=lambda fault: fault["message"] == "is missing")  # a key that is misspelt is missing too
    first = faults[0]
    where = f"{name}, line {first['line']}: " if "line" in first else f"{name}: "
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    raise RecipeError(f"{where}{first['location']}: {first['message']}{more}", errors=faults)


def apply_overrides(recipe: Recipe, overrides: Iterable[str]) -> Recipe:
    """``recipe`` with ``key.path=value`` applied; values are read as YAML, ``null`` takes a key away."""
    data: dict[str, Any] = recipe.to_plain()
    for text in overrides:
        path, separator, raw = text.partition("=")
        keys = path.strip().split(".")
        if not separator or not all(keys):
            raise RecipeError(
                f"{text!r} is not an override.", hint="Write key.path=value, e.g. training.max_steps=100."
            )
        try:
            value = yaml.safe_load(raw)
        except yaml.YAMLError as error:
            raise RecipeError(f"The value in {text!r} cannot be read: {error}") from None
        _override(data, keys, value)
    return validate_recipe(data)


def write_recipe(recipe: Recipe) -> str:
    """The recipe as YAML, in the order of its reference."""
    return yaml.safe_dump(recipe.to_plain(), sort_keys=False, allow_unicode=True, width=100)


def _override(data: dict[str, Any], keys: list[str], value: object) -> None:
    section: Any = data
    for depth, key in enumerate(keys[:-1], 1):
        section = section.setdefault(key, {})
        if not isinstance(section, dict):
            raise RecipeError(f"{'.'.join(keys[:depth])} is a value, so {'.'.join(keys)} does not exist.")
    if value is None:
        section.pop(keys[-1], None)
    else:
        section[keys[-1]] = value
    # The length of a run, and the size of a batch, is one of two keys, and the default of the other must not stand against the one given.
    other = {
        "training.epochs": "max_steps",
        "training.max_steps": "epochs",
        "training.batch_tokens": "batch_size",
        "training.batch_size": "batch_tokens",
    }.get(".".join(keys))
    if other:
        section.pop(other, None)
    if keys[:-1] == ["method"] and keys[-1] in ("objective", "adapter"):  # settings of what it was before
        chosen = {keys[-1]: value}
        for name in stale_sections(chosen.get("objective"), chosen.get("adapter")):
            section.pop(name, None)


def _read_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_RECIPE_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror or error}.", hint="Check the path.") from None
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path.name} is not UTF-8 text (byte {error.start}).", hint="Save it as UTF-8.") from None


def _parse(text: str, name: str) -> tuple[object, Places]:
    """Plain values, and where each key stands (line and column from 1)."""
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise RecipeError(f"{name} uses a YAML alias (*name).", hint="Write the values out.")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        places: Places = {}
        if node is None:
            raise RecipeError(f"{name} is empty.", hint="A recipe needs at least name, model.base and data.train.")
        _collect(node, (), places, name)
        return yaml.safe_load(text), places
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
        where = f"line {place['line']}, column {place['column']}" if place else "somewhere"
        message = f"{error.problem or error.context}"
        raise RecipeError(
            f"{name}, {where}: this is not YAML ({message}).",
            hint="Check the indentation, colons and quotes of that line.",
            errors=[{"location": "", "message": message, **place}],
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RecipeError(f"{name} cannot be read: {error}") from None


def _collect(node: yaml.Node, location: Location, places: Places, name: str) -> None:
    places.setdefault(location, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*location, str(key.value))
            line, column = key.start_mark.line + 1, key.start_mark.column + 1
            if here in places:
                fault = {"location": _dotted(here), "message": "given twice", "line": line, "column": column}
                raise RecipeError(f"{name}, line {line}: {_dotted(here)} is given twice.", errors=[fault])
            places[here] = (line, column)
            _collect(value, here, places, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect(value, (*location, index), places, name)


def _fault(error: Any, data: object, places: Places) -> dict[str, Any]:
    """One fault of the schema in the recipe's own words; ``reason`` is what an interface translates by."""
    location = _within(error["loc"], data, keep_last=error["type"] in ("missing", "extra_forbidden"))
    reason = _reason(error)
    if reason == "unknown-key":
        message = _unknown_key(location)
    elif reason == "missing":
        message = "is missing"
    else:
        message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "has to be")
        message = message[:1].lower() + message[1:]
    fault: dict[str, Any] = {"location": _dotted(location), "message": message, "reason": reason}
    if allowed := _allowed(error):
        fault["allowed"] = allowed
    if reason != "missing" and isinstance(error.get("input"), str | int | float | bool):
        fault["value"] = error.get("input")
    place = next((places[location[:n]] for n in range(len(location), -1, -1) if location[:n] in places), None)
    if place:
        fault["line"], fault["column"] = place
    return fault


def _allowed(error: Any) -> str:
    """The bounds or choices that a value has, in signs that every language reads."""
    context = error.get("ctx") or {}
    bounds = [f"{sign} {context[name]:g}" for name, sign in _BOUNDS.items() if name in context]
    return ", ".join(bounds) or str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")


def _reason(error: Any) -> FaultReason:
    kind = str(error["type"])
    if kind == "missing" or (error.get("input") is None and kind.endswith("_type")):
        return "missing"  # in YAML a key without a value is null
    if kind == "extra_forbidden":
        return "unknown-key"
    if kind.endswith(("_type", "_parsing", "_from_float")):
        return "wrong-type"
    if kind.startswith(("greater_than", "less_than", "too_", "string_too_", "finite_")):
        return "out-of-range"
    if kind in ("literal_error", "enum"):
        return "not-a-choice"
    return "invalid"


def _within(location: Sequence[str | int], data: object, *, keep_last: bool) -> Location:
    """The part of pydantic's location that stands in the document; what it adds for unions is dropped."""
    kept: list[str | int] = []
    for index, part in enumerate(location):
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]  # type: ignore[index]
        elif not (keep_last and index == len(location) - 1):
            break
        kept.append(part)
    return tuple(kept)


def _unknown_key(location: Location) -> str:
    known = _keys_of(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"
    return f"there is no such key; {meant}"


def _keys_of(location: Location) -> list[str]:
    """The keys that the schema has at ``location``."""
    model: type[BaseModel] | None = Recipe
    for part in location:
        if isinstance(part, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = _model_in(fields[part].annotation) if part in fields else None
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (Union, types.UnionType, list):
        return next((m for a in typing.get_args(annotation) if (m := _model_in(a))), None)
    return None


def _dotted(location: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _kind(value: object) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(value), "a number")
