"""What is asked in a conversation, and what comes back while and when it is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.chat.styles import StyleName

LONGEST_TEXT = 1_000_000
Text = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]
TurnStatus = Literal["complete", "answering", "stopped", "interrupted", "failed"]


class Sampling(BaseModel):
    """How to draw tokens. What is left out comes from the style, the conversation, then the style `balanced`."""

    model_config = ConfigDict(extra="forbid")
    style: StyleName | None = Field(None, description="Parameters by name: precise, balanced, creative or code.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 takes the likeliest token.")
    top_p: float | None = Field(
        None, gt=0, le=1, description="Draw from the likeliest tokens of this total probability."
    )
    max_tokens: int | None = Field(None, ge=1, le=2**31 - 1, description="Longest answer, in tokens.")
    seed: int | None = Field(None, ge=0, lt=2**63, description="Makes sampling repeatable.")
    stop: list[Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]] | None = Field(
        None, max_length=16, description="The answer ends before any of these."
    )

    def given(self) -> dict[str, Any]:
        """What was said, without what was left out."""
        fields = set(Sampling.model_fields)
        return self.model_dump(mode="json", exclude_none=True, include=fields)


class Ask(Sampling):
    """A message, or an answer that is wanted again."""

    message: Text | None = Field(None, min_length=1, description="What is said.")
    parent_id: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Turn to go on from; default is the end of the current branch."
    )
    edit_of: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Question that `message` replaces: it becomes a branch beside it."
    )
    regenerate: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Answer that is wanted again, without `message`."
    )


class TokenUsage(BaseModel):
    """Tokens of one answer."""

    prompt_tokens: int = Field(description="Tokens that the model read.")
    completion_tokens: int = Field(description="Tokens that it wrote, its reasoning and its end included.")
    total_tokens: int = Field(description="Both.")


class ContextUse(BaseModel):
    """How the conversation was fitted to the model."""

    context_length: int = Field(description="Longest prompt and answer together, in tokens.")
    prompt_tokens: int = Field(description="Tokens of the prompt.")
    dropped_turns: int = Field(description="Oldest turns that were left out, whole; the system prompt never is.")
    summarised: bool = Field(description="Whether a summary stands in for the dropped turns.")
    message: str | None = Field(None, description="The same in a sentence, when something was left out.")


class ChatAnswer(BaseModel):
    """An answer."""

    conversation_id: int | None = Field(description="Conversation; null when there is no history.")
    user_turn_id: int | None = Field(description="Turn of the question.")
    turn_id: int | None = Field(description="Turn of the answer.")
    model: str = Field(description="Model that answered.")
    response: str = Field(description="The answer, without its reasoning.")
    reasoning: str | None = Field(description="What the model thought aloud before it.")
    status: TurnStatus = Field(description="`complete`, or how it ended early.")
    finish_reason: Literal["stop", "length"] | None = Field(
        description="`stop`: by itself or at a stop string; `length`: at the longest answer; null when it was cut."
    )
    usage: TokenUsage = Field(description="Counts of tokens.")
    context: ContextUse = Field(description="What of the conversation fitted into the prompt.")
    parameters: dict[str, Any] = Field(description="Parameters that were used.")
    seconds: float = Field(description="Time to answer.")
    tokens_per_second: float | None = Field(description="Speed, the prompt included.")


class ChatEvent(BaseModel):
    """A piece of an answer as it grows: `start`, then `delta` and `reasoning`, then `end` or `error`."""

    type: Literal["start", "delta", "reasoning", "end", "error"] = Field(description="Kind of the event.")
    text: str | None = Field(None, description="Text of `delta` and `reasoning`.")
    conversation_id: int | None = Field(None, description="With `start`: the conversation.")
    user_turn_id: int | None = Field(None, description="With `start`: turn of the question.")
    turn_id: int | None = Field(None, description="With `start`: turn of the answer.")
    model: str | None = Field(None, description="With `start`: model that answers.")
    context: ContextUse | None = Field(None, description="With `start`: how the conversation was fitted.")
    answer: ChatAnswer | None = Field(None, description="With `end`: the whole answer.")
    error: dict[str, Any] | None = Field(None, description="With `error`: the problem document.")
