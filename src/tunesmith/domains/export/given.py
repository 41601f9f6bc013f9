"""What a request for an export names besides the model: an adapter, an importance matrix. Read by the child, checked here."""

from __future__ import annotations

from pathlib import Path

from tunesmith.domains.export.errors import AdapterNotFound
from tunesmith.domains.export.gguf_checking import allowed_path, get_file
from tunesmith.domains.export.schemas import ExportRequest, ImportanceRequest
from tunesmith.settings import Settings

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


def given_files(request: ExportRequest, settings: Settings) -> tuple[str | None, ImportanceRequest | None]:
    """Adapter folder and importance matrix with absolute paths; raises PathNotAllowed, AdapterNotFound, ArtefactNotFound."""
    adapter = None if request.adapter is None else str(_adapter(request.adapter, settings))
    importance = request.importance
    if importance is not None and importance.file is not None:
        file = str(get_file(importance.file, settings))
        importance = importance.model_copy(update={"file": file})
    return adapter, importance


def _adapter(reference: str, settings: Settings) -> Path:
    folder = allowed_path(reference, settings)
    missing = [name for name in ADAPTER_FILES if not (folder / name).is_file()]
    if missing:
        raise AdapterNotFound(f"{reference[:200]!r} is no adapter folder: there is no {missing[0]}.")
    return folder
