"""Answers over HTTP: whole, or as server-sent events."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from tunesmith.domains.chat.answers import ChatAnswer, ChatEvent
from tunesmith.kit.errors import TunesmithError


async def events_of(first: ChatEvent, events: AsyncGenerator[ChatEvent]) -> AsyncGenerator[bytes]:
    """`event` is the type, `data` the event as JSON; what fails on the way is the last event, `error`."""
    async with contextlib.aclosing(events):
        yield _line(first)
        try:
            async for event in events:
                yield _line(event)
        except TunesmithError as error:
            yield _line(ChatEvent(type="error", error=error.problem()))


def answer_in(event: ChatEvent) -> ChatAnswer | None:
    """The whole answer, when this is the event that has it."""
    return event.answer


def _line(event: ChatEvent) -> bytes:
    return f"event: {event.type}\ndata: {event.model_dump_json(exclude_none=event.type != 'end')}\n\n".encode()
