"""What can be wrong with a model folder."""

from __future__ import annotations

from tunesmith.kit.errors import Forbidden, InvalidInput, NotFound, Unsupported


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
        "Reading .bin or .pt files can run any code. Where you trust the file, convert it there: "
        "AutoModelForCausalLM.from_pretrained(folder).save_pretrained(folder, safe_serialization=True)."
    )


class RemoteCode(Unsupported):
    """The model needs code from its own folder."""

    code, title = "remote-code", "Models that bring their own code are refused"
    hint = "Choose a model whose architecture transformers knows."


class PathNotAllowed(Forbidden):
    """The path is outside the folders that models may be read from."""

    code, title = "path-not-allowed", "This path may not be read"
    hint = "Move the model below an allowed folder, or add its folder to TUNESMITH_MODELS__ALLOWED_ROOTS."
