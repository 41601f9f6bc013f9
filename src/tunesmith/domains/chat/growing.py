"""An answer while it grows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tunesmith.domains.chat.answers import ChatEvent
from tunesmith.domains.chat.reasoning import ReasoningSplitter
from tunesmith.domains.runtime import StreamChunk


@dataclass
class Writing:
    """What has come so far, the reasoning apart from the answer."""

    splitter: ReasoningSplitter
    started: float = field(default_factory=time.monotonic)
    text: str = ""
    reasoning: str = ""
    last: StreamChunk = field(default_factory=StreamChunk)
    kept_at: float = field(default_factory=time.monotonic)

    def take(self, chunk: StreamChunk) -> list[ChatEvent]:
        """Add a piece; answers what may be shown of it."""
        pieces = self.splitter.push(chunk.delta.replace("\x00", "\N{REPLACEMENT CHARACTER}"))  # no database keeps it
        if chunk.finish_reason is not None:
            pieces += self.splitter.finish()
            self.last = chunk
        events = []
        for piece in pieces:
            if piece.is_reasoning:
                self.reasoning += piece.text
            else:
                self.text += piece.text
            events.append(ChatEvent(type="reasoning" if piece.is_reasoning else "delta", text=piece.text))
        return events

    @property
    def seconds(self) -> float:
        """Time since it began."""
        return time.monotonic() - self.started
