"""Load one GGUF file and answer over HTTP on loopback: ``python -m tunesmith.ml.serve_llamacpp <folder with spec.json>``.

llama.cpp's own server runs inside this process, on a port and a key of its own; tokenizer and chat template are the file's, so what
is compared with the source model is what a user of the file gets.

Teacher-forced distributions: llama.cpp reports them only for a token that it has just chosen. So every position is one call with the
tokens before it as the prompt, which costs one evaluated token each, because the server keeps what it has read of the same prefix
(1.5 ms a call for a small model). The reported numbers come from the raw logits. The token that is chosen does not matter, so it is
forced to a plain letter: llama.cpp holds back the numbers of a token that is a part of a character.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import xllamacpp

from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.http1 import Origin
from tunesmith.kit.machine import processor_count
from tunesmith.ml.gguf_file import check_structure
from tunesmith.ml.serve_http import Engine, Refused, answer, leave_with_parent, read_spec
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
from tunesmith.wire.spec import ServeSpec

SLOTS = 4
MAX_WAITING = 64
LARGEST_CONTEXT = 4096
ONE_THREAD_BYTES = 256 * 2**20
"""Below this size the threads of llama.cpp wait for each other longer than they compute."""
LEAST_LOGPROB = -104.0
"""The smallest number in float32 has this logarithm; llama.cpp reports less as the lowest float there is."""
IGNORED = -100


class LlamaCppEngine(Engine):
    """A GGUF file in llama.cpp."""

    def __init__(self, spec: ServeSpec) -> None:
        path = Path(spec.model_path)
        values = check_structure(path).values  # a file that is cut short would take the process with it
        architecture = values.get("general.architecture")
        trained = values.get(f"{architecture}.context_length")
        self._context_length = min(int(trained) if isinstance(trained, int) else LARGEST_CONTEXT, LARGEST_CONTEXT)
        count = values.get("tokenizer.ggml.tokens")
        self._vocab_size = int(count) if isinstance(count, int) else 0
        self._tensor_type = str(values.get("general.file_type", "gguf"))
        end = values.get("tokenizer.ggml.eos_token_id")
        self._named_ends = [end] if isinstance(end, int) else []
        bos = values.get("tokenizer.ggml.bos_token_id")
        adds = values.get("tokenizer.ggml.add_bos_token") is True
        self._added_bos = bos if adds and isinstance(bos, int) else None
        self._taken_bos = self._added_bos if "bos_token" in str(values.get("tokenizer.chat_template")) else None
        """Where the server takes it from what the template renders, to put it back itself: here prompts are read as they are."""
        key = secrets.token_urlsafe(24)
        self._server = xllamacpp.Server(
            self._parameters(path, spec.device, key, pools=f"{architecture}.pooling_type" in values)
        )
        # a connection each: an idle one would keep a thread of the server from others
        self._origin = Origin(
            self._server.listening_address,
            headers={"authorization": f"Bearer {key}", "connection": "close"},
            read_seconds=3600.0,
            kept=0,
        )
        self._slots = asyncio.Semaphore(SLOTS)
        self._embedding = asyncio.Lock()
        self._active = 0
        self._waiting = 0
        self._plain_token: int | None = None

    def _parameters(self, path: Path, device: str, key: str, *, pools: bool) -> Any:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.api_keys = [key]
        parameters.n_parallel = SLOTS
        parameters.n_ctx = self._context_length * SLOTS
        parameters.use_jinja = True
        parameters.prefill_assistant = False  # an answer at the end of a conversation is an answer, not a beginning
        parameters.warmup = False
        parameters.ui = False
        parameters.verbosity = 1
        parameters.embedding = True  # besides answering
        if not pools:
            parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        if device == "cpu":
            parameters.n_gpu_layers = 0
        threads = 1 if path.stat().st_size < ONE_THREAD_BYTES else _threads()
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        return parameters

    def health(self) -> ChildHealth:
        """What is loaded, and how busy it is."""
        return ChildHealth(
            backend="llamacpp",
            device=_device(),
            dtype=self._tensor_type,
            vocab_size=self._vocab_size,
            context_length=self._context_length,
            active=self._active,
            waiting=self._waiting,
            memory_bytes=psutil.Process().memory_info().rss,
            end_token_ids=self._named_ends,
        )

    async def render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        """The prompt, by the file's own template in llama.cpp."""
        body: dict[str, Any] = {"messages": messages, "add_generation_prompt": add_generation_prompt}
        if tools:
            body["tools"] = tools
        prompt = str((await self._post("/apply-template", body))["prompt"])
        if self._taken_bos is None:
            return prompt
        beginning = str((await self._post("/detokenize", {"tokens": [self._taken_bos]}))["content"])
        return beginning + prompt

    async def count(self, messages: list[Message]) -> PromptCount:
        """The prompt's tokens, by the file's own template and tokenizer."""
        prompt = await self.render(messages, True)
        return PromptCount.of(prompt, len(await self.tokenize(prompt)))

    async def tokenize(self, text: str) -> list[int]:
        """Token ids, by the file's own tokenizer."""
        body = {"content": text, "add_special": False, "parse_special": True}
        return [int(i) for i in (await self._post("/tokenize", body))["tokens"]]

    async def generate(self, requests: list[GenerateRequest], adapter: str | None) -> list[Generation]:
        """Continue many prompts, as many at once as there are slots."""
        prompts = [await self._prompt(request) for request in requests]
        return list(await asyncio.gather(*(self._complete(ids, r) for ids, r in zip(prompts, requests, strict=True))))

    async def stream(self, request: GenerateRequest, adapter: str | None) -> AsyncGenerator[StreamChunk]:
        """Continue one prompt, piece by piece; llama.cpp never cuts a character."""
        if self._waiting >= MAX_WAITING:
            raise Refused("busy", f"{MAX_WAITING} requests wait for this model already.", 503)
        ids = await self._prompt(request)
        body = {**self._completion(ids, request), "stream": True}
        async with self._slot(), self._origin.stream("POST", "/completion", json.dumps(body).encode()) as response:
            if response.status != 200:
                raise _refused(response.status, await response.read())
            yield StreamChunk(prompt_tokens=len(ids))
            last: dict[str, Any] = {}
            async for line in response.lines():
                if line.startswith(b"data: "):
                    last = json.loads(line[6:])
                    if last.get("content"):
                        yield StreamChunk(delta=last["content"], logprobs=_told(last, request.logprobs or 0))
                elif line.startswith(b"error: "):
                    raise Refused("runtime-failed", line[7:500].decode(errors="replace"), 500)
            yield StreamChunk(
                finish_reason="length" if last.get("stop_type") == "limit" else "stop",
                prompt_tokens=len(ids),
                completion_tokens=int(last.get("tokens_predicted", 0)),
            )

    async def embed(self, inputs: list[str | list[int]], adapter: str | None) -> tuple[np.ndarray[Any, Any], list[int]]:
        """Vectors of length one, pooled as the file says, or by their mean."""
        rows = [await self.tokenize(one) if isinstance(one, str) else one for one in inputs]
        for row in rows:
            self._check_ids(row)
            if len(row) > self._context_length:
                raise Refused(
                    "context-overflow",
                    f"An input has {len(row)} tokens; this model reads at most {self._context_length}.",
                )
        made = []
        for row in rows:
            async with self._embedding, self._slot():  # llama.cpp mixes the means of inputs that it reads together
                made.append(await self._post("/v1/embeddings", {"input": row}))
        vectors = np.array([one["data"][0]["embedding"] for one in made], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [len(row) for row in rows]

    async def score(self, rows: list[ScoreRow], adapter: str | None) -> list[RowScore]:
        """Loss of rows given by ids and labels, from whole distributions: exact, and one call a trained token."""
        scores = []
        for row in rows:
            ids, labels = await self._labelled(row)
            wanted = [at for at in range(1, len(ids)) if labels[at] != IGNORED]
            found = await asyncio.gather(*(self._distribution(ids[:at], self._vocab_size) for at in wanted))
            lost = -sum(
                float(values[tokens == labels[at]][0]) for at, (tokens, values) in zip(wanted, found, strict=True)
            )
            scores.append(RowScore(loss_sum=lost, trained_tokens=len(wanted), tokens=len(ids)))
        return scores

    async def logprobs(
        self, sequences: list[LogprobSequence], top: int | None, adapter: str | None
    ) -> list[np.ndarray[Any, Any]]:
        """Distributions position by position; sequences run beside each other, each on its own prefix."""
        for sequence in sequences:
            self._check_ids(sequence.token_ids)
        per_sequence = await asyncio.gather(*(self._positions(sequence, top) for sequence in sequences))
        return [array for arrays in per_sequence for array in arrays]

    async def _positions(self, sequence: LogprobSequence, top: int | None) -> list[np.ndarray[Any, Any]]:
        ids = sequence.token_ids
        rows = []
        for at in range(sequence.start, len(ids)):
            rows.append(await self._distribution(ids[:at], min(top or self._vocab_size, self._vocab_size)))
        if top is not None:
            return [np.stack([tokens for tokens, _ in rows]), np.stack([values for _, values in rows])]
        whole = np.full((len(rows), self._vocab_size), LEAST_LOGPROB, np.float32)
        for at, (tokens, values) in enumerate(rows):
            whole[at, tokens] = values
        return [whole]

    async def _distribution(self, before: list[int], count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Ids and log-probabilities of the ``count`` likeliest tokens after ``before``, likeliest first."""
        if self._plain_token is None:
            self._plain_token = (await self.tokenize("a"))[-1]
        body = {
            "prompt": before,
            "n_predict": 1,
            "n_probs": count,
            "temperature": 0.0,
            "cache_prompt": True,
            "logit_bias": [[self._plain_token, 1e6]],
        }
        async with self._slot():
            made = await self._post("/completion", body)
        listed = made["completion_probabilities"][0]["top_logprobs"]
        tokens = np.array([entry["id"] for entry in listed], np.int32)
        values = np.array([max(entry["logprob"], LEAST_LOGPROB) for entry in listed], np.float32)
        return tokens, values

    async def _labelled(self, row: ScoreRow) -> tuple[list[int], list[int]]:
        if row.input_ids is not None and row.labels is not None:
            self._check_ids(row.input_ids)
            return row.input_ids, row.labels
        messages = row.messages or []
        ids = await self.tokenize(await self.render(messages, False, row.tools))
        labels = [IGNORED] * len(ids)
        for at, message in enumerate(messages):
            if message.get("role") == "assistant":
                start = len(await self.tokenize(await self.render(messages[:at], True, row.tools)))
                through = await self.render(messages[: at + 1], False, row.tools)
                end = len(await self.tokenize(through.rstrip()))
                labels[start:end] = ids[start:end]
        return ids, labels

    async def _prompt(self, request: GenerateRequest) -> list[int]:
        if request.token_ids is not None:
            ids = request.token_ids
        elif request.messages is not None:
            ids = await self.tokenize(await self.render(request.messages, True, request.tools))
        else:
            ids = await self.tokenize(request.prompt or "")
            if request.is_whole and self._added_bos is not None and ids[:1] != [self._added_bos]:
                ids = [self._added_bos, *ids]
        self._check_ids(ids)
        if len(ids) >= self._context_length:
            raise Refused(
                "context-overflow",
                f"The prompt has {len(ids)} tokens; this model reads at most {self._context_length}, answer included.",
            )
        return ids

    def _check_ids(self, ids: list[int]) -> None:
        if not ids:
            raise Refused("empty-prompt", "The prompt has no tokens.")
        if min(ids) < 0 or max(ids) >= self._vocab_size:
            raise Refused("token-id", f"Token ids of this model are 0 to {self._vocab_size - 1}.")

    def _completion(self, ids: list[int], request: GenerateRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "prompt": ids,
            "n_predict": min(request.max_new_tokens, self._context_length - len(ids)),
            "temperature": request.temperature,
            "samplers": ["temperature", "top_p"],  # none of llama.cpp's own defaults
            "top_p": request.top_p,
            "stop": [stop for stop in request.stop if stop],
            "return_tokens": True,
            "cache_prompt": True,
        }
        if request.logprobs is not None:
            body["n_probs"] = max(1, request.logprobs)
        if request.seed is not None:
            body["seed"] = request.seed % (2**32 - 1)  # llama.cpp draws a seed of its own for the highest
        return body

    async def _complete(self, ids: list[int], request: GenerateRequest) -> Generation:
        async with self._slot():
            made = await self._post("/completion", self._completion(ids, request))
        tokens = [int(token) for token in made["tokens"]]
        ended = made["stop_type"] == "eos"
        return Generation(
            text=made["content"],
            token_ids=tokens[:-1] if ended else tokens,
            stop_token_id=tokens[-1] if ended and tokens else None,
            finish_reason="length" if made["stop_type"] == "limit" else "stop",
            prompt_tokens=len(ids),
        )

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        self._active += 1
        try:
            yield
        finally:
            self._active -= 1
            self._slots.release()

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = await self._origin.request("POST", path, json.dumps(body).encode())
        if response.status != 200:
            raise _refused(response.status, response.content)
        return response.json()


def _told(piece: dict[str, Any], most: int) -> list[TokenLogprob]:
    """What llama.cpp says of the tokens of a piece, with at most so many others in the place of each."""

    def named(entry: dict[str, Any], top: list[TokenLogprob]) -> TokenLogprob:
        return TokenLogprob(
            token=str(entry["token"]),
            logprob=max(float(entry["logprob"]), LEAST_LOGPROB),
            token_bytes=entry.get("bytes"),
            top=top,
        )

    listed = piece.get("completion_probabilities") or []
    return [named(entry, [named(other, []) for other in (entry.get("top_logprobs") or [])[:most]]) for entry in listed]


def _refused(status: int, content: bytes) -> Refused:
    try:
        message = str(json.loads(content)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = content.decode(errors="replace")[:300]
    return Refused("llamacpp", f"llama.cpp refuses this: {message}", 422 if status < 500 else 500)


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS") or min(psutil.cpu_count(logical=False) or 1, processor_count()))


def _device() -> str:
    kinds = {str(device["name"]).lower() for device in xllamacpp.get_device_info()}
    if any(kind.startswith("cuda") for kind in kinds):
        return "cuda"
    return "mps" if any(kind.startswith("metal") for kind in kinds) else "cpu"


def main() -> int:
    """Load, then answer."""
    folder = Path(sys.argv[1])
    leave_with_parent()
    try:
        engine = LlamaCppEngine(read_spec(folder))
    except TunesmithError as error:
        print(error.message, file=sys.stderr, flush=True)  # noqa: T201  # the runtime shows what a child printed last
        os._exit(1)  # the thread that watches stdin would turn an orderly exit into a crash
    answer(folder, engine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
