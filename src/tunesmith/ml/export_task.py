"""What every writer of a format is told, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.kit.errors import TunesmithError
from tunesmith.ml.tensors import Array


class ExportFailed(TunesmithError):
    """The artefact could not be written, or is not what it should be."""

    code, title = "export-failed", "The export could not be written"
    hint = "Choose another method or format; the job's log says more."


@dataclass(frozen=True)
class Task:
    """One artefact to write. ``target`` does not exist; it appears when it is whole."""

    model: Path
    adapter: Path | None
    target: Path
    method: str | None
    name: str
    title: str
    base_model: str
    card: str | None
    max_shard_bytes: int | None
    importance: Mapping[str, Array] | None
    """Of GGUF methods: how much each column of a matrix matters."""
    tell: Callable[[int], None]
    """Told how many bytes are written; raises when the job was cancelled."""
    log: Callable[[str], None]


Writer = Callable[[Task], None]
