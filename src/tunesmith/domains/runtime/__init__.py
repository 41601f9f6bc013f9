"""Loaded models, one supervised child process each: the only path that generates, scores or renders."""

from tunesmith.domains.runtime.errors import (
    AdapterRefused,
    ContextOverflow,
    EmbeddingOnly,
    EmbeddingsUnsupported,
    PromptRefused,
    RunNotServable,
    RuntimeBusy,
    RuntimeCrashed,
    RuntimeFailed,
    RuntimeOutOfMemory,
    RuntimeStartFailed,
    RuntimeStartSlow,
    RuntimeUnloaded,
    RuntimeUnreachable,
)
from tunesmith.domains.runtime.handle import RuntimeHandle
from tunesmith.domains.runtime.resolver import ModelResolver
from tunesmith.domains.runtime.schemas import LoadedModel
from tunesmith.domains.runtime.service import RuntimeService
from tunesmith.ports.serving import Servable
from tunesmith.wire.serving import (
    Answered,
    GenerateRequest,
    Generation,
    LogprobSequence,
    PromptCount,
    RowScore,
    ScoreRow,
    StreamChunk,
    TokenLogprob,
)

__all__ = [
    "AdapterRefused",
    "Answered",
    "ContextOverflow",
    "EmbeddingOnly",
    "EmbeddingsUnsupported",
    "GenerateRequest",
    "Generation",
    "LoadedModel",
    "LogprobSequence",
    "ModelResolver",
    "PromptCount",
    "PromptRefused",
    "RowScore",
    "RunNotServable",
    "RuntimeBusy",
    "RuntimeCrashed",
    "RuntimeFailed",
    "RuntimeHandle",
    "RuntimeOutOfMemory",
    "RuntimeService",
    "RuntimeStartFailed",
    "RuntimeStartSlow",
    "RuntimeUnloaded",
    "RuntimeUnreachable",
    "ScoreRow",
    "Servable",
    "StreamChunk",
    "TokenLogprob",
]
