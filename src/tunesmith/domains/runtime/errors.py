"""What can go wrong with a loaded model."""

from __future__ import annotations

from tunesmith.kit.errors import Conflict, InvalidInput, TunesmithError, Unavailable


class RuntimeStartFailed(Unavailable):
    """The child ended, or did not answer in time, while it loaded the model."""

    code, title = "runtime-start", "The model could not be loaded"
    hint = "The message ends with what the child printed last; free memory or choose another model, then try again."


class RuntimeStartSlow(RuntimeStartFailed):
    """The child still loads when the time for that is over: no fault of the model."""

    hint = "Raise TUNESMITH_RUNTIME__START_TIMEOUT_SECONDS for a large model or a slow disk."


class RuntimeCrashed(Unavailable):
    """The child that had the model loaded died while it worked."""

    code, title, retry_after_seconds = "runtime-crashed", "The model's process died", 1
    hint = "Try again: the next request loads the model anew. Too little memory is the usual cause."


class RuntimeUnreachable(Unavailable):
    """The child lives and does not answer."""

    code, title, retry_after_seconds = "runtime-unreachable", "The model does not answer", 5
    hint = "Try again in a moment, or unload the model and load it again."


class RuntimeBusy(Unavailable):
    """Too many requests wait for the model, or every place for a loaded model is in use."""

    code, title, retry_after_seconds = "busy", "The model is busy", 1
    hint = "Try again in a moment, or raise TUNESMITH_RUNTIME__MAX_LOADED_MODELS."


class RuntimeUnloaded(Conflict):
    """The model was unloaded while it answered."""

    code, title = "runtime-unloaded", "The model was unloaded meanwhile"
    hint = "Load it again and repeat the request."


class RuntimeOutOfMemory(Unavailable):
    """The model ran out of memory on this request."""

    code, title, retry_after_seconds = "runtime-memory", "The model ran out of memory", 5
    hint = "Ask for fewer tokens, send a shorter prompt, or unload other models."


class RuntimeFailed(TunesmithError):
    """The model raised while it answered."""

    code, status, title = "runtime-failed", 500, "The model failed while it answered"
    hint = "Report this with the message; the model stays loaded."


class ContextOverflow(InvalidInput):
    """The prompt leaves no room for an answer."""

    code, title = "context-overflow", "The prompt is too long for this model"
    hint = "Shorten the conversation."


class PromptRefused(InvalidInput):
    """The model's template or tokenizer cannot take this prompt."""

    code, title = "prompt-refused", "This model cannot take this prompt"
    hint = "Check the roles and their order; use a model with a chat template for conversations."


class EmbeddingOnly(InvalidInput):
    """The model turns texts into vectors and writes none."""

    code, title = "embedding-only", "This model does not answer"
    hint = "Ask it at POST /v1/embeddings, or name a model that writes."


class EmbeddingsUnsupported(InvalidInput):
    """The model is served in a way that gives no vectors."""

    code, title = "embeddings-unsupported", "This model gives no embeddings here"
    hint = "Name a model folder or a GGUF file."


class AdapterRefused(InvalidInput):
    """The adapter does not fit on this base model."""

    code, title = "adapter-refused", "The adapter does not fit on this model"
    hint = "Use the base model that the adapter was trained on."


class RunNotServable(Conflict):
    """The job has not left a model behind."""

    code, title = "run-not-servable", "This run has no model yet"
    hint = "Wait until the training has succeeded, or name another run."
