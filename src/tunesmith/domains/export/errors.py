"""Failures of exports."""

from tunesmith.kit.errors import NotFound, Unsupported


class ExportNotFound(NotFound):
    """No such export of that version."""

    code, title = "export-not-found", "There is no such export"
    hint = "List the exports of the version."


class ArtefactNotFound(NotFound):
    """No file or folder by that name."""

    code, title = "artefact-not-found", "There is no such artefact"
    hint = "Name a .gguf file or a model folder of the server's machine."


class ArtefactUnknown(Unsupported):
    """The file does not say what it is."""

    code, title = "unsupported-artefact", "This artefact cannot be judged"
    hint = "Name a GGUF file or a merged model folder; for a GGUF file of another method, name the method."


class FormatUnsupported(Unsupported):
    """A format that this version does not write."""

    code, title = "export-format", "This export format is not supported"
    hint = "Use merged or gguf."


class MethodUnsupported(Unsupported):
    """A GGUF method that this version does not write."""

    code, title = "gguf-method", "This GGUF method is not supported"
    hint = "Use F16 or Q8_0."


class ArchitectureUnsupported(Unsupported):
    """A model that cannot be written as GGUF."""

    code, title = "unsupported-architecture", "The model's architecture cannot be exported to GGUF"
    hint = "Export it as merged instead."
