"""OpenAI's streams: one server-sent event a chunk. What all events of a stream share is written once, not for every token."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.domains.runtime import Answered, StreamChunk
from tunesmith.domains.serving.logprobs import chat_logprobs, text_logprobs
from tunesmith.domains.serving.schemas import Usage
from tunesmith.kit.errors import TunesmithError

CHAT, TEXT = "chat.completion.chunk", "text_completion"
DONE = b"data: [DONE]\n\n"
Batches = AsyncGenerator[list[StreamChunk]]


@dataclass(frozen=True)
class Head:
    """What every part of one answer begins with."""

    id: str
    created: int
    model: str

    @property
    def fields(self) -> dict[str, Any]:
        """As fields of a document."""
        return {"id": self.id, "created": self.created, "model": self.model}

    def beginning(self, kind: str, **more: Any) -> str:
        """An event up to its choices."""
        return f"data: {_text({**self.fields, 'object': kind, **more})[:-1]}, "


async def chat_events(
    first: list[StreamChunk], batches: Batches, head: Head, with_usage: bool
) -> AsyncGenerator[bytes]:
    """The events of a chat completion: the role first, then text, then how it ended."""
    beginning = head.beginning(CHAT, **_no_counts(with_usage))

    def event(delta: str, chunk: StreamChunk, finish_reason: str | None = None) -> str:
        told = _text(chat_logprobs(chunk.logprobs)) if chunk.logprobs else "null"
        reason = _text(finish_reason)
        return f'{beginning}"choices": [{{"index": 0, "delta": {delta}, "finish_reason": {reason}, "logprobs": {told}}}]}}\n\n'

    def events(batch: list[StreamChunk]) -> bytes:
        growing = [chunk for chunk in batch if chunk.delta or chunk.logprobs]
        return "".join(event(f'{{"content": {_text(chunk.delta)}}}', chunk) for chunk in growing).encode()

    opening = event(f'{{"role": "assistant", "content": {_text(first[0].delta)}}}', first[0])
    yield opening.encode() + events(first[1:])
    last = first[-1]
    async with contextlib.aclosing(batches):
        try:
            async for batch in batches:
                last = batch[-1]
                if grown := events(batch):
                    yield grown
        except TunesmithError as error:
            yield _failed(error)
            return
    yield event("{}", StreamChunk(), last.finish_reason).encode() + _ending(head, CHAT, last, with_usage)


async def text_events(
    first: list[StreamChunk], batches: Batches, head: Head, with_usage: bool
) -> AsyncGenerator[bytes]:
    """The events of a text completion; the offsets of told tokens count characters from the answer's beginning."""
    beginning = head.beginning(TEXT, **_no_counts(with_usage))
    offset = 0

    def event(chunk: StreamChunk) -> str:
        nonlocal offset
        told = text_logprobs(chunk.logprobs, offset) if chunk.logprobs else None
        choice = {"index": 0, "text": chunk.delta, "finish_reason": chunk.finish_reason, "logprobs": told}
        offset += len(chunk.delta)
        return f'{beginning}"choices": [{_text(choice)}]}}\n\n'

    def events(batch: list[StreamChunk]) -> bytes:
        shown = [chunk for chunk in batch if chunk.delta or chunk.logprobs or chunk.finish_reason]
        return "".join(event(chunk) for chunk in shown).encode()

    last = first[-1]
    async with contextlib.aclosing(batches):
        if begun := events(first):
            yield begun
        try:
            async for batch in batches:
                last = batch[-1]
                yield events(batch)
        except TunesmithError as error:
            yield _failed(error)
            return
    yield _ending(head, TEXT, last, with_usage)


def usage_of(ends: Sequence[StreamChunk | Answered], many: int = 1) -> Usage:
    """The tokens of answers that have ended; a prompt that was answered ``many`` times counts once."""
    read, wrote = sum(end.prompt_tokens for end in ends) // many, sum(end.completion_tokens for end in ends)
    return Usage(prompt_tokens=read, completion_tokens=wrote, total_tokens=read + wrote)


def _no_counts(with_usage: bool) -> dict[str, Any]:
    """Who asks for the counts gets the field in every event, empty until the last one."""
    return {"usage": None} if with_usage else {}


def _ending(head: Head, kind: str, last: StreamChunk, with_usage: bool) -> bytes:
    if not with_usage:
        return DONE
    counted = head.beginning(kind, usage=usage_of([last]).model_dump())
    return f'{counted}"choices": []}}\n\n'.encode() + DONE


def _failed(error: TunesmithError) -> bytes:
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    told = {"message": f"{error.message} {error.hint}", "type": kind, "code": error.code, "param": None}
    return f"data: {_text({'error': told})}\n\n".encode()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
