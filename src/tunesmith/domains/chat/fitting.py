"""Fit a conversation to the model's context: the oldest exchanges go first and whole, the system prompt never."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.domains.chat.answers import ContextUse
from tunesmith.domains.chat.branches import Exchange
from tunesmith.domains.chat.errors import MessageTooLong
from tunesmith.domains.runtime import PromptCount, PromptRefused, RuntimeHandle

SHARE_FOR_ANSWER = 4
"""Room is kept for the longest answer, but for no more than this part of the context."""
SUMMARY_HEADING = "Summary of the earlier conversation:"


@dataclass(frozen=True)
class Fitted:
    """What the model reads."""

    messages: list[dict[str, str]]
    count: PromptCount
    dropped: list[Exchange]
    context_length: int
    summary: str | None

    def use(self) -> ContextUse:
        """How it was fitted, as it is told to people."""
        said = None
        if self.dropped:
            turns = 2 * len(self.dropped)
            said = f"The {turns} oldest turns no longer fit into {self.context_length} tokens and were left out."
            if self.summary:
                said += " A summary stands in for them."
        return ContextUse(
            context_length=self.context_length,
            prompt_tokens=self.count.prompt_tokens,
            dropped_turns=2 * len(self.dropped),
            summarised=bool(self.dropped and self.summary),
            message=said,
        )


async def fit(
    handle: RuntimeHandle,
    *,
    system_prompt: str | None,
    exchanges: Sequence[Exchange],
    message: str,
    max_tokens: int,
    summary: str | None = None,
) -> Fitted:
    """The longest end of the conversation that leaves room for an answer. Raises ``MessageTooLong``.

    ``summary`` stands after the system prompt when something is dropped. The model is asked log₂(exchanges) times.
    """
    context = handle.context_length
    room = context - max(1, min(max_tokens, context // SHARE_FOR_ANSWER))

    async def attempt(dropped: int) -> Fitted:
        messages = _messages(system_prompt, summary if dropped else None, exchanges[dropped:], message)
        try:
            count = await handle.count_prompt(messages)
        except PromptRefused:
            if messages[0]["role"] != "system":
                raise
            messages = _folded(messages)  # Gemma's template and others know no system role
            count = await handle.count_prompt(messages)
        return Fitted(messages, count, list(exchanges[:dropped]), context, summary)

    low, high = 0, len(exchanges)
    best = await attempt(low)
    if best.count.prompt_tokens <= room:
        return best
    best = await attempt(high)
    if best.count.prompt_tokens > room:
        if best.count.prompt_tokens < context:
            return best  # the message alone is long: the answer gets what is left
        raise MessageTooLong(
            f"System prompt and message have {best.count.prompt_tokens} tokens; this model reads {context}, answer included."
        )
    while high - low > 1:
        middle = (low + high) // 2
        tried = await attempt(middle)
        if tried.count.prompt_tokens <= room:
            best, high = tried, middle
        else:
            low = middle
    return best


def _folded(messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The system prompt at the head of the first question."""
    system, first, *rest = messages
    return [{"role": "user", "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def _messages(
    system_prompt: str | None, summary: str | None, exchanges: Sequence[Exchange], message: str
) -> list[dict[str, str]]:
    told = [part for part in (system_prompt, f"{SUMMARY_HEADING}\n{summary}" if summary else None) if part]
    start = [{"role": "system", "content": "\n\n".join(told)}] if told else []
    past = [turn for exchange in exchanges for turn in exchange.messages()]
    return [*start, *past, {"role": "user", "content": message}]
