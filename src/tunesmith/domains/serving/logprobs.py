"""How likely the tokens of an answer were, in OpenAI's two shapes: that of chat, and that of text completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunesmith.domains.runtime import TokenLogprob


def chat_logprobs(told: Sequence[TokenLogprob]) -> dict[str, Any]:
    """``{content: [{token, logprob, bytes, top_logprobs}]}``."""
    return {"content": [{**_entry(one), "top_logprobs": [_entry(other) for other in one.top]} for one in told]}


def text_logprobs(told: Sequence[TokenLogprob], offset: int = 0) -> dict[str, Any]:
    """``{tokens, token_logprobs, top_logprobs, text_offset}``; offsets count characters from the answer's beginning."""
    offsets = []
    for one in told:
        offsets.append(offset)
        offset += len(one.token)
    return {
        "tokens": [one.token for one in told],
        "token_logprobs": [one.logprob for one in told],
        "top_logprobs": [{other.token: other.logprob for other in one.top} for one in told],
        "text_offset": offsets,
    }


def _entry(one: TokenLogprob) -> dict[str, Any]:
    return {"token": one.token, "logprob": one.logprob, "bytes": one.token_bytes}
