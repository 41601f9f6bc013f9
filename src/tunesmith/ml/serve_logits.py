"""Answers of anything that turns token ids into logits: what ONNX and MLX children have in common.

There is no cache: each token costs a pass over everything before it. That judges an export and answers short questions; it is not
a way to serve many people. Neither torch nor transformers is loaded.
"""

from __future__ import annotations

import asyncio
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import psutil

from tunesmith.kit.errors import TunesmithError
from tunesmith.ml.ends import end_ids
from tunesmith.ml.serve_http import Engine, Refused, answer, leave_with_parent, read_spec
from tunesmith.text import IGNORED, ChatTemplate, TextTokenizer, tokenize_row
from tunesmith.text.folder import read_json
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

Array = np.ndarray[Any, Any]
LONGEST_CONTEXT = 4096


class LogitsEngine(Engine, ABC):
    """A folder with tokenizer and template, and a function from token ids to logits."""

    backend: ClassVar[str]
    dtype = "float32"

    def __init__(self, spec: ServeSpec) -> None:
        folder = Path(spec.model_path)
        self._folder = folder
        self.load(folder)
        self._tokenizer = TextTokenizer.from_folder(folder)
        config, generation = read_json(folder / "config.json"), read_json(folder / "generation_config.json")
        self._ends = frozenset(end_ids(config, generation, self._tokenizer))
        self._context_length = min(int(config.get("max_position_embeddings") or LONGEST_CONTEXT), LONGEST_CONTEXT)
        self._vocab_size = int(self.logits([0]).shape[-1])
        self._lock = asyncio.Lock()
        self._waiting = 0

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Load the weights."""

    @abstractmethod
    def logits(self, ids: list[int]) -> Array:
        """Float32 logits (positions × vocabulary) of one sequence."""

    def health(self) -> ChildHealth:
        """What is loaded, and how busy it is."""
        return ChildHealth(
            backend=self.backend,
            device="cpu",
            dtype=self.dtype,
            vocab_size=self._vocab_size,
            context_length=self._context_length,
            active=int(self._lock.locked()),
            waiting=self._waiting,
            memory_bytes=psutil.Process().memory_info().rss,
            end_token_ids=sorted(self._ends),
        )

    async def render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        """The prompt, by the folder's own template."""
        try:
            template = ChatTemplate.from_folder(self._folder)
            return template.render(messages, add_generation_prompt=add_generation_prompt, tools=tools)
        except TunesmithError as error:
            raise Refused(error.code, error.message, error.status) from error

    async def count(self, messages: list[Message]) -> PromptCount:
        """The prompt's tokens."""
        prompt = await self.render(messages, True)
        return PromptCount.of(prompt, len(self._tokenizer.encode(prompt).ids))

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text."""
        return self._tokenizer.encode(text).ids

    async def generate(self, requests: list[GenerateRequest], adapter: str | None) -> list[Generation]:
        """Continue many prompts, one after the other."""
        return [await self._generate(request) for request in requests]

    async def stream(self, request: GenerateRequest, adapter: str | None) -> AsyncGenerator[StreamChunk]:
        """One prompt; the answer comes in one piece."""
        made = await self._generate(request)
        yield StreamChunk(prompt_tokens=made.prompt_tokens)
        yield StreamChunk(delta=made.text)
        spent = len(made.token_ids) + (made.stop_token_id is not None)
        yield StreamChunk(finish_reason=made.finish_reason, prompt_tokens=made.prompt_tokens, completion_tokens=spent)

    async def score(self, rows: list[ScoreRow], adapter: str | None) -> list[RowScore]:
        """Teacher-forced loss of rows."""
        scores = []
        for row in rows:
            if row.input_ids is not None and row.labels is not None:
                ids, labels = row.input_ids, row.labels
            else:
                try:
                    template = ChatTemplate.from_folder(self._folder)
                    conversation = {"messages": row.messages, "tools": row.tools}
                    made = tokenize_row(conversation, self._tokenizer, template)
                except TunesmithError as error:
                    raise Refused(error.code, error.message, error.status) from error
                ids, labels = made.input_ids, made.labels
            self._check_ids(ids)
            found = _log_softmax(await self._run(ids))[:-1]
            at = np.array([place for place, label in enumerate(labels[1:]) if label != IGNORED], np.int64)
            lost = -float(found[at, np.asarray(labels)[at + 1]].sum()) if len(at) else 0.0
            scores.append(RowScore(loss_sum=lost, trained_tokens=len(at), tokens=len(ids)))
        return scores

    async def logprobs(self, sequences: list[LogprobSequence], top: int | None, adapter: str | None) -> list[Array]:
        """Distributions that predict each sequence's tokens from its start on."""
        found: list[Array] = []
        for sequence in sequences:
            self._check_ids(sequence.token_ids)
            rows = _log_softmax((await self._run(sequence.token_ids[:-1]))[sequence.start - 1 :])
            if top is None:
                found.append(rows)
                continue
            tokens = np.argsort(-rows, axis=-1, kind="stable")[:, :top].astype(np.int32)
            found += [tokens, np.take_along_axis(rows, tokens, -1)]
        return found

    async def _generate(self, request: GenerateRequest) -> Generation:
        if request.token_ids is not None:
            ids = list(request.token_ids)
        else:
            text = request.prompt or ""
            if request.messages is not None:
                text = await self.render(request.messages, True, request.tools)
            ids = self._tokenizer.encode_begun(text) if request.is_whole else self._tokenizer.encode(text).ids
        self._check_ids(ids)
        room = self._context_length - len(ids)
        if room < 1:
            raise Refused(
                "context-overflow",
                f"The prompt has {len(ids)} tokens; this model reads at most {self._context_length}, answer included.",
            )
        chooser = np.random.default_rng(request.seed)
        made: list[int] = []
        ended = None
        text = ""
        while ended is None and len(made) < min(request.max_new_tokens, room):
            token = _chosen((await self._run(ids + made))[-1], request, chooser)
            if token in self._ends:
                ended = token
                break
            made.append(token)
            text = self._tokenizer.decode(made)
            cut = min((at for stop in request.stop if stop and (at := text.find(stop)) >= 0), default=-1)
            if cut >= 0:
                return Generation(text=text[:cut], token_ids=made, finish_reason="stop", prompt_tokens=len(ids))
        reason = "length" if ended is None else "stop"
        return Generation.model_validate(
            {
                "text": self._tokenizer.decode(made),
                "token_ids": made,
                "stop_token_id": ended,
                "finish_reason": reason,
                "prompt_tokens": len(ids),
            }
        )

    def _check_ids(self, ids: list[int]) -> None:
        if not ids:
            raise Refused("empty-prompt", "The prompt has no tokens.")
        if min(ids) < 0 or max(ids) >= self._vocab_size:
            raise Refused("token-id", f"Token ids of this model are 0 to {self._vocab_size - 1}.")

    async def _run(self, ids: list[int]) -> Array:
        self._waiting += 1
        async with self._lock:
            self._waiting -= 1
            return await asyncio.to_thread(self.logits, ids)


def _log_softmax(logits: Array) -> Array:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    result: Array = (shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))).astype(np.float32)
    return result


def _chosen(logits: Array, request: GenerateRequest, chooser: np.random.Generator) -> int:
    if request.temperature == 0:
        return int(logits.argmax())
    probabilities = np.exp(_log_softmax(logits / request.temperature).astype(np.float64))
    if request.top_p < 1.0:
        order = np.argsort(-probabilities)
        before = probabilities[order].cumsum() - probabilities[order]
        probabilities[order[before >= request.top_p]] = 0.0
    return int(chooser.choice(len(probabilities), p=probabilities / probabilities.sum()))


def serve(engine: type[LogitsEngine]) -> int:
    """Load, then answer; what cannot be loaded is said in one sentence."""
    folder = Path(sys.argv[1])
    leave_with_parent()
    spec = read_spec(folder)
    try:
        loaded = engine(spec)
    except (TunesmithError, Refused) as error:
        _leave(getattr(error, "message", str(error)))
    except Exception as error:  # the libraries' own errors have no common class
        _leave(f"{Path(spec.model_path).name} cannot be loaded: {error}")
    answer(folder, loaded)
    return 0


def _leave(message: str) -> NoReturn:
    """Say why and go at once: the thread that watches stdin would turn an orderly exit into a crash."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201  # the runtime shows what a child printed last
    os._exit(1)
