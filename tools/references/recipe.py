"""The recipe reference, from wire/recipe.py."""

from __future__ import annotations

from typing import Any

from tools.references.markdown import cell, code, generated, table
from tunesmith.wire.recipe import Recipe

EXAMPLE = """\
version: 1
name: hanbit-support
seed: 42
model: {base: tunesmith/tiny}
data:
  train: dataset:hanbit@1.0
  split: {train: 0.9, validation: 0.1}
method:
  objective: sft
  adapter: lora
  lora: {r: 16, alpha: 32}
training: {epochs: 3, batch_size: 8, learning_rate: 0.0002}
register: {name: hanbit}
export:
  - {format: gguf, method: Q8_0}
"""


def page() -> str:
    """Every section with its keys."""
    Recipe.model_validate(_load(EXAMPLE))
    schema = Recipe.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    parts = [
        generated("src/tunesmith/wire/recipe.py"),
        "# Recipe, version 1\n",
        "One small YAML (or JSON) file says everything about a run. The web form writes it, `tunesmith train` runs it, the API "
        "takes it as a body, and the registry keeps it with each version. An unknown key is refused with the nearest name; "
        "on the command line `key.path=value` overrides a key.\n",
        f"```yaml\n{EXAMPLE}```\n",
    ]
    parts += _sections(schema, definitions, "")
    return "\n".join(parts)


def _load(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


def _sections(schema: dict[str, Any], definitions: dict[str, Any], path: str) -> list[str]:
    """This section's table, then those inside it, depth first."""
    rows, inner = [], []
    required = set(schema.get("required", []))
    for name, field in schema["properties"].items():
        key = f"{path}.{name}" if path else name
        target = _target(field, definitions)
        if target is not None and "properties" in target:
            inner.append((f"{key}[]" if _is_list(field) else key, target))
        default = "required" if name in required else _default(field)
        rows.append([code(key), cell(_kind(field, definitions)), default, cell(_description(field, target))])
    title = f"## `{path}`\n" if path else "## Top level\n"
    text = schema.get("description", "") if path else ""
    parts = [
        title,
        *([text.split("\n")[0] + "\n"] if text else []),
        table(["key", "values", "default", "what it does"], rows),
    ]
    for key, target in inner:
        parts += _sections(target, definitions, key)
    return parts


def _variants(field: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = field.get("anyOf", [field])
    return [v for v in found if v.get("type") != "null"]


def _description(field: dict[str, Any], target: dict[str, Any] | None) -> str:
    text: str = field.get("description") or (target or {}).get("description", "")
    return text.split("\n")[0]


def _is_list(field: dict[str, Any]) -> bool:
    return any(v.get("type") == "array" for v in _variants(field))


def _target(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any] | None:
    for variant in _variants(field):
        holder = variant.get("items", variant)
        if "$ref" in holder:
            found: dict[str, Any] = definitions[holder["$ref"].rsplit("/", 1)[-1]]
            return found
    return None


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What may be given, in a few words."""
    words = []
    for variant in _variants(field):
        holder = variant.get("items", variant)
        target = definitions[holder["$ref"].rsplit("/", 1)[-1]] if "$ref" in holder else holder
        if "enum" in target:
            word = " · ".join(str(v) for v in target["enum"])
        elif "const" in target:
            word = str(target["const"])
        elif "properties" in target:
            word = "section"
        else:
            names = {"integer": "whole number", "number": "number", "boolean": "true · false", "string": "text"}
            word = names.get(target.get("type", ""), "text") + _limits(target)
        words.append(f"list of: {word}" if variant.get("type") == "array" else word)
    return " or ".join(words)


def _limits(target: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {target[name]}" for name, sign in signs.items() if name in target]
    return " " + ", ".join(found) if found else ""


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if value is None or isinstance(value, dict) or value == []:
        return ""
    return code(str(value).lower() if isinstance(value, bool) else str(value))
