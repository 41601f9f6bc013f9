"""Answer for a model that runs elsewhere, behind any address that speaks OpenAI's API: ``python -m tunesmith.ml.serve_remote <folder>``.

With a ``launch`` command (vLLM, TGI) the program behind the address is started here first and ends with this process. A model
elsewhere has its own template and tokenizer, so prompts are estimated, unless the address can count them (vLLM).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil

from tunesmith.kit.http1 import Origin, StreamedAnswer, TransportError
from tunesmith.kit.side_by_side import side_by_side
from tunesmith.ml.serve_http import Engine, Refused, answer, leave_with_parent, read_spec
from tunesmith.wire.serving import (
    REMOTE_KEY,
    Answered,
    ChildHealth,
    FinishReason,
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

DEFAULT_CONTEXT = 8192
BYTES_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 8
SLOTS = 64
EMBEDDED_AT_ONCE = 16
SILENT_SECONDS = 3600.0
THINKING, THOUGHT = "<think>", "</think>"
LAUNCH_SECONDS = 1800.0
POLL_SECONDS = 0.5


class RemoteFailed(Exception):
    """The address cannot be used; the sentence says why."""


class RemoteEngine(Engine):
    """A model behind an address."""

    def __init__(self, backend: str, address: str, model: str | None, key: str | None) -> None:
        self._backend = backend
        self._url = address.rstrip("/")
        self._root = urlsplit(self._url).path
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._origin = Origin(
            self._url,
            headers=headers,
            read_seconds=SILENT_SECONDS,
            tls=httpx.create_ssl_context(trust_env=False) if self._url.startswith("https:") else None,
        )
        self._model, self._context_length = _described(self._url, headers, model)
        self._active = 0
        self._counts = backend == "vllm"

    def health(self) -> ChildHealth:
        """What answers, and how much this process has asked of it."""
        return ChildHealth(
            backend=self._backend,
            device="remote",
            dtype="remote",
            vocab_size=0,
            context_length=self._context_length,
            active=self._active,
            waiting=0,
            memory_bytes=psutil.Process().memory_info().rss,
        )

    async def render(self, messages: list[Message], add_generation_prompt: bool, tools: Tools = None) -> str:
        """Refused: the prompt is made where the model is."""
        raise Refused("remote-unsupported", f"{self._model} renders its prompts itself, where it runs.")

    async def count(self, messages: list[Message]) -> PromptCount:
        """Exact where the address counts (vLLM), else a cautious estimate."""
        if self._counts:
            try:
                path = f"{self._root.removesuffix('/v1')}/tokenize"
                made = await self._origin.request("POST", path, _json({"model": self._model, "messages": messages}))
                if made.status == 200:
                    return PromptCount(prompt_tokens=int(made.json()["count"]))
                self._counts = made.status not in (404, 405)  # an older server: estimated like any other
            except TransportError:
                pass  # away for a moment: estimated this once
            except (ValueError, KeyError, TypeError):
                self._counts = False
        estimate = sum(
            TOKENS_PER_MESSAGE + math.ceil(len(str(m.get("content", "")).encode()) / BYTES_PER_TOKEN) for m in messages
        )
        return PromptCount(prompt_tokens=estimate, is_exact=False)

    async def tokenize(self, text: str) -> list[int]:
        """Refused: the tokenizer is where the model is."""
        raise Refused("remote-unsupported", f"The tokenizer of {self._model} is where it runs.")

    async def generate(self, requests: list[GenerateRequest], adapter: str | None) -> list[Generation]:
        """Continue many prompts at once; the address batches them as it likes."""
        return list(await asyncio.gather(*(self._whole(request) for request in requests)))

    async def stream(self, request: GenerateRequest, adapter: str | None) -> AsyncGenerator[StreamChunk]:
        """Continue one prompt, piece by piece."""
        path, body = self._asked(request)
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        with self._slot():
            async with self._origin.stream("POST", path, _json(body)) as response:
                if response.status != 200:
                    raise _refused(response.status, await response.read())
                yield StreamChunk()
                async with contextlib.aclosing(_pieces(response)) as pieces:
                    async for chunk in pieces:
                        yield chunk

    async def whole(self, request: GenerateRequest, adapter: str | None) -> Answered:
        """Continue one prompt; the address sends the answer in one piece."""
        path, body = self._asked(request)
        with self._slot():
            response = await self._origin.request("POST", path, _json(body))
        if response.status != 200:
            raise _refused(response.status, response.content)
        return _read(response.content)

    async def embed(self, inputs: list[str | list[int]], adapter: str | None) -> tuple[np.ndarray[Any, Any], list[int]]:
        """As the address gives them, one question for each input, so that its tokens are known; a few at a time."""
        found = await side_by_side(self._embedded, inputs, EMBEDDED_AT_ONCE)
        vectors = np.array([vector for vector, _ in found], np.float32)
        return vectors, [tokens for _, tokens in found]

    async def _embedded(self, one: str | list[int]) -> tuple[list[float], int]:
        body = {"model": self._model, "input": one, "encoding_format": "float"}
        with self._slot():
            response = await self._origin.request("POST", f"{self._root}/embeddings", _json(body))
        if response.status != 200:
            raise _refused(response.status, response.content)
        document = _document(response.content)
        try:
            usage = document.get("usage") or {}
            return [float(x) for x in document["data"][0]["embedding"]], int(usage.get("prompt_tokens") or 0)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Refused("runtime-failed", "The remote model's answer has not OpenAI's shape.", 500) from error

    async def score(self, rows: list[ScoreRow], adapter: str | None) -> list[RowScore]:
        """Refused: the losses of a model elsewhere cannot be read."""
        raise Refused("remote-unsupported", "A remote model answers; it gives no losses. Evaluate it where it runs.")

    async def logprobs(
        self, sequences: list[LogprobSequence], top: int | None, adapter: str | None
    ) -> list[np.ndarray[Any, Any]]:
        """Refused, for the same reason."""
        raise Refused("remote-unsupported", "A remote model answers; it gives no distributions.")

    async def _whole(self, request: GenerateRequest) -> Generation:
        made = await self.whole(request, None)
        return Generation(
            text=made.text, token_ids=[], finish_reason=made.finish_reason, prompt_tokens=made.prompt_tokens
        )

    @contextlib.contextmanager
    def _slot(self) -> Iterator[None]:
        if self._active >= SLOTS:
            raise Refused("busy", f"{SLOTS} requests run at {self._model} already.", 503)
        self._active += 1
        try:
            yield
        except TransportError as error:
            raise Refused("unreachable", f"{self._url} does not answer ({error}).", 503) from error
        finally:
            self._active -= 1

    def _asked(self, request: GenerateRequest) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": request.max_new_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
        }
        if request.seed is not None:
            body["seed"] = request.seed
        if request.logprobs is not None:
            raise Refused("remote-unsupported", "A remote model is asked without logprobs.")
        if request.stop:
            body["stop"] = request.stop
        if request.messages is not None:
            body |= {"messages": request.messages} | ({"tools": request.tools} if request.tools else {})
            return f"{self._root}/chat/completions", body
        if request.prompt is not None:
            return f"{self._root}/completions", body | {"prompt": request.prompt}
        raise Refused("remote-unsupported", "A remote model takes messages or text, not token ids.")


async def _pieces(response: StreamedAnswer) -> AsyncGenerator[StreamChunk]:
    """The stream of an OpenAI-compatible server; what it sends as reasoning is put between the tags that models use."""
    finish: FinishReason | None = None
    usage: dict[str, Any] = {}
    inside, pieces = False, 0
    async for line in response.lines():
        if not line.startswith(b"data:") or (text := line[5:].strip()) == b"[DONE]":
            continue
        document = _document(text)
        usage = document.get("usage") or usage
        for choice in document.get("choices") or []:
            delta = choice.get("delta") or {"content": choice.get("text")}
            thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
            said = delta.get("content") or ""
            out = ("" if inside or not thought else THINKING) + thought
            inside = inside or bool(thought)
            if said and inside:
                out, inside = f"{out}{THOUGHT}", False
            if out or said:
                pieces += 1
                yield StreamChunk(delta=out + said)
            if choice.get("finish_reason"):
                finish = _finish(choice["finish_reason"])
    if finish is None:
        raise Refused("runtime-failed", "The remote model broke its answer off.", 500)
    yield StreamChunk(
        finish_reason=finish,
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or pieces),
    )


def _read(content: bytes) -> Answered:
    """An answer that came in one piece."""
    document = _document(content)
    try:
        choice, usage = document["choices"][0], document.get("usage") or {}
        message = choice.get("message") or {"content": choice["text"]}
        thought = message.get("reasoning_content") or message.get("reasoning") or ""
        said = message.get("content") or ""
        return Answered(
            text=f"{THINKING}{thought}{THOUGHT}{said}" if thought else said,
            finish_reason=_finish(choice.get("finish_reason")),
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise Refused("runtime-failed", "The remote model's answer has not OpenAI's shape.", 500) from error


def _document(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Refused("runtime-failed", "The remote model's answer is not JSON.", 500) from error
    if not isinstance(document, dict):
        raise Refused("runtime-failed", "The remote model's answer has not OpenAI's shape.", 500)
    if failure := document.get("error"):
        said = failure.get("message") if isinstance(failure, dict) else failure
        raise Refused("runtime-failed", f"The remote model failed: {str(said)[:500]}", 500)
    return document


def _finish(reason: Any) -> FinishReason:
    return "length" if reason == "length" else "stop"


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


def _refused(status: int, content: bytes) -> Refused:
    try:
        document = json.loads(content)
        error = document.get("error", document)
        said = str(error.get("message") if isinstance(error, dict) else error)[:500]
    except (ValueError, AttributeError):
        said = content.decode(errors="replace")[:300]
    if status in (401, 403):
        return Refused("unreachable", f"The remote address refuses the key: {said}", 503)
    if status in (429, 503):
        return Refused("busy", f"The remote model is busy: {said}", 503)
    if status == 400 and "context" in said.lower():
        return Refused("context-overflow", said)
    return Refused("remote", f"The remote model refuses this: {said}", 422 if status < 500 else 500)


def _described(url: str, headers: dict[str, str], wanted: str | None) -> tuple[str, int]:
    """Name and context length of the model behind the address; raises ``RemoteFailed``."""
    try:
        response = httpx.get(f"{url}/models", headers=headers, timeout=30, trust_env=False)
    except httpx.TransportError as error:
        raise RemoteFailed(f"Nothing answers at {url} ({type(error).__name__}).") from error
    if response.status_code in (401, 403):
        raise RemoteFailed(f"{url} refuses the key; set it in TUNESMITH_RUNTIME__REMOTE_KEYS.")
    try:
        listed = {str(entry["id"]): entry for entry in response.json()["data"]}
    except (ValueError, KeyError, TypeError):
        listed = {}
    if wanted is None and not listed:
        raise RemoteFailed(f"{url}/models lists no model; name one after the address, as in NAME={url}#MODEL.")
    if wanted is not None and listed and wanted not in listed:
        raise RemoteFailed(f"{url} has no model {wanted!r}; it has {', '.join(listed)[:300]}.")
    name = wanted or next(iter(listed))
    said = listed.get(name, {}).get("max_model_len")
    return name, int(said) if isinstance(said, int) and said > 0 else DEFAULT_CONTEXT


def _launch(command: list[str], health_path: str, started: list[subprocess.Popen[bytes]]) -> str:
    """Start the program on a free port, note it in ``started``, wait until it answers at the address that this answers.

    Raises ``RemoteFailed``.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    filled = [part.replace("{port}", str(port)) for part in command]
    process = subprocess.Popen(filled, stdin=subprocess.DEVNULL, start_new_session=True)
    started.append(process)
    deadline = time.monotonic() + LAUNCH_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RemoteFailed(f"{filled[0]} ended with code {process.returncode}.")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}{health_path}", timeout=5, trust_env=False).status_code == 200:
                return f"http://127.0.0.1:{port}/v1"
        time.sleep(POLL_SECONDS)
    raise RemoteFailed(f"{filled[0]} did not answer within {LAUNCH_SECONDS:g} seconds.")


def _end(started: list[subprocess.Popen[bytes]]) -> None:
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _engine(spec: ServeSpec, started: list[subprocess.Popen[bytes]]) -> RemoteEngine:
    address = _launch(spec.launch, "/health", started) if spec.launch else spec.address
    if address is None:
        raise RemoteFailed("The spec has neither an address nor a command.")
    return RemoteEngine(spec.backend, address, spec.remote_model, os.environ.get(REMOTE_KEY))


def main() -> int:
    """Find the model, then answer."""
    folder = Path(sys.argv[1])
    started: list[subprocess.Popen[bytes]] = []
    leave_with_parent(lambda: _end(started))  # from now on: a program may take minutes to answer
    try:
        answer(folder, _engine(read_spec(folder), started))
    except RemoteFailed as error:
        print(error, file=sys.stderr)  # noqa: T201  # the runtime shows what a child printed last
        return 1
    finally:
        _end(started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
