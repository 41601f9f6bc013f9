"""Rows of conversations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned, Timestamps


class ConversationRow(ProjectOwned, Base):
    """A conversation of one person. Its turns are a tree; ``current_turn_id`` is the end of the branch that is read."""

    __tablename__ = "chat_conversations"
    __table_args__ = (Index("ix_chat_conversations_created_by_id", "created_by", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    model: Mapped[str | None] = mapped_column(String(1000))
    adapter: Mapped[str | None] = mapped_column(String(1000))
    system_prompt: Mapped[str | None] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    overflow: Mapped[str] = mapped_column(String(20))
    summary: Mapped[str | None] = mapped_column(Text)
    """What the turns before ``summary_turn_id`` said, in the model's words; null until turns were dropped."""
    summary_turn_id: Mapped[int | None] = mapped_column()
    current_turn_id: Mapped[int | None] = mapped_column()


class TurnRow(Timestamps, Base):
    """A question or an answer. ``parent_id`` is the turn before it; siblings are other versions of it."""

    __tablename__ = "chat_turns"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("chat_conversations.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("chat_turns.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(Text)
    reasoning: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    finish_reason: Mapped[str | None] = mapped_column(String(20))
    model: Mapped[str | None] = mapped_column(String(1000))
    parameters: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    prompt_tokens: Mapped[int | None] = mapped_column()
    completion_tokens: Mapped[int | None] = mapped_column()
    context_length: Mapped[int | None] = mapped_column()
    dropped_turns: Mapped[int | None] = mapped_column()
    seconds: Mapped[float | None] = mapped_column(Float)
    error: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    rating: Mapped[str | None] = mapped_column(String(10))
