"""What can be written and judged: formats and methods as people ask for them, architectures, artefacts on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tunesmith.domains.export.errors import (
    AdapterMissing,
    ArchitectureUnsupported,
    ArtefactNotFound,
    ArtefactUnknown,
    FormatUnsupported,
    MethodUnsupported,
)
from tunesmith.domains.export.schemas import ExportOutput, ModelExportRequest
from tunesmith.domains.models import PathNotAllowed
from tunesmith.kit.errors import InvalidInput, MissingExtra
from tunesmith.ports.serving import Servable
from tunesmith.settings import Settings
from tunesmith.text import ChatTemplate, ChatTemplateMissing, TextTokenizer
from tunesmith.text.ollama import translate
from tunesmith.wire.formats import FORMATS, WITH_GGUF, ExportFormat, method_in
from tunesmith.wire.gguf_architectures import refusal
from tunesmith.wire.gguf_keys import NotGguf, method_of
from tunesmith.wire.gguf_methods import GGUF_METHODS, TEN, find_method

DEFAULT_METHOD = "Q8_0"
NEEDS = {
    "onnx": ("export", ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")),
    "mlx": ("mlx", ("mlx", "mlx_lm")),
}
"""Optional part and modules of formats that need more than the core."""


def outputs_of(request: ModelExportRequest) -> list[ExportOutput]:
    """What a request asks for; several methods are several outputs."""
    if request.method is not None and request.methods is not None:
        raise InvalidInput("Give either method or methods, not both.")
    methods: list[str | None] = [*request.methods] if request.methods else [request.method]
    shard = request.max_shard_bytes
    return checked_outputs([ExportOutput(format=request.format, method=m, max_shard_bytes=shard) for m in methods])


def checked_outputs(outputs: list[ExportOutput]) -> list[ExportOutput]:
    """Each once, with its method in one spelling; raises with the list of what there is for one that is not known."""
    checked: dict[tuple[str, str | None], ExportOutput] = {}
    for output in outputs:
        kind = output.format.lower()
        if kind not in FORMATS:
            raise FormatUnsupported(f"{output.format!r} is none of the formats {', '.join(FORMATS)}.")
        try:
            method = method_in(kind, output.method, lambda name: known_method(name or DEFAULT_METHOD))
        except ValueError as error:
            raise InvalidInput(f"{error}.", hint="Leave method out, or take one that the message lists.") from error
        shard = output.max_shard_bytes if kind in ("merged", "hf") else None
        checked.setdefault((kind, method), ExportOutput(format=kind, method=method, max_shard_bytes=shard))
    return list(checked.values())


def known_method(name: str) -> str:
    """A GGUF method in our spelling; raises MethodUnsupported."""
    found = find_method(name)
    if found is None:
        known = ", ".join([*TEN, *(method for method in GGUF_METHODS if method not in TEN)])
        raise MethodUnsupported(f"{name!r} is none of the GGUF methods {known}.")
    return found.name


def check_possible(source: Servable, outputs: list[ExportOutput]) -> None:
    """Raise, before anything is queued, what this model or this machine cannot be exported to."""
    check_architecture(source.base_path, outputs)
    for kind in {output.format for output in outputs}:
        check_installed(kind)
        if kind == ExportFormat.ADAPTER and source.adapter_path is None:
            raise AdapterMissing(f"{source.name} has no adapter: all of its weights were trained, or none.")
        if kind == ExportFormat.OLLAMA:
            _check_template(source.base_path)


def check_installed(kind: str) -> None:
    """Raise MissingExtra when a format needs what is not here."""
    from importlib.util import find_spec

    extra, modules = NEEDS.get(kind, ("", ()))
    if not all(find_spec(name) for name in modules):
        raise MissingExtra(extra, f"Export to {kind}")


def _check_template(base: Path) -> None:
    """Raise TemplateNotTranslatable where Ollama's language cannot say what the template does."""
    try:
        template = ChatTemplate.from_folder(base)
    except ChatTemplateMissing:
        return
    translate(template, leave_out=TextTokenizer.from_folder(base).added_beginning)


def check_architecture(base: Path, outputs: list[ExportOutput]) -> None:
    """Raise ArchitectureUnsupported when GGUF is wanted of a model that cannot be written so."""
    if all(output.format not in WITH_GGUF for output in outputs):
        return
    if reason := refusal(config_of(base)):
        raise ArchitectureUnsupported(reason)


def config_of(base: Path) -> dict[str, Any]:
    """A model's configuration; raises InvalidInput when it cannot be read."""
    try:
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The base model's config.json cannot be read ({error}).") from error
    if not isinstance(config, dict):
        raise InvalidInput("The base model's config.json is not an object.")
    return config


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
    if not path.exists():
        raise ArtefactNotFound(f"There is nothing at {reference[:200]!r}.")
    return recognise(path, method)


def recognise(path: Path, method: str | None) -> tuple[Path, ExportOutput]:
    """The part of ``path`` that is judged, and what it is; raises ArtefactUnknown.

    A file that is damaged is still known by its name: its certificate then says that it is damaged.
    """
    if path.is_file():
        if path.suffix.lower() == ".zip":
            return path, ExportOutput(format=ExportFormat.ZIP.value, method=method)
        if path.suffix.lower() != ".gguf" and not _begins_as_gguf(path):
            raise ArtefactUnknown(f"{path.name} is neither a GGUF file nor a zip.")
        return path, ExportOutput(format=ExportFormat.GGUF.value, method=method or _said_method(path))
    if (path / "Modelfile").is_file():
        return path, ExportOutput(format=ExportFormat.OLLAMA.value, method=method or _method_within(path))
    if (path / "adapter_config.json").is_file():
        return path, ExportOutput(format=ExportFormat.ADAPTER.value)
    if any(path.glob("*.onnx")) and not any(path.glob("*.safetensors")):
        return path, ExportOutput(format=ExportFormat.ONNX.value, method="fp32")
    if (path / "config.json").is_file():
        return path, _model_folder(path, method)
    inside = sorted(path.glob("*.gguf"))
    if len(inside) == 1:
        return recognise(inside[0], method)
    listed = ", ".join(sorted(entry.name for entry in path.iterdir())[:5]) or "nothing"
    raise ArtefactUnknown(f"The folder {path.name} holds {listed}: that is no exported model.")


def _model_folder(path: Path, method: str | None) -> ExportOutput:
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactUnknown(f"The config.json of {path.name} cannot be read ({error}).") from error
    packed = config.get("quantization") if isinstance(config, dict) else None
    if isinstance(packed, dict) and "bits" in packed:
        return ExportOutput(format=ExportFormat.MLX.value, method=method or f"{packed['bits']}bit")
    return ExportOutput(format=ExportFormat.MERGED.value, method=method)


def _begins_as_gguf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError as error:
        raise ArtefactUnknown(f"{path.name} cannot be read ({error.strerror}).") from error


def _said_method(path: Path) -> str | None:
    try:
        return method_of(path)
    except (NotGguf, OSError):
        return None


def _method_within(folder: Path) -> str | None:
    return next((_said_method(file) for file in sorted(folder.glob("*.gguf"))), None)
