"""Read the JSON files that stand beside a model's weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_LARGEST_CONFIG_BYTES = 64 * 1024 * 1024


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in ``path``, or an empty one when there is no such file. Raises ``ValueError`` when broken."""
    if not path.is_file():
        return {}
    if path.stat().st_size > _LARGEST_CONFIG_BYTES:
        raise ValueError(f"{path.name} is larger than {_LARGEST_CONFIG_BYTES} bytes")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path.name} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds {type(value).__name__}, not an object")
    return value


def special_tokens(folder: Path) -> dict[str, str]:
    """Named special tokens of a tokenizer folder (``eos_token``, ``bos_token`` …) as plain strings."""
    found: dict[str, str] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        for key, value in read_json(folder / name).items():
            content = value.get("content") if isinstance(value, dict) else value
            if key.endswith("_token") and isinstance(content, str):
                found[key] = content
    return found
