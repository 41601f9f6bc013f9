"""Four ways to answer, as parameters."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

LONGEST_DEFAULT_TOKENS = 512
SHARE_OF_CONTEXT = 4
"""An answer is given at most this part of the context by default, so that the conversation has the rest."""


class StyleName(StrEnum):
    """The four styles."""

    PRECISE = "precise"
    BALANCED = "balanced"
    CREATIVE = "creative"
    CODE = "code"


class Style(BaseModel):
    """A style: parameters and when to use them."""

    style: StyleName = Field(description="Name of the style.")
    temperature: float = Field(description="0 takes the likeliest token.")
    top_p: float = Field(description="Draw from the likeliest tokens of this total probability.")
    max_tokens: int = Field(description="Longest answer, in tokens.")
    reason: str = Field(description="When to use it, and why these values.")


_VALUES: dict[StyleName, tuple[float, float, float, str]] = {
    StyleName.PRECISE: (
        0.0,
        1.0,
        1.0,
        "Facts and figures: always the likeliest token, so the same question gives the same answer.",
    ),
    StyleName.BALANCED: (
        0.7,
        0.9,
        1.0,
        "Conversation: varied words, while the unlikely tenth of the tokens is never drawn.",
    ),
    StyleName.CREATIVE: (1.0, 0.95, 2.0, "Ideas and stories: the model's own distribution, and room for long answers."),
    StyleName.CODE: (
        0.2,
        0.95,
        2.0,
        "Programs: nearly the likeliest token, since one wrong one breaks them, and room for long answers.",
    ),
}


def recommended(style: StyleName, context_length: int | None = None) -> Style:
    """The parameters of a style; the answer's length follows the context of the model."""
    temperature, top_p, length, reason = _VALUES[style]
    room = int(LONGEST_DEFAULT_TOKENS * length)
    if context_length:
        room = max(1, min(room, context_length // SHARE_OF_CONTEXT))
    return Style(style=style, temperature=temperature, top_p=top_p, max_tokens=room, reason=reason)


STYLES = tuple(StyleName)
