"""What the chat routes of the workbench take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StrictBool

from tunesmith.domains.chat import Sampling, Style, StyleName, Turn
from tunesmith.domains.runtime import LoadedModel
from tunesmith.kit.paging import Page

Text = Annotated[str, Field(max_length=1_000_000, pattern=r"^[^\x00]*$")]
Reference = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
StyleParameters = Style


class ChatInitializeRequest(BaseModel):
    """The model to talk to: a model, or a base with an adapter; without either the current model."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"model": "tunesmith/tiny"}]})
    model: Reference | None = Field(
        None,
        validation_alias=AliasChoices("model", "model_id", "model_path", "base", "base_model"),
        description="A folder, `run:ID`, `name@version`, `remote:NAME`, `tunesmith/tiny`, or a Hub id in the local store "
        "(also as `model_id`, `model_path`, `base` or `base_model`).",
    )
    adapter: Reference | None = Field(
        None,
        validation_alias=AliasChoices("adapter", "adapter_path"),
        description="An adapter on top of it: its folder, `run:ID` or `name@version` (also as `adapter_path`).",
    )
    system_prompt: Text | None = Field(None, description="What the model is told before the first question.")
    parameters: Sampling = Field(default_factory=Sampling, description="Parameters of every answer.")
    overflow: Literal["drop", "summarise"] = Field(
        "drop", description="What happens to the oldest turns when the context is full: dropped, or summarised too."
    )


class ChatInitializeResponse(BaseModel):
    """The model is loaded, and a conversation with it has begun."""

    status: Literal["ready"] = Field("ready", description="Always `ready`.")
    conversation_id: int = Field(description="The conversation; it is yours until you initialise again.")
    model: str = Field(description="Model that answers.")
    adapter: str | None = Field(description="Adapter on top of it.")
    system_prompt: str | None = Field(description="What the model is told before the first question.")
    cached: bool = Field(description="Whether it was loaded already.")
    runtime: LoadedModel = Field(description="The loaded model.")


class ChatRequest(Sampling):
    """A message in the current conversation."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"message": "배는 몇 시에 출발합니까?", "style": "precise"}]}
    )
    message: Text = Field(min_length=1, description="What is said.")
    conversation_id: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Another conversation of yours; it becomes the current one."
    )
    stream: StrictBool = Field(False, description="Send the answer as it grows, as server-sent events.")


class ChatGenerateRequest(Sampling):
    """A prompt without history."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"prompt": "한 문장으로 소개해 줘."}]})
    prompt: Text = Field(min_length=1, description="What is asked.")
    system_prompt: Text | None = Field(
        None, description="System prompt for this call; the conversation's when it is left out, none when it is empty."
    )
    stream: StrictBool = Field(False, description="Send the answer as it grows, as server-sent events.")


class ChatHistoryResponse(Page[Turn]):
    """A page of the turns of the current conversation, oldest first."""

    conversation_id: int | None = Field(description="The current conversation; null when there is none.")
    model: str | None = Field(description="Model that answers.")
    system_prompt: str | None = Field(description="What the model is told before the first question.")


class ChatSummaryResponse(BaseModel):
    """The current conversation in short."""

    conversation_id: int | None = Field(description="The current conversation; null when there is none.")
    model: str | None = Field(description="Model that answers.")
    turns: int = Field(description="Turns of the current branch.")
    user_turns: int = Field(description="Questions.")
    assistant_turns: int = Field(description="Answers.")
    characters: int = Field(description="Characters of all turns.")
    total_tokens: int = Field(description="Tokens that were written by the model.")
    first_message: str | None = Field(description="Beginning of the first question.")
    last_message: str | None = Field(description="Beginning of the last turn.")
    started_at: datetime | None = Field(description="When the first turn was said.")
    last_at: datetime | None = Field(description="When the last turn was said.")
    summary: str | None = Field(description="The conversation in the model's own words, with `?generate=true`.")


class ChatClearResponse(BaseModel):
    """What clearing did."""

    cleared: bool = Field(description="Whether there was anything.")
    removed_turns: int = Field(description="Turns that were removed, those of other branches included.")
    conversation_id: int | None = Field(description="The current conversation, now empty.")
    message: str = Field(description="The same in a sentence.")


class SystemPromptRequest(BaseModel):
    """A new system prompt."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"system_prompt": "짧게 답하세요."}]})
    system_prompt: Text | None = Field(
        validation_alias=AliasChoices("system_prompt", "prompt"),
        description="What the model is told before the first question; null or empty takes it away (also as `prompt`).",
    )


class SystemPromptResponse(BaseModel):
    """The system prompt."""

    system_prompt: str | None = Field(description="What the model is told before the first question.")
    conversation_id: int | None = Field(description="The current conversation; null when there is none.")


class ParametersRequest(BaseModel):
    """A style."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"style": "precise"}]})
    style: StyleName = Field(StyleName.BALANCED, description="precise, balanced, creative or code.")
    apply: StrictBool = Field(False, description="Whether the current conversation uses them from now on.")


class ParametersResponse(BaseModel):
    """Parameters for a style."""

    style: StyleName = Field(description="The style.")
    parameters: dict[str, Any] = Field(description="Parameters, ready to be sent with a message.")
    reason: str = Field(description="When to use them, and why these values.")
    context_length: int | None = Field(description="Context that the answer's length was chosen for.")
    applied: bool = Field(description="Whether the current conversation uses them now.")
    alternatives: list[StyleParameters] = Field(description="The other styles.")


class TokenStatisticsResponse(BaseModel):
    """Tokens of the current conversation."""

    conversation_id: int | None = Field(description="The current conversation; null when there is none.")
    turns: int = Field(description="Turns of the current branch.")
    answers: int = Field(description="Answers whose tokens are counted.")
    prompt_tokens: int = Field(description="Tokens that the model read, all answers together.")
    completion_tokens: int = Field(description="Tokens that it wrote.")
    total_tokens: int = Field(description="Both.")
    average_completion_tokens: float | None = Field(description="Tokens of an answer on average.")
    tokens_per_second: float | None = Field(description="Speed of the answers, their prompts included.")
    context_length: int | None = Field(description="Longest prompt and answer together.")
    context_used: int = Field(description="Tokens that the conversation takes now, system prompt included.")
    context_remaining: int | None = Field(description="Room for what comes.")
    context_share: float | None = Field(description="Used part of the context, 0 to 1.")
    dropped_turns: int = Field(description="Oldest turns that were left out of the last prompt.")


class ChatStatusResponse(BaseModel):
    """State of the current conversation."""

    initialized: bool = Field(description="Whether a model was chosen.")
    status: Literal["ready", "answering", "unloaded", "not-initialized"] = Field(
        description="`unloaded`: the next message loads the model again."
    )
    conversation_id: int | None = Field(description="The current conversation; null when there is none.")
    model: str | None = Field(description="Model that answers.")
    adapter: str | None = Field(description="Adapter on top of it.")
    model_loaded: bool = Field(description="Whether it is loaded now.")
    turns: int = Field(description="Turns of the current branch.")
    has_system_prompt: bool = Field(description="Whether there is a system prompt.")
    parameters: dict[str, Any] = Field(description="Parameters of every answer.")
    overflow: str | None = Field(description="What happens to the oldest turns when the context is full.")
    runtime: LoadedModel | None = Field(description="The loaded model.")


class ChatHealthResponse(BaseModel):
    """State of the runtime behind the chat."""

    status: Literal["ready", "idle"] = Field(description="`ready`: a model is loaded; `idle`: none is.")
    device: str = Field(description="Device that models run on.")
    loaded: list[LoadedModel] = Field(description="Everything that is loaded.")
    active_requests: int = Field(description="Answers that are being written.")
    max_loaded_models: int = Field(description="Models that are kept loaded.")
    idle_unload_seconds: float = Field(description="An unused model is unloaded after this time.")
