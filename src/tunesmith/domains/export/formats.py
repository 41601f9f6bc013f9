"""What can be written and judged: formats, GGUF methods, architectures, artefacts on disk."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.domains.export.errors import (
    ArchitectureUnsupported,
    ArtefactNotFound,
    ArtefactUnknown,
    FormatUnsupported,
    MethodUnsupported,
)
from tunesmith.domains.export.schemas import ExportOutput, ModelExportRequest
from tunesmith.domains.models import PathNotAllowed
from tunesmith.kit.errors import InvalidInput
from tunesmith.settings import Settings
from tunesmith.wire.gguf_keys import NotGguf, method_of
from tunesmith.wire.recipe import GGUF_METHODS, ExportFormat
from tunesmith.wire.spec import GGUF_ARCHITECTURES

DEFAULT_METHOD = "Q8_0"
FORMATS = tuple(known.value for known in ExportFormat)


def outputs_of(request: ModelExportRequest) -> list[ExportOutput]:
    """What a request asks for; several methods are several outputs."""
    if request.method is not None and request.methods is not None:
        raise InvalidInput("Give either method or methods, not both.")
    methods: list[str | None] = [*request.methods] if request.methods else [request.method]
    return checked_outputs([ExportOutput(format=request.format, method=method) for method in methods])


def checked_outputs(outputs: list[ExportOutput]) -> list[ExportOutput]:
    """Each once, with its method in one spelling; raises with the list of what there is for one that is not known."""
    checked: dict[tuple[str, str | None], ExportOutput] = {}
    for output in outputs:
        if output.format not in FORMATS:
            raise FormatUnsupported(f"{output.format!r} is none of the formats {', '.join(FORMATS)}.")
        method = output.method
        if output.format == ExportFormat.GGUF:
            method = known_method(method or DEFAULT_METHOD)
        elif method is not None:
            raise InvalidInput("method is for gguf only.", hint="Leave method out.")
        checked.setdefault((output.format, method), ExportOutput(format=output.format, method=method))
    return list(checked.values())


def known_method(name: str) -> str:
    """A GGUF method in our spelling; raises MethodUnsupported."""
    if name.upper() not in GGUF_METHODS:
        raise MethodUnsupported(f"{name!r} is none of the GGUF methods {', '.join(GGUF_METHODS)}.")
    return name.upper()


def check_architecture(base: Path, outputs: list[ExportOutput]) -> None:
    """Raise ArchitectureUnsupported when GGUF is wanted of a model that cannot be written so."""
    if all(output.format != ExportFormat.GGUF for output in outputs):
        return
    try:
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The base model's config.json cannot be read ({error}).") from error
    found = next(iter(config.get("architectures") or []), "unknown")
    if found not in GGUF_ARCHITECTURES:
        raise ArchitectureUnsupported(f"{found} is none of {', '.join(GGUF_ARCHITECTURES)}.")


def artefact_output(reference: str, method: str | None, settings: Settings) -> tuple[Path, ExportOutput]:
    """The artefact that may be read there, and what it is. Raises PathNotAllowed, ArtefactNotFound, ArtefactUnknown."""
    try:
        path = Path(reference).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ArtefactNotFound(f"{reference[:200]!r} is not a usable path.") from error
    roots = [root.expanduser().resolve() for root in settings.allowed_model_roots]
    if not any(root in path.parents for root in roots):
        raise PathNotAllowed(
            f"{reference[:200]!r} is outside the folders that TUNESMITH_MODELS__ALLOWED_ROOTS allows.",
        )
    if (path / "config.json").is_file():
        return path, ExportOutput(format=ExportFormat.MERGED.value)
    if not path.is_file():
        raise ArtefactNotFound(f"{reference[:200]!r} is neither a GGUF file nor a model folder.")
    if method is None:
        try:
            method = method_of(path)
        except NotGguf as error:
            raise ArtefactUnknown(f"{path.name} is not a usable GGUF file: {error}.") from error
    return path, ExportOutput(format=ExportFormat.GGUF.value, method=known_method(method or "unknown"))
