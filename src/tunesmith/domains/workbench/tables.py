"""Rows of the workbench."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned


class WorkbenchRow(ProjectOwned, Base):
    """What one person works with now, in one project; it survives a restart."""

    __tablename__ = "workbench_states"
    __table_args__ = (UniqueConstraint("project_id", "created_by"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[str | None] = mapped_column(String(255))
    model_path: Mapped[str | None] = mapped_column(Text)
    model_metadata: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("training_datasets.id"))
    """The current dataset: the newest version of what was uploaded."""
    conversation_id: Mapped[int | None] = mapped_column()
    """The current conversation; it may have been removed meanwhile."""
    uploaded_dataset_id: Mapped[int | None] = mapped_column(ForeignKey("training_datasets.id"))
    """The upload as it was, to which a reset leads back."""
    dataset_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    """A job that makes a new version of the current dataset; once it has succeeded, its dataset is the current one."""
    training: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    """Sections of a recipe that were configured for the next run."""
    training_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    """The run that was started last."""


class GgufConversionRow(ProjectOwned, Base):
    """A conversion to GGUF that one person has started; what came of it is the job's and the exports'."""

    __tablename__ = "gguf_conversions"
    __table_args__ = (Index("ix_gguf_conversions_created_by_id", "created_by", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    model: Mapped[str] = mapped_column(Text)
    methods: Mapped[list[str]] = mapped_column(JsonColumn)
    uses_importance: Mapped[bool]
    source_bytes: Mapped[int] = mapped_column(BigInteger)
    """Size of the weights that were converted."""
