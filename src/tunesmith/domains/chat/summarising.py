"""The model's own summary of a conversation, in a bounded number of calls."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.domains.chat.branches import Exchange
from tunesmith.domains.runtime import GenerateRequest, RuntimeHandle

SUMMARY_TOKENS = 160
SHARE_FOR_TEXT = 2
CHARACTERS_PER_TOKEN = 2
"""A cautious estimate: a text of so many characters per token never fills more than the context's share."""
_REQUEST = "Summarise this conversation in a few sentences, in its own language. Keep names, numbers and decisions.\n\n"


async def summarise(handle: RuntimeHandle, exchanges: Sequence[Exchange]) -> str:
    """A few sentences about the exchanges; the newest count most when they are longer than the model reads."""
    room = max(200, handle.context_length // SHARE_FOR_TEXT * CHARACTERS_PER_TOKEN)
    told = "\n".join(f"User: {x.question.content}\nAssistant: {x.answer.content}" for x in exchanges)[-room:]
    limit = max(16, min(SUMMARY_TOKENS, handle.context_length // 8))
    while True:
        messages = [{"role": "user", "content": _REQUEST + told}]
        count = await handle.count_prompt(messages)
        if count.prompt_tokens + limit <= handle.context_length or len(told) < 100:
            break
        told = told[len(told) // 4 :]
    (made,) = await handle.generate([GenerateRequest(messages=messages, max_new_tokens=limit)])
    return made.text.strip()
