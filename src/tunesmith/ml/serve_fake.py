"""A child without torch and without weights: it repeats what it was told, byte by byte. ``python -m tunesmith.ml.serve_fake <folder>``.

It keeps every promise of the HTTP side (tokens are UTF-8 bytes, every byte equally likely), so pages, demonstrations and tests of the
server can use it where a real model would only cost time.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tunesmith.ml.serve_http import Engine, Refused, answer, leave_with_parent
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
    TokenLogprob,
    Tools,
)

VOCABULARY = 256
CONTEXT_LENGTH = 1 << 16
STEP_SECONDS = 0.005
MAX_ACTIVE = 64
IGNORED = -100


class FakeEngine(Engine):
    """Answers with the last thing that was said; the tuned one says so in front."""

    def __init__(self) -> None:
        self._active = 0

    def health(self) -> ChildHealth:
        """How busy it is."""
        return ChildHealth(
            backend="fake",
            device="cpu",
            dtype="float32",
            vocab_size=VOCABULARY,
            context_length=CONTEXT_LENGTH,
            active=self._active,
            waiting=0,
            memory_bytes=psutil.Process().memory_info().rss,
        )

    async def render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        """Role and content, a line each."""
        lines = [f"{message.get('role')}: {message.get('content')}\n" for message in messages]
        return "".join(lines) + ("assistant: " if add_generation_prompt else "")

    async def count(self, messages: list[Message]) -> PromptCount:
        """The bytes of the prompt."""
        prompt = await self.render(messages, True)
        return PromptCount.of(prompt, len(prompt.encode()))

    async def tokenize(self, text: str) -> list[int]:
        """The bytes."""
        return list(text.encode())

    async def generate(self, requests: list[GenerateRequest], adapter: str | None) -> list[Generation]:
        """Repeat each."""
        return [await self._generation(request, adapter) for request in requests]

    async def stream(self, request: GenerateRequest, adapter: str | None) -> AsyncGenerator[StreamChunk]:
        """Repeat, a character at a time."""
        if self._active >= MAX_ACTIVE:
            raise Refused("busy", f"{MAX_ACTIVE} requests run already.", 503)
        self._active += 1
        try:
            made = await self._generation(request, adapter)
            yield StreamChunk(prompt_tokens=made.prompt_tokens)
            for character in made.text:
                await asyncio.sleep(STEP_SECONDS)
                told = []
                if request.logprobs is not None:
                    told = [
                        TokenLogprob(token=character, logprob=-math.log(VOCABULARY), token_bytes=[*character.encode()])
                    ]
                yield StreamChunk(delta=character, logprobs=told)
            spent = len(made.token_ids) + (made.stop_token_id is not None)
            yield StreamChunk(
                finish_reason=made.finish_reason, prompt_tokens=made.prompt_tokens, completion_tokens=spent
            )
        finally:
            self._active -= 1

    async def embed(self, inputs: list[str | list[int]], adapter: str | None) -> tuple[np.ndarray[Any, Any], list[int]]:
        """How often each byte occurs, as a direction."""
        rows = [one.encode() if isinstance(one, str) else bytes(i % VOCABULARY for i in one) for one in inputs]
        counts = np.stack([np.bincount(np.frombuffer(row, np.uint8), minlength=VOCABULARY) for row in rows])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32), [len(row) for row in rows]

    async def score(self, rows: list[ScoreRow], adapter: str | None) -> list[RowScore]:
        """Every byte that the assistant said costs the same."""
        scores = []
        for row in rows:
            if row.messages is not None:
                said = [str(m.get("content")) for m in row.messages if m.get("role") == "assistant"]
                trained = sum(len(text.encode()) for text in said)
                tokens = len(await self.tokenize(await self.render(row.messages, False)))
            else:
                trained = sum(label != IGNORED for label in (row.labels or [])[1:])
                tokens = len(row.input_ids or [])
            scores.append(RowScore(loss_sum=trained * math.log(VOCABULARY), trained_tokens=trained, tokens=tokens))
        return scores

    async def logprobs(
        self, sequences: list[LogprobSequence], top: int | None, adapter: str | None
    ) -> list[np.ndarray[Any, Any]]:
        """Uniform distributions."""
        found: list[np.ndarray[Any, Any]] = []
        for sequence in sequences:
            width = VOCABULARY if top is None else min(top, VOCABULARY)
            shape = (len(sequence.token_ids) - sequence.start, width)
            if top is not None:
                found.append(np.tile(np.arange(width, dtype=np.int32), (shape[0], 1)))
            found.append(np.full(shape, -math.log(VOCABULARY), dtype=np.float32))
        return found

    async def _generation(self, request: GenerateRequest, adapter: str | None) -> Generation:
        prompt = request.prompt or ""
        said = prompt
        if request.messages is not None:
            prompt = await self.render(request.messages, True)
            said = str(request.messages[-1].get("content")) if request.messages else ""
        if request.token_ids is not None:
            prompt = said = bytes(i for i in request.token_ids if 0 <= i < VOCABULARY).decode(errors="ignore")
        text = ("[tuned] " if adapter is not None else "") + said
        cuts = [at for stop in request.stop if stop and (at := text.find(stop)) >= 0]
        text = text[: min(cuts)] if cuts else text
        whole = text.encode()
        kept = whole[: request.max_new_tokens].decode(errors="ignore").encode()
        return Generation(
            text=kept.decode(),
            token_ids=list(kept),
            stop_token_id=None,
            finish_reason="stop" if kept == whole else "length",
            prompt_tokens=len(prompt.encode()),
        )


def main() -> None:
    """Answer."""
    folder = Path(sys.argv[1])
    leave_with_parent()
    answer(folder, FakeEngine())


if __name__ == "__main__":
    main()
