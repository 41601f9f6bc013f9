"""What can be wrong with a model folder."""

from __future__ import annotations

from tunesmith.kit.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge, Unsupported


class ModelNotFound(NotFound):
    """No model has this name."""

    code, title = "model-not-found", "There is no such model"
    hint = "GET /model/local-models lists what is here; a folder is named by ./folder or its absolute path."


class ModelInvalid(InvalidInput):
    """The folder is not a model, or a file in it is broken."""

    code, title = "model-invalid", "This is not a usable model folder"
    hint = "A model folder has config.json, *.safetensors and tokenizer.json; copy it again if a file was cut short."


class PickleWeights(InvalidInput):
    """The weights are pickles, which run code when they are read."""

    code, title = "pickle-weights", "Pickle weights are refused"
    hint = (
        "Reading .bin or .pt files the usual way can run any code. Convert them in the sandbox, which runs none: "
        "tunesmith models convert FOLDER."
    )


class RemoteCode(Unsupported):
    """The model needs code from its own folder."""

    code, title = "remote-code", "Models that bring their own code are refused"
    hint = "Choose a model whose architecture transformers knows."


class PathNotAllowed(Forbidden):
    """The path is outside the folders that models may be read from."""

    code, title = "path-not-allowed", "This path may not be read"
    hint = "Move the model below an allowed folder, or add its folder to TUNESMITH_MODELS__ALLOWED_ROOTS."


class ModelInUse(Conflict):
    """The model is loaded, or a job works with it."""

    code, title = "model-in-use", "The model is in use"
    hint = "Unload it (POST /model/unload), or wait for the job that is named; then delete it."


class ModelKept(Conflict):
    """The model is not ours to delete."""

    code, title = "model-kept", "This model cannot be deleted here"
    hint = "Only what was downloaded, uploaded or converted into the local store is deleted from it."


class ArchiveInvalid(InvalidInput):
    """The archive cannot be read, or holds no model."""

    code, title = "archive-invalid", "The archive holds no usable model"
    hint = "Send a .zip, .tar, .tar.gz or .tar.zst of a folder with config.json, *.safetensors and tokenizer.json."


class ArchiveUnsafe(InvalidInput):
    """The archive would write outside its folder, or holds links or devices."""

    code, status, title = "archive-unsafe", 400, "The archive is not safe to unpack"
    hint = "Pack the model's own files only: no links, no absolute paths, no '..'."


class ArchiveTooLarge(TooLarge):
    """The archive, or what it unpacks to, is over a limit."""

    code, title = "archive-too-large", "The archive is too large"
    hint = "Copy the folder to this machine and load it by its path, or raise TUNESMITH_MODELS__MAX_ARCHIVE_BYTES."
