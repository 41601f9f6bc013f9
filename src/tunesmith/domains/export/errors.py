"""Failures of exports."""

from tunesmith.kit.errors import InvalidInput, NotFound, OutOfSpace, TunesmithError, Unsupported


class ExportNotFound(NotFound):
    """No such export of that version."""

    code, title = "export-not-found", "There is no such export"
    hint = "List the exports of the version."


class ArtefactNotFound(NotFound):
    """No file or folder by that name."""

    code, title = "artefact-not-found", "There is no such artefact"
    hint = "Name a .gguf file, a portable .zip or an exported folder of the server's machine."


class AdapterNotFound(NotFound):
    """No adapter folder by that name."""

    code, title = "adapter-not-found", "There is no such adapter"
    hint = "Name a folder of the server's machine with adapter_config.json and adapter_model.safetensors."


class ArtefactUnknown(Unsupported):
    """The file does not say what it is."""

    code, title = "unsupported-artefact", "This artefact cannot be judged"
    hint = (
        "Name a GGUF file, a portable zip, or a folder with config.json (model), adapter_config.json, "
        "a .onnx file or a Modelfile."
    )


class ZipDamaged(InvalidInput):
    """A zip that cannot be unpacked."""

    code, title = "zip-damaged", "The zip cannot be unpacked"
    hint = "Copy or export it again."


class SourceSilent(InvalidInput):
    """The source can answer none of the prompts."""

    code, title = "source-silent", "The source cannot be asked"
    hint = "Name the model that the artefact was made from; it needs room for a prompt and 32 tokens."


class FormatUnsupported(Unsupported):
    """A format that this version does not write."""

    code, title = "export-format", "This export format is not supported"
    hint = "Use gguf, merged, hf, adapter, onnx, ollama, mlx or zip."


class AdapterMissing(Unsupported):
    """A model whose weights are all its own."""

    code, title = "no-adapter", "The model has no adapter"
    hint = "Export it as merged, hf or gguf."


class NoRoom(OutOfSpace):
    """The disk has no room for what would be written."""

    code, title = "export-space", "There is not enough disk space for this export"
    hint = "Free some space in the data folder, or choose a method that makes smaller files."


class MethodUnsupported(Unsupported):
    """A GGUF method that this version does not write."""

    code, title = "gguf-method", "This GGUF method is not supported"
    hint = "GET /gguf/methods describes them; Q4_K_M is the usual choice."


class ArchitectureUnsupported(Unsupported):
    """A model that cannot be written as GGUF."""

    code, title = "unsupported-architecture", "The model's architecture cannot be exported to GGUF"
    hint = "Export it as merged instead."


class RangeRefused(TunesmithError):
    """A download is asked to go on behind its end."""

    code, status, title = "range", 416, "There is nothing at that place of the file"
    hint = "Download it from the beginning; an artefact that is complete needs nothing more."


class NothingToPush(InvalidInput):
    """What was named holds no files that could be pushed."""

    code, title = "nothing-to-push", "There is nothing to push"
    hint = "Name a finished run (run:ID), a version (name@version), an export, or a model folder."
