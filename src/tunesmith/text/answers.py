"""Where the answers stand in a rendered conversation whose template does not mark them.

The rule is the prefix difference: what the conversation shows up to and with an answer, less what it shows up to the answer's
prompt. Some templates write a turn otherwise once the conversation goes on (an end of text after the last turn only, thoughts
that are dropped from earlier turns); there the answer is found by putting a stand-in text in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.text.errors import ChatTemplateError, ChatTemplateLimit

Render = Callable[[Sequence[Mapping[str, Any]], bool], str]
"""Messages, and whether the prompt for an answer is added → text."""

_OPENED = re.compile(r"(<[^<>]*|\[[^\[\]]*)$")


class AnswerFinder:
    """Finds the answers of one conversation. ``turn_ends`` are the tokens that may close a turn."""

    def __init__(
        self, render: Render, messages: Sequence[Mapping[str, Any]], text: str, turn_ends: Sequence[str]
    ) -> None:
        self._render = render
        self._messages = messages
        self._text = text
        self._turn_ends = turn_ends

    def spans(self) -> list[tuple[int, int]]:
        """The range of each answer, end of turn included; raises ChatTemplateError when one cannot be told."""
        found: list[tuple[int, int]] = []
        for index, message in enumerate(self._messages):
            if message.get("role") == "assistant":
                found.append(self._span(index, found[-1][1] if found else 0))
        return found

    def _span(self, index: int, after: int) -> tuple[int, int]:
        before = self._try(self._messages[:index], True)
        through = self._try(self._messages[: index + 1], False)
        start = len(before) if before is not None and self._text.startswith(before) else None
        if start is not None and start >= after and through is not None and self._text.startswith(through):
            content = self._messages[index].get("content")
            content = content.strip() if isinstance(content, str) else ""
            if len(through) > start and self._text.find(content, start, len(through)) >= 0:
                return start, len(through)
        first, last, closing = self._place(index, after)
        if start is None or not after <= start <= first:
            start = first
        return start, last + self._closing_length(last, closing)

    def _place(self, index: int, after: int) -> tuple[int, int, str | None]:
        """The range of the answer's own text, and what closes the turn when nothing follows it (None: not known)."""
        stand_in = next(name for n in range(1_000_000) if (name := f"QXZ{n}ZXQ") not in self._text)
        replaced = {**self._messages[index], "content": stand_in}
        shown = self._try([*self._messages[:index], replaced, *self._messages[index + 1 :]], False) or ""
        first = shown.find(stand_in)
        rest = shown[first + len(stand_in) :]
        last = len(self._text) - len(rest)
        alike = first >= after and first < last and shown.count(stand_in) == 1
        if not alike or self._text[:first] != shown[:first] or not self._text.endswith(rest):
            raise ChatTemplateError(
                f"The chat template does not show the assistant's text of message {index + 1} in a place that can be told.",
                hint="Choose a model whose template has {% generation %} markers, or correct that message.",
            )
        alone = self._try([*self._messages[:index], replaced], False)
        if alone is None or alone.count(stand_in) != 1:
            return first, last, None
        return first, last, alone.partition(stand_in)[2]

    def _closing_length(self, end: int, closing: str | None) -> int:
        """How much of what follows the answer's text still belongs to its turn."""
        if closing is None:
            return next((len(token) for token in self._turn_ends if self._text.startswith(token, end)), 0)
        follows = self._text[end : end + len(closing)]
        alike = next((at for at, (a, b) in enumerate(zip(closing, follows, strict=False)) if a != b), len(follows))
        return alike if alike == len(closing) else len(_OPENED.sub("", closing[:alike]))

    def _try(self, messages: Sequence[Mapping[str, Any]], prompt: bool) -> str | None:
        """What the template shows; None when it refuses a part of a conversation, as some do."""
        try:
            return self._render(messages, prompt)
        except ChatTemplateLimit:
            raise
        except ChatTemplateError:
            return None
