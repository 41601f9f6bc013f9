"""What one may ask of a loaded model."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tunesmith.domains.runtime.child import Child
from tunesmith.domains.runtime.errors import (
    AdapterRefused,
    ContextOverflow,
    EmbeddingOnly,
    EmbeddingsUnsupported,
    PromptRefused,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeOutOfMemory,
    RuntimeUnreachable,
)
from tunesmith.kit.errors import TunesmithError
from tunesmith.kit.http1 import Answer, TransportError
from tunesmith.wire.serving import (
    Answered,
    ChatBody,
    ChildHealth,
    CountBody,
    EmbedBody,
    GenerateBody,
    GenerateRequest,
    Generation,
    LogprobsBody,
    LogprobSequence,
    Message,
    PromptCount,
    RenderBody,
    RowScore,
    ScoreBody,
    ScoreRow,
    StreamChunk,
    TokenizeBody,
    Tools,
    unpack_arrays,
)

if TYPE_CHECKING:
    import numpy as np

_ERROR_EVENT = b'data: {"error":'
_REFUSALS: dict[str, type[TunesmithError]] = {
    "busy": RuntimeBusy,
    "context-overflow": ContextOverflow,
    "runtime-memory": RuntimeOutOfMemory,
    "runtime-failed": RuntimeFailed,
    "adapter-refused": AdapterRefused,
    "embedding-only": EmbeddingOnly,
    "embeddings-unsupported": EmbeddingsUnsupported,
    "unreachable": RuntimeUnreachable,
}


class RuntimeHandle:
    """A loaded model, for as long as the session lasts. ``adapter`` is the folder of the adapter that is on, if any."""

    def __init__(self, child: Child, *, adapter: str | None) -> None:
        self._child = child
        self._adapter = adapter

    async def health(self) -> ChildHealth:
        """What is loaded, and how busy it is."""
        return ChildHealth.model_validate_json((await self._call("GET", "/health")).content)

    async def end_token_ids(self) -> list[int]:
        """Tokens that the model's files name as the end of an answer; none where that is not known."""
        return (await self.health()).end_token_ids

    @property
    def context_length(self) -> int:
        """Longest prompt and answer together, in tokens."""
        return self._child.health.context_length if self._child.health else 0

    async def count_prompt(self, messages: Sequence[Message]) -> PromptCount:
        """How long the prompt of a conversation is."""
        answer = await self._post("/count", CountBody(messages=list(messages)))
        return PromptCount.model_validate_json(answer.content)

    async def render(self, messages: Sequence[Message], add_generation_prompt: bool = True, tools: Tools = None) -> str:
        """The prompt of a conversation, as the model reads it."""
        body = RenderBody(messages=list(messages), add_generation_prompt=add_generation_prompt, tools=tools)
        return str((await self._post("/render", body)).json()["prompt"])

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text; special tokens written out in it are recognised, none is added."""
        return list((await self._post("/tokenize", TokenizeBody(text=text))).json()["token_ids"])

    async def generate(self, requests: Sequence[GenerateRequest]) -> list[Generation]:
        """Continue many prompts; greedy and repeatable at temperature 0."""
        if not requests:
            return []
        body = GenerateBody(requests=list(requests), adapter=self._adapter)
        answer = (await self._post("/generate", body)).json()
        return [Generation.model_validate(made) for made in answer["generations"]]

    async def embed(self, inputs: Sequence[str | list[int]]) -> tuple[np.ndarray[Any, Any], int]:
        """Float32 vectors of length one (inputs × width), and how many tokens were read."""
        body = EmbedBody(inputs=list(inputs), adapter=self._adapter)
        vectors, tokens = unpack_arrays((await self._post("/embed", body)).content)
        return vectors, int(tokens.sum())

    async def score(self, rows: Sequence[ScoreRow]) -> list[RowScore]:
        """Teacher-forced loss of rows, summed over their trained tokens."""
        if not rows:
            return []
        answer = (await self._post("/score", ScoreBody(rows=list(rows), adapter=self._adapter))).json()
        return [RowScore.model_validate(row) for row in answer["rows"]]

    async def next_token_logprobs(
        self, sequences: Sequence[LogprobSequence], top: int | None = None
    ) -> list[np.ndarray[Any, Any]]:
        """For each sequence the float32 log-probabilities (positions × vocabulary) that predict its tokens from ``start`` on.

        With ``top`` there are two arrays for each sequence: int32 ids of the likeliest tokens, and their log-probabilities.
        """
        if not sequences:
            return []
        body = LogprobsBody(sequences=list(sequences), top=top, adapter=self._adapter)
        return unpack_arrays((await self._post("/logprobs", body)).content)

    async def answer(self, request: GenerateRequest) -> Answered:
        """Continue one prompt to its end, beside whatever else the model answers. Being cancelled frees the model's slot."""
        body = ChatBody(request=request, adapter=self._adapter)
        return Answered.model_validate_json((await self._post("/answer", body)).content)

    async def stream_chat(self, request: GenerateRequest) -> AsyncGenerator[StreamChunk]:
        """Continue one prompt, piece by piece; the last chunk has ``finish_reason`` and the counts.

        Closing it frees the model's slot.
        """
        async with contextlib.aclosing(self.stream_batches(request)) as batches:
            async for batch in batches:
                for chunk in batch:
                    yield chunk

    async def stream_batches(self, request: GenerateRequest) -> AsyncGenerator[list[StreamChunk]]:
        """The same, as many chunks at once as have come since the last time: who is slow has fewer turns to take."""
        body = _json(ChatBody(request=request, adapter=self._adapter))
        finished, rest = False, b""
        try:
            async with self._child.origin.stream("POST", "/chat", body) as answer:
                if answer.status != 200:
                    raise _refused(answer.status, await answer.read())
                async for block in answer.blocks():
                    *events, rest = (rest + block).split(b"\n\n")
                    batch: list[StreamChunk] = []
                    for event in events:
                        if event.startswith(_ERROR_EVENT):
                            if batch:
                                yield batch
                            error = json.loads(event[6:])["error"]
                            raise _error(error["code"], error["message"], 500)
                        batch.append(StreamChunk.model_validate_json(event[6:]))
                    if batch:
                        finished = finished or batch[-1].finish_reason is not None
                        yield batch
        except TransportError as error:
            raise await self._child.explain(error) from error
        if not finished:
            raise await self._child.explain(TransportError("the stream ended early"))

    async def _post(self, path: str, body: BaseModel) -> Answer:
        return await self._call("POST", path, _json(body))

    async def _call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        try:
            answer = await self._child.origin.request(method, path, body)
        except TransportError as error:
            raise await self._child.explain(error) from error
        if answer.status != 200:
            raise _refused(answer.status, answer.content)
        return answer


def _json(body: BaseModel) -> bytes:
    return body.model_dump_json(exclude_none=True).encode()


def _refused(status: int, content: bytes) -> TunesmithError:
    try:
        document = json.loads(content)
        return _error(str(document["code"]), str(document["message"]), status)
    except (ValueError, KeyError, TypeError):
        return RuntimeFailed(f"The model answered {status} without saying why.")


def _error(code: str, message: str, status: int) -> TunesmithError:
    return _REFUSALS.get(code, PromptRefused if status < 500 else RuntimeFailed)(message)
