"""Whether the files of a loaded model are still those that it was loaded from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tunesmith.ports.serving import Servable

Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, inode, size in bytes and time of change in nanoseconds of each file that a model is loaded from."""

_SUFFIXES = frozenset({".safetensors", ".gguf", ".onnx", ".bin", ".jinja"})
_NAMES = frozenset(
    {
        "config.json",
        "generation_config.json",
        "adapter_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors.index.json",
    }
)


def files_of(model: Servable) -> list[Path]:
    """The folders and files that a model is loaded from; none for one that runs elsewhere."""
    if model.remote is not None:
        return []
    return [path for path in (model.base_path, model.tokenizer_path, model.adapter_path) if path is not None]


def stamps_of(paths: Iterable[Path]) -> dict[Path, Stamp]:
    """A stamp for each: another one when weights, configuration, tokenizer or template have been replaced."""
    return {path: _stamp_of(path) for path in paths}


def _stamp_of(path: Path) -> Stamp:
    try:
        files = [path] if path.is_file() else [file for file in path.iterdir() if _counts(file)]
        return tuple(sorted((file.name, *_facts(file)) for file in files))
    except OSError:
        return ()


def _counts(file: Path) -> bool:
    return file.suffix in _SUFFIXES or file.name in _NAMES


def _facts(file: Path) -> tuple[int, int, int]:
    facts = file.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
