"""From what a hub or a folder says to what a person looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.domains.models import places
from tunesmith.domains.models.errors import ModelInvalid, PickleWeights, RemoteCode
from tunesmith.domains.models.hub.choice import chosen_files
from tunesmith.domains.models.hub.schemas import BaseModelDetails, BaseModelSummary, ModelFile, ModelSource
from tunesmith.domains.models.hub.storing import fits_on_disk
from tunesmith.domains.models.inspection import shape_of
from tunesmith.domains.models.schemas import LocalModel
from tunesmith.domains.models.service import ModelStore
from tunesmith.ports.hub import HubFile, HubModel
from tunesmith.settings import Settings

Notes = dict[str, Any]


def of_hub(store: ModelStore, settings: Settings, model: HubModel) -> dict[str, Any]:
    """The fields of a summary."""
    context, _, cache = shape_of(model.config)
    size = model.num_parameters
    return {
        "model_id": model.model_id,
        "source": ModelSource.HUB,
        "is_local": places.is_here(model.model_id, settings),
        "architecture": model.architecture,
        "num_parameters": size,
        "dtype": model.dtype,
        "license": model.license,
        "downloads": model.downloads,
        "likes": model.likes,
        "gated": model.gated,
        "private": model.private,
        "task": model.task,
        "updated_at": model.updated_at,
        "revision": model.revision,
        "fits_here": store.fits_here(size, cache, context) if size else None,
    }


def details_of_hub(store: ModelStore, settings: Settings, model: HubModel) -> BaseModelDetails:
    """Everything that the Hub says, and what a download would take."""
    context, vocabulary, _ = shape_of(model.config)
    problem: str | None = None
    chosen: list[HubFile] = []
    try:
        chosen = chosen_files(model)
    except (ModelInvalid, PickleWeights, RemoteCode) as error:
        problem = f"{error.message} {error.hint}"
    taken = {file.path for file in chosen}
    needed = sum(file.size_bytes or 0 for file in chosen) if chosen else None
    local = places.find_in_cache(model.model_id, settings)
    return BaseModelDetails(
        **of_hub(store, settings, model),
        context_length=context,
        vocab_size=vocabulary,
        chat_template=model.has_chat_template,
        library=model.library,
        tags=list(model.tags),
        files=[ModelFile(path=f.path, size_bytes=f.size_bytes, fetched=f.path in taken) for f in model.files],
        download_bytes=needed,
        fits_on_disk=fits_on_disk(settings, needed) if needed is not None else None,
        local_revision=(local[1] or None) if local else None,
        path=str(local[0]) if local else None,
        problem=problem,
    )


def of_folder(store: ModelStore, model: LocalModel, notes: Notes) -> BaseModelSummary:
    """A model of the local store, in a list."""
    marker = places.read_marker(Path(model.path))
    return BaseModelSummary(
        model_id=model.model_id,
        source=ModelSource.LOCAL,
        is_local=True,
        title=notes.get("title"),
        labels=notes.get("labels") or [],
        architecture=model.architecture,
        num_parameters=model.num_parameters,
        license=marker.get("license"),
        size_bytes=model.size_bytes,
        last_used=model.last_used,
        path=model.path,
        revision=marker.get("revision"),
        fits_here=store.fits_here(model.num_parameters),
    )


async def details_of_folder(store: ModelStore, model: LocalModel, notes: Notes) -> BaseModelDetails:
    """The same with its files. Raises what looking through a folder raises."""
    folder = Path(model.path)
    metadata = await store.inspect(folder, model.model_id)
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    return BaseModelDetails(
        **of_folder(store, model, notes).model_dump(exclude={"dtype", "revision"}),
        dtype=metadata.dtype,
        revision=metadata.revision,
        local_revision=metadata.revision,
        context_length=metadata.context_length,
        vocab_size=metadata.vocab_size,
        chat_template=metadata.chat_template,
        description=notes.get("description"),
        files=[ModelFile(path=f.name, size_bytes=f.stat().st_size, fetched=True) for f in files],
    )
