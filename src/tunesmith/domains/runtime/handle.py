"""What one may ask of a loaded model."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import BaseModel

from tunesmith.domains.runtime.child import Child
from tunesmith.domains.runtime.errors import (
    AdapterRefused,
    ContextOverflow,
    PromptRefused,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeOutOfMemory,
    RuntimeUnreachable,
)
from tunesmith.kit.errors import TunesmithError
from tunesmith.wire.serving import (
    ChatBody,
    ChildHealth,
    CountBody,
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
    unpack_arrays,
)

if TYPE_CHECKING:
    import numpy as np

_REFUSALS: dict[str, type[TunesmithError]] = {
    "busy": RuntimeBusy,
    "context-overflow": ContextOverflow,
    "runtime-memory": RuntimeOutOfMemory,
    "runtime-failed": RuntimeFailed,
    "adapter-refused": AdapterRefused,
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

    @property
    def context_length(self) -> int:
        """Longest prompt and answer together, in tokens."""
        return self._child.health.context_length if self._child.health else 0

    async def count_prompt(self, messages: Sequence[Message]) -> PromptCount:
        """How long the prompt of a conversation is."""
        answer = await self._post("/count", CountBody(messages=list(messages)))
        return PromptCount.model_validate_json(answer.content)

    async def render(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
        """The prompt of a conversation, as the model reads it."""
        body = RenderBody(messages=list(messages), add_generation_prompt=add_generation_prompt)
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

    async def stream_chat(self, request: GenerateRequest) -> AsyncGenerator[StreamChunk]:
        """Continue one prompt, piece by piece; the last chunk has ``finish_reason`` and the counts.

        Closing it frees the model's slot.
        """
        body = ChatBody(request=request, adapter=self._adapter)
        finished = False
        try:
            async with self._child.client.stream("POST", "/chat", **_json(body)) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise _refused(answer.status_code, answer.content)
                async with contextlib.aclosing(answer.aiter_lines()) as lines:  # type: ignore[type-var]
                    async for line in lines:
                        if line.startswith("data: "):
                            chunk = _chunk(line[6:])
                            finished = finished or chunk.finish_reason is not None
                            yield chunk
        except httpx.TransportError as error:
            raise await self._child.explain(error) from error
        if not finished:
            raise await self._child.explain(httpx.ReadError("the stream ended early"))

    async def _post(self, path: str, body: BaseModel) -> httpx.Response:
        return await self._call("POST", path, **_json(body))

    async def _call(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            answer = await self._child.client.request(method, path, **content)
        except httpx.TransportError as error:
            raise await self._child.explain(error) from error
        if answer.status_code != 200:
            raise _refused(answer.status_code, answer.content)
        return answer


def _json(body: BaseModel) -> dict[str, Any]:
    return {"content": body.model_dump_json(exclude_none=True), "headers": {"content-type": "application/json"}}


def _chunk(text: str) -> StreamChunk:
    document = json.loads(text)
    if error := document.get("error"):
        raise _error(error["code"], error["message"], 500)
    return StreamChunk.model_validate(document)


def _refused(status: int, content: bytes) -> TunesmithError:
    try:
        document = json.loads(content)
        return _error(str(document["code"]), str(document["message"]), status)
    except (ValueError, KeyError, TypeError):
        return RuntimeFailed(f"The model answered {status} without saying why.")


def _error(code: str, message: str, status: int) -> TunesmithError:
    return _REFUSALS.get(code, PromptRefused if status < 500 else RuntimeFailed)(message)
