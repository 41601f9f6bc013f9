"""Conversations and turns as they are sent and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from tunesmith.domains.chat.answers import Ask, Sampling, Text, TurnStatus
from tunesmith.kit.ids import display_name
from tunesmith.kit.paging import Page

Overflow = Literal["drop", "summarise"]
Rating = Literal["good", "bad"]
Reference = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
MODEL = "A folder, `run:ID`, `name@version`, `remote:NAME`, `tunesmith/tiny`, or a Hub id in the local store."
ADAPTER = "An adapter on top of it: its folder, `run:ID` or `name@version`."


def _title(value: str | None) -> str | None:
    return None if value is None else display_name(value)


class ConversationCreate(BaseModel):
    """A conversation to begin."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"model": "tunesmith/tiny", "system_prompt": "Be brief."}]}
    )
    title: str | None = Field(None, max_length=1000, description="Title; the first message gives it when left out.")
    model: Reference | None = Field(None, description=MODEL)
    adapter: Reference | None = Field(None, description=ADAPTER)
    system_prompt: Text | None = Field(None, description="What the model is told before the first question.")
    parameters: Sampling = Field(default_factory=Sampling, description="Parameters of every answer.")
    overflow: Overflow = Field(
        "drop", description="What happens to the oldest turns when the context is full: dropped, or summarised too."
    )

    check_title = field_validator("title")(_title)


class ConversationUpdate(BaseModel):
    """What changes; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"title": "항구 질문"}]})
    title: str | None = Field(None, max_length=1000, description="Title.")
    model: Reference | None = Field(None, description=MODEL)
    adapter: Reference | None = Field(None, description=ADAPTER)
    system_prompt: Text | None = Field(None, description="System prompt; null or empty takes it away.")
    parameters: Sampling | None = Field(None, description="Parameters of every answer.")
    overflow: Overflow | None = Field(None, description="`drop` or `summarise`.")
    current_turn_id: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Turn whose branch is read from now on; its newest end is chosen."
    )

    check_title = field_validator("title")(_title)


class ConversationResponse(BaseModel):
    """A conversation without its turns."""

    id: int = Field(description="Id of the conversation.")
    title: str = Field(description="Title.")
    model: str | None = Field(description="Model that answers.")
    adapter: str | None = Field(description="Adapter on top of it.")
    system_prompt: str | None = Field(description="What the model is told before the first question.")
    parameters: dict[str, Any] = Field(description="Parameters of every answer.")
    overflow: Overflow = Field(description="What happens to the oldest turns when the context is full.")
    summary: str | None = Field(description="The model's summary of turns that no longer fit.")
    current_turn_id: int | None = Field(description="End of the branch that is read.")
    created_at: datetime = Field(description="When it was begun.")
    updated_at: datetime = Field(description="When it last changed.")


class Turn(BaseModel):
    """A question or an answer."""

    id: int = Field(description="Id of the turn.")
    parent_id: int | None = Field(description="The turn before it.")
    role: Literal["user", "assistant"] = Field(description="Who speaks.")
    content: str = Field(description="What is said.")
    reasoning: str | None = Field(description="What the model thought aloud before it.")
    status: TurnStatus = Field(description="`complete`, `answering`, or how it ended early: what came is kept.")
    finish_reason: str | None = Field(description="`stop` or `length`.")
    model: str | None = Field(description="Model that answered.")
    parameters: dict[str, Any] | None = Field(description="Parameters that were used.")
    prompt_tokens: int | None = Field(description="Tokens that the model read.")
    completion_tokens: int | None = Field(description="Tokens that it wrote.")
    context_length: int | None = Field(description="The model's context, in tokens.")
    dropped_turns: int | None = Field(description="Oldest turns that were left out of the prompt.")
    seconds: float | None = Field(description="Time to answer.")
    error: dict[str, Any] | None = Field(description="Why it failed: code, title, detail, hint.")
    rating: Rating | None = Field(description="What the person thinks of the answer.")
    created_at: datetime = Field(description="When it was said.")


class ConversationDetail(ConversationResponse):
    """A conversation with all its turns."""

    turns: list[Turn] = Field(description="Every turn of every branch, oldest first.")
    path: list[int] = Field(description="Ids of the turns of the current branch, in order.")


class ConversationListResponse(Page[ConversationResponse]):
    """A page of conversations, the last used first."""


class ConversationAnswerRequest(Ask):
    """Say something, edit a question, or ask for an answer again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"message": "안녕하세요", "seed": 1}]})
    stream: StrictBool = Field(False, description="Send the answer as it grows, as server-sent events.")


class TurnRatingRequest(BaseModel):
    """What the person thinks of an answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"rating": "good"}]})
    rating: Rating | None = Field(description="`good`, `bad`, or null to take it back.")


class ConversationDatasetRequest(BaseModel):
    """Make training data of conversations."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "좋은 답변"}]})
    name: str = Field(min_length=1, max_length=200, description="Name of the dataset.")
    version: str | None = Field(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$", description="Version; the next free one when left out."
    )
    conversation_ids: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] | None = Field(
        None, min_length=1, max_length=10_000, description="Conversations to take; all of yours when left out."
    )
    selection: Literal["good", "all"] = Field(
        "good", description="`good`: conversations up to each answer rated good; `all`: the current branches."
    )
    include_system_prompt: bool = Field(True, description="Whether rows begin with the system prompt.")

    @field_validator("name")
    @classmethod
    def _visible(cls, value: str) -> str:
        return display_name(value)
