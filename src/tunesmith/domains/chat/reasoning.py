"""What a model thinks aloud before it answers (``<think>…</think>``), told apart from the answer while both grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"))
_LONGEST_OPENING = max(len(opening) for opening, _ in TAGS)


class Piece(NamedTuple):
    """Text that became certain; ``is_reasoning`` says which of the two it belongs to."""

    text: str
    is_reasoning: bool


@dataclass
class ReasoningSplitter:
    """Give it an answer in pieces of any cut. ``begins_inside``: the prompt has opened the block already."""

    begins_inside: bool = False
    _closing: str | None = None
    _decided: bool = False
    _fresh: bool = True
    _held: str = field(default="")

    def __post_init__(self) -> None:
        if self.begins_inside:
            self._closing, self._decided = TAGS[0][1], True

    def push(self, text: str) -> list[Piece]:
        """What is certain after this piece."""
        self._held += text
        return self._release(is_last=False)

    def finish(self) -> list[Piece]:
        """What was held back, when no more comes."""
        return self._release(is_last=True)

    def _release(self, *, is_last: bool) -> list[Piece]:
        pieces: list[Piece] = []
        if not self._decided:
            self._decide(is_last)
        if not self._decided:
            return []
        if self._closing is not None:
            at = self._held.find(self._closing)
            if at < 0:
                cut = len(self._held) if is_last else len(self._held) - _overlap(self._held, self._closing)
                self._take(pieces, cut, is_reasoning=True)
                return pieces
            self._take(pieces, at, is_reasoning=True)
            self._held = self._held[len(self._closing) :]
            self._closing, self._fresh = None, True
        self._take(pieces, len(self._held), is_reasoning=False)
        return pieces

    def _decide(self, is_last: bool) -> None:
        """Whether the answer begins with a block; only its very beginning can."""
        begun = self._held.lstrip()
        for opening, closing in TAGS:
            if begun.startswith(opening):
                self._closing, self._decided = closing, True
                self._held = begun[len(opening) :]
                return
        if is_last or (begun and not any(opening.startswith(begun[:_LONGEST_OPENING]) for opening, _ in TAGS)):
            self._decided, self._fresh = True, False  # an answer without a block keeps its own first line break

    def _take(self, pieces: list[Piece], length: int, *, is_reasoning: bool) -> None:
        text, self._held = self._held[:length], self._held[length:]
        if self._fresh:
            text = text.lstrip()  # line breaks around the tags belong to neither
        if text:
            self._fresh = False
            pieces.append(Piece(text, is_reasoning))


def _overlap(text: str, tag: str) -> int:
    return next((n for n in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:n])), 0)
