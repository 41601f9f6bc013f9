"""Where models lie, and which folders may be read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import tunesmith
from tunesmith.domains.models.errors import ModelNotFound, PathNotAllowed
from tunesmith.kit.errors import InvalidInput
from tunesmith.settings import Settings

BUNDLED = "tunesmith/tiny"
MARKER = ".tunesmith.json"
INCOMING = ".incoming"
_HUB_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,95})?$")


def bundled_folder() -> Path:
    """The model that comes with the program."""
    return Path(tunesmith.__file__).resolve().parent / "bundle" / "model"


def is_path(reference: str) -> bool:
    """Whether a reference names a folder rather than a model."""
    return reference.startswith(("/", "./", "../", "~")) or reference in (".", "..")


def check_hub_id(reference: str) -> str:
    """``reference`` itself; raises ``InvalidInput`` when no Hub id can look like this."""
    if not _HUB_ID.match(reference) or ".." in reference or "--" in reference:
        raise InvalidInput(
            f"{reference[:200]!r} is neither a model's name nor a path.",
            hint="Name a model as owner/name, or a folder as ./folder or /absolute/folder.",
        )
    return reference


def allowed_file(reference: str, settings: Settings, base_dir: Path | None) -> Path:
    """The real file that a path names; raises ``PathNotAllowed`` outside the roots, then ``ModelNotFound``."""
    folder, _, name = reference.rpartition("/")
    place = allowed_folder(folder or "/", settings, base_dir) / name
    resolved = place.resolve()
    if not resolved.is_file():
        raise ModelNotFound(f"The file {reference[:200]!r} does not exist.")
    if resolved != place and not _allowed(resolved, settings):
        raise PathNotAllowed(f"{reference[:200]!r} leads outside the folders that may be read.")
    return resolved


def allowed_folder(reference: str, settings: Settings, base_dir: Path | None) -> Path:
    """The real folder that a path names; raises ``PathNotAllowed`` outside the roots, then ``ModelNotFound``."""
    try:
        path = ((base_dir or Path.cwd()) / Path(reference).expanduser()).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"{reference[:200]!r} is not a usable path: {error}") from error
    if not _allowed(path, settings):
        raise PathNotAllowed(
            f"{reference[:200]!r} is outside the folders that TUNESMITH_MODELS__ALLOWED_ROOTS allows.",
        )
    try:
        if path.is_dir():
            return path
        kind = "is a file, not a model folder" if path.exists() else "does not exist"
    except OSError as error:
        raise InvalidInput(f"{reference[:200]!r} is not a usable path: {error}") from error
    raise ModelNotFound(f"The folder {reference[:200]!r} {kind}.")


def _allowed(path: Path, settings: Settings) -> bool:
    roots = [
        root.expanduser().resolve() for root in [*settings.allowed_model_roots, bundled_folder(), hub_cache(settings)]
    ]
    return any(path == root or root in path.parents for root in roots)


def hub_cache(settings: Settings) -> Path:
    """The folder in which the Hub's clients keep what they fetched."""
    return (settings.models.hf_home or Path.home() / ".cache" / "huggingface") / "hub"


def own_root(settings: Settings) -> Path:
    """Our own folder of models: what was downloaded, uploaded or converted."""
    return settings.data_dir / "models"


def own_folder(model_id: str, settings: Settings) -> Path:
    """Where a model lies, or would lie, in our own folder of models."""
    return own_root(settings) / check_hub_id(model_id)


def incoming_folder(name: str, settings: Settings) -> Path:
    """Where a model grows until it is whole; the next try goes on with what lies there."""
    return own_root(settings) / INCOMING / name.replace("/", "--")


def read_marker(folder: Path) -> dict[str, Any]:
    """What was written down about a folder of our own when it came; empty for others."""
    try:
        document = json.loads((folder / MARKER).read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def find_in_cache(model_id: str, settings: Settings) -> tuple[Path, str] | None:
    """Folder and revision of a Hub id, from our own folder of models or the Hub's cache."""
    own = own_root(settings) / model_id
    if (own / "config.json").is_file():
        return own, str(read_marker(own).get("revision") or "")
    return _snapshot(hub_cache(settings) / ("models--" + model_id.replace("/", "--")))


def list_cached(settings: Settings) -> list[tuple[str, Path, str]]:
    """(model id, folder, revision) of everything in the Hub's cache and our own folder of models."""
    found = [
        (config.parent.relative_to(own_root(settings)).as_posix(), config.parent, "")
        for pattern in ("*/config.json", "*/*/config.json")
        for config in sorted(own_root(settings).glob(pattern))
        if not config.parent.relative_to(own_root(settings)).as_posix().startswith(".")
    ]
    for folder in sorted(hub_cache(settings).glob("models--*")):
        if snapshot := _snapshot(folder):
            found.append((folder.name.removeprefix("models--").replace("--", "/"), *snapshot))
    return found


def _snapshot(folder: Path) -> tuple[Path, str] | None:
    """The newest complete snapshot of one folder of the Hub's cache."""
    main = folder / "refs" / "main"
    try:
        named = [main.read_text().strip()] if main.is_file() else []
        for revision in [*named, *sorted(p.name for p in (folder / "snapshots").glob("*"))]:
            snapshot = folder / "snapshots" / revision
            if (snapshot / "config.json").is_file():
                return snapshot, revision
    except OSError:
        return None  # somebody else's cache, unreadable for us
    return None


def is_here(model_id: str, settings: Settings) -> bool:
    """Whether the local store has a model of that id."""
    return find_in_cache(model_id, settings) is not None
