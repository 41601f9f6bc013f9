"""Rows of evaluations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned


class EvaluationRow(ProjectOwned, Base):
    """One evaluation. ``model_id`` is null when it was made before its model was registered."""

    __tablename__ = "model_evaluations"
    __table_args__ = (Index("ix_model_evaluations_model_id_id", "model_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model_registry.id", ondelete="CASCADE"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), unique=True)
    dataset_id: Mapped[int | None] = mapped_column()
    metrics: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    evaluator: Mapped[int] = mapped_column(ForeignKey("users.id"))
    answers_key: Mapped[str | None] = mapped_column(String(1024))
