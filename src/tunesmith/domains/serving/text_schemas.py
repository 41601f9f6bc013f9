"""OpenAI's older shape: a text to continue, without roles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from tunesmith.domains.serving.schemas import (
    LONGEST_TEXT,
    MOST_CHOICES,
    BareStop,
    StopText,
    StreamOptions,
    Usage,
    refuse_streamed_choices,
    refuse_unsupported,
)

DEFAULT_TOKENS = 16
"""What OpenAI's API takes when nothing is said."""
MOST_PROMPTS = 64
HARMLESS: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
}
Prompt = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class CompletionRequest(BaseModel):
    """A text to continue, or several."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"model": "tunesmith/tiny", "prompt": "강남역 2번"}]}
    )
    model: str = Field(min_length=1, max_length=1000, description="A name of GET /v1/models, or a folder.")
    prompt: Prompt | Annotated[list[Prompt], Field(min_length=1, max_length=MOST_PROMPTS)] = Field(
        description="The text, or several; no chat template is applied."
    )
    max_tokens: int | None = Field(None, ge=1, le=2**31 - 1, description="Longest continuation, in tokens; default 16.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 takes the likeliest token; default 1.")
    top_p: float | None = Field(
        None, gt=0, le=1, description="Draw from the likeliest tokens of this total probability."
    )
    seed: int | None = Field(None, ge=-(2**63), lt=2**63, description="Makes sampling repeatable.")
    stop: BareStop | list[StopText] | None = Field(
        None, description="The continuation ends before any of these (at most 16)."
    )
    logprobs: int | None = Field(
        None, ge=0, le=20, description="Tell how likely each token was, with so many of the likeliest."
    )
    n: int | None = Field(None, strict=True, ge=1, le=MOST_CHOICES, description="So many continuations of each prompt.")
    stream: StrictBool | None = Field(None, description="Send the continuation as it grows (one prompt).")
    stream_options: StreamOptions | None = Field(None, description="What a stream carries besides text.")

    @property
    def prompts(self) -> list[str]:
        """The texts."""
        return [self.prompt] if isinstance(self.prompt, str) else list(self.prompt)

    @property
    def stops(self) -> list[str]:
        """The stop strings."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or [])

    def refuse_unsupported(self) -> None:
        """Raise ``FieldUnsupported`` for a field that would be ignored."""
        refuse_unsupported(self.model_extra or {}, HARMLESS, self.stops)
        refuse_streamed_choices(self.n, self.stream)


class TextLogprobs(BaseModel):
    """How likely the tokens were."""

    tokens: list[str] = Field(description="The tokens.")
    token_logprobs: list[float] = Field(description="Logarithm of each one's probability.")
    top_logprobs: list[dict[str, float]] = Field(description="The likeliest tokens in each one's place.")
    text_offset: list[int] = Field(description="Where each begins in the text.")


class TextChoice(BaseModel):
    """One continuation."""

    index: int = Field(description="Number of the prompt; with `n`, of the continuation.")
    text: str = Field(description="The continuation.")
    finish_reason: Literal["stop", "length"] = Field(description="`stop`: it ended by itself or at a stop string.")
    logprobs: TextLogprobs | None = Field(None, description="How likely the tokens were, when asked for.")


class Completion(BaseModel):
    """Continuations in OpenAI's shape."""

    id: str = Field(description="Id of the answer.")
    object: Literal["text_completion"] = Field("text_completion", description="Kind of the object.")
    created: int = Field(description="Unix time.")
    model: str = Field(description="Model that answered.")
    choices: list[TextChoice] = Field(description="One for each prompt.")
    usage: Usage = Field(description="Counts of tokens.")
