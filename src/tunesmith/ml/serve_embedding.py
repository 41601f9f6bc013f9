"""A folder of a model that turns texts into vectors (sentence-transformers, or an encoder), loaded by ``tunesmith.ml.serve``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tunesmith.ml.embedding import Embedder
from tunesmith.ml.serve_http import Engine, Refused
from tunesmith.ml.tensors import ModelInvalid
from tunesmith.wire.serving import (
    ChildHealth,
    GenerateRequest,
    Generation,
    LogprobSequence,
    Message,
    PromptCount,
    RowScore,
    ScoreRow,
    StreamChunk,
    Tools,
)
from tunesmith.wire.spec import ServeSpec

MOST_WAITING = 64
BATCH_TOKENS = 8192
LONGEST = 2**20
FOLLOWED = ("Transformer", "Pooling", "Normalize")
"""The modules of sentence-transformers that are computed here; vectors always have length one."""


def is_embedder(folder: Path) -> bool:
    """Whether a folder holds a model for vectors: it says so (``modules.json``), or it has no head that writes."""
    named = _json(folder / "config.json").get("architectures") or [""]
    return (folder / "modules.json").is_file() or str(named[0]).endswith("Model")


class EmbeddingEngine(Engine):
    """Gives vectors, and nothing else."""

    def __init__(self, spec: ServeSpec) -> None:
        """Raises ModelInvalid when the folder asks for a module that is not computed here."""
        folder = Path(spec.model_path)
        modules = _json(folder / "modules.json")
        kinds = [str(one.get("type", "")).rsplit(".", 1)[-1] for one in modules if isinstance(one, dict)]
        if unknown := [kind for kind in kinds if kind not in FOLLOWED]:
            raise ModelInvalid(f"{folder.name} has the module {unknown[0]}; only {', '.join(FOLLOWED)} are computed.")
        said = _json(folder / "sentence_bert_config.json").get("max_seq_length")
        self._name = folder.name
        self._embedder = Embedder(folder, spec.device, int(said) if isinstance(said, int) else LONGEST)
        self._lock = asyncio.Lock()
        self._waiting = 0

    def health(self) -> ChildHealth:
        """What is loaded, and how busy it is."""
        return ChildHealth(
            backend="transformers",
            device=self._embedder.device,
            dtype="float32",
            vocab_size=self._embedder.vocab_size,
            context_length=self._embedder.max_tokens,
            active=int(self._lock.locked()),
            waiting=self._waiting,
            memory_bytes=psutil.Process().memory_info().rss,
        )

    async def embed(self, inputs: list[str | list[int]], adapter: str | None) -> tuple[np.ndarray[Any, Any], list[int]]:
        """Vectors as the folder pools them. Raises ``Refused`` for an adapter, and for an input that is empty or too long."""
        if adapter is not None:
            raise Refused("adapter-refused", f"{self._name} takes no adapter.")
        if self._waiting >= MOST_WAITING:
            raise Refused("busy", f"{MOST_WAITING} requests wait for {self._name} already.", 503)
        rows = await asyncio.to_thread(self._rows, inputs)
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        # who hangs up does not stop the thread: the next pass waits for its end, or both would lie in memory
        return await asyncio.shield(asyncio.create_task(self._pass(rows))), [len(row) for row in rows]

    async def _pass(self, rows: list[list[int]]) -> np.ndarray[Any, Any]:
        try:
            return await asyncio.to_thread(self._embedder.embed_ids, rows, BATCH_TOKENS)
        finally:
            self._lock.release()

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text, with the special tokens of this model."""
        return self._embedder.encode(text)

    async def render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        """Refused: it holds no conversation."""
        raise self._refusal()

    async def count(self, messages: list[Message]) -> PromptCount:
        """Refused: it holds no conversation."""
        raise self._refusal()

    async def generate(self, requests: list[GenerateRequest], adapter: str | None) -> list[Generation]:
        """Refused: it writes nothing."""
        raise self._refusal()

    async def stream(self, request: GenerateRequest, adapter: str | None) -> AsyncGenerator[StreamChunk]:
        """Refused: it writes nothing."""
        raise self._refusal()
        yield StreamChunk()

    async def score(self, rows: list[ScoreRow], adapter: str | None) -> list[RowScore]:
        """Refused: it predicts no tokens."""
        raise self._refusal()

    async def logprobs(
        self, sequences: list[LogprobSequence], top: int | None, adapter: str | None
    ) -> list[np.ndarray[Any, Any]]:
        """Refused: it predicts no tokens."""
        raise self._refusal()

    def _rows(self, inputs: list[str | list[int]]) -> list[list[int]]:
        rows = [self._embedder.encode(one) if isinstance(one, str) else one for one in inputs]
        for row in rows:
            check_row(row, self._embedder.max_tokens, self._embedder.vocab_size)
        return rows

    def _refusal(self) -> Refused:
        return Refused("embedding-only", f"{self._name} turns texts into vectors; it does not answer.")


def check_row(ids: list[int], longest: int, vocab_size: int) -> None:
    """Raise ``Refused`` unless ``ids`` can be read."""
    if not ids:
        raise Refused("empty-prompt", "An input has no tokens.")
    if len(ids) > longest:
        raise Refused("context-overflow", f"An input has {len(ids)} tokens; this model reads at most {longest}.")
    if min(ids) < 0 or max(ids) >= vocab_size:
        raise Refused("token-id", f"Token ids of this model are 0 to {vocab_size - 1}.")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
