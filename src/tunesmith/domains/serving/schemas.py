"""OpenAI's shapes, as far as this version acts on them. What it does not act on is refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from tunesmith.domains.serving.errors import FieldUnsupported

LONGEST_TEXT = 4_000_000
MOST_CHOICES = 16
HARMLESS: dict[str, tuple[Any, ...]] = {
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "response_format": ({"type": "text"},),
    "tools": ([],),
    "tool_choice": ("none",),
    "modalities": (["text"],),
    "store": (False,),
}
"""Values that ask for nothing beyond what is done anyway."""
LABELS = frozenset({"user", "metadata", "safety_identifier", "prompt_cache_key", "service_tier"})
"""Fields that label a request and change no answer."""

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
StopText = Annotated[str, Field(min_length=1, max_length=1000)]
BareStop = Annotated[str, Field(max_length=1000)]


class TextPart(BaseModel):
    """A part of a message."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["text"] = Field(description="Only text parts are read.")
    text: Text = Field(description="The text.")


class ChatMessage(BaseModel):
    """A turn of the conversation. An answer may come back as it was sent: fields that are null or empty say nothing."""

    model_config = ConfigDict(extra="allow")
    role: Literal["system", "developer", "user", "assistant"] = Field(description="Who speaks.")
    content: Text | list[TextPart] = Field(description="What is said.")
    name: str | None = Field(None, max_length=200, description="Name of the speaker; the template may use it.")

    @model_validator(mode="after")
    def _says_nothing_more(self) -> ChatMessage:
        for name, value in (self.model_extra or {}).items():
            if value not in (None, "", [], {}):
                raise ValueError(f"{name[:60]} is not supported in a message")
        return self

    def plain(self) -> dict[str, Any]:
        """The turn as a chat template knows it."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        role = "system" if self.role == "developer" else self.role
        return {"role": role, "content": text} | ({"name": self.name} if self.name else {})


class StreamOptions(BaseModel):
    """What a stream carries besides text."""

    model_config = ConfigDict(extra="forbid")
    include_usage: StrictBool | None = Field(None, description="Send the token counts in a last chunk.")
    include_obfuscation: StrictBool | None = Field(None, description="Accepted; nothing is padded here.")


class ChatCompletionRequest(BaseModel):
    """A conversation to continue."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [{"model": "tunesmith/tiny", "messages": [{"role": "user", "content": "안녕하세요"}]}]
        },
    )
    model: str = Field(min_length=1, max_length=1000, description="A name of GET /v1/models, or a folder.")
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000, description="The conversation so far.")
    max_tokens: int | None = Field(None, ge=1, le=2**31 - 1, description="Longest answer, in tokens.")
    max_completion_tokens: int | None = Field(None, ge=1, le=2**31 - 1, description="The same, by its newer name.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 takes the likeliest token; default 1.")
    top_p: float | None = Field(
        None, gt=0, le=1, description="Draw from the likeliest tokens of this total probability."
    )
    seed: int | None = Field(None, ge=-(2**63), lt=2**63, description="Makes sampling repeatable.")
    stop: BareStop | list[StopText] | None = Field(
        None, description="The answer ends before any of these (at most 16)."
    )
    logprobs: StrictBool | None = Field(None, description="Tell how likely each token was.")
    top_logprobs: int | None = Field(
        None, ge=0, le=20, description="With `logprobs`: so many of the likeliest tokens in each one's place."
    )
    n: int | None = Field(
        None, strict=True, ge=1, le=MOST_CHOICES, description="So many answers; with a seed each has one of its own."
    )
    stream: StrictBool | None = Field(None, description="Send the answer as it grows (one answer).")
    stream_options: StreamOptions | None = Field(None, description="What a stream carries besides text.")

    @property
    def stops(self) -> list[str]:
        """The stop strings."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or [])

    def refuse_unsupported(self) -> None:
        """Raise ``FieldUnsupported`` for a field that would be ignored."""
        refuse_unsupported(self.model_extra or {}, HARMLESS, self.stops)
        refuse_streamed_choices(self.n, self.stream)
        if self.top_logprobs and not self.logprobs:
            fault = {"location": "top_logprobs", "message": "needs logprobs: true", "value": self.top_logprobs}
            raise FieldUnsupported("`top_logprobs` needs `logprobs: true`.", hint="Send both.", errors=[fault])


def refuse_unsupported(extra: Mapping[str, Any], harmless: Mapping[str, tuple[Any, ...]], stops: Sequence[str]) -> None:
    """Raise ``FieldUnsupported`` for a field that would be ignored, and for too many stop strings."""
    for name, value in extra.items():
        shown = name[:60]
        if value is None or name in LABELS or any(_same(value, fine) for fine in harmless.get(name, ())):
            continue
        fault = {"location": shown, "message": "not supported", "value": None}
        raise FieldUnsupported(f"The field {shown!r} is not supported here.", errors=[fault])
    if len(stops) > 16:
        raise FieldUnsupported("`stop` takes at most 16 strings.", hint="Send fewer stop strings.")


def refuse_streamed_choices(n: int | None, stream: bool | None) -> None:
    """Raise ``FieldUnsupported`` for several answers in one stream."""
    if stream and n is not None and n > 1:
        fault = {"location": "n", "message": "1, when it is streamed", "value": n}
        raise FieldUnsupported("A stream has one answer.", hint="Send one request for each.", errors=[fault])


def _same(value: Any, fine: Any) -> bool:
    return type(value) in (type(fine), float if isinstance(fine, int) else type(fine)) and bool(value == fine)


class Usage(BaseModel):
    """Tokens that were read and written."""

    prompt_tokens: int = Field(description="Tokens of the prompt.")
    completion_tokens: int = Field(description="Tokens of the answer, its end included.")
    total_tokens: int = Field(description="Both.")


class AnswerMessage(BaseModel):
    """What the model says."""

    role: Literal["assistant"] = Field("assistant", description="Always `assistant`.")
    content: str = Field(description="The answer.")
    refusal: None = Field(None, description="Always null.")


class Likelihood(BaseModel):
    """A token and how likely it was."""

    token: str = Field(description="The token as text.")
    logprob: float = Field(description="Logarithm of its probability, before any temperature.")
    bytes: list[int] | None = Field(description="Its bytes; null when it is a part of a character.")


class TokenLikelihood(Likelihood):
    """A token of the answer, with the likeliest ones in its place."""

    top_logprobs: list[Likelihood] = Field(description="The likeliest tokens in its place.")


class ChoiceLogprobs(BaseModel):
    """How likely the tokens of an answer were."""

    content: list[TokenLikelihood] = Field(description="One entry a token.")


class Choice(BaseModel):
    """One answer."""

    index: int = Field(0, description="Number of the answer.")
    message: AnswerMessage = Field(description="The turn that the model adds.")
    finish_reason: Literal["stop", "length"] = Field(description="`stop`: it ended by itself or at a stop string.")
    logprobs: ChoiceLogprobs | None = Field(None, description="How likely the tokens were, when asked for.")


class ChatCompletion(BaseModel):
    """An answer in OpenAI's shape."""

    id: str = Field(description="Id of the answer.")
    object: Literal["chat.completion"] = Field("chat.completion", description="Kind of the object.")
    created: int = Field(description="Unix time.")
    model: str = Field(description="Model that answered.")
    choices: list[Choice] = Field(description="The answers: one, or `n`.")
    usage: Usage = Field(description="Counts of tokens.")


class ModelEntry(BaseModel):
    """A model that answers."""

    id: str = Field(description="Name to send as `model`.")
    object: Literal["model"] = Field("model", description="Kind of the object.")
    created: int = Field(0, description="Unix time; 0 when it is not known.")
    owned_by: str = Field("tunesmith", description="Always `tunesmith`.")


class ModelEntries(BaseModel):
    """Every model that answers."""

    object: Literal["list"] = Field("list", description="Kind of the object.")
    data: list[ModelEntry] = Field(description="The models.")


class OpenAIErrorDetail(BaseModel):
    """What was wrong."""

    message: str = Field(description="What was wrong, and what to do.")
    type: str = Field(description="`invalid_request_error` or `server_error`.")
    code: str = Field(description="Stable slug of the error.")
    param: str | None = Field(None, description="The field that is at fault.")


class OpenAIError(BaseModel):
    """An error in the shape that OpenAI's clients know."""

    error: OpenAIErrorDetail = Field(description="The fault.")
