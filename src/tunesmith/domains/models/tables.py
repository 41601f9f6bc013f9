"""Rows of the local store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned, UtcDateTime


class ModelRow(ProjectOwned, Base):
    """A model folder that was used here. Its bytes stay where they are."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("project_id", "model_id"), UniqueConstraint("project_id", "path"))

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(Text)
    model_metadata: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    last_used: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class HubTokenRow(ProjectOwned, Base):
    """A token of a hub, sealed, for one job; it is deleted when the job ends."""

    __tablename__ = "hub_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
