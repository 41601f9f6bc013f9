"""Rows of fine-tuning: the job in the API's words, its checkpoints, and the points of its curves.

The truth about a run's life is in ``jobs``; ``finetuning_jobs`` mirrors it in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned, UtcDateTime
from tunesmith.kit.clock import utc_now


class FinetuningJobRow(ProjectOwned, Base):
    """A training job; ``id`` is the job's id."""

    __tablename__ = "finetuning_jobs"
    __table_args__ = (
        Index("ix_finetuning_jobs_status_id", "status", "id"),
        Index("ix_finetuning_jobs_project_id_id", "project_id", "id"),
    )

    id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    job_name: Mapped[str] = mapped_column(String(200), index=True)
    base_model: Mapped[str] = mapped_column(String(1024))
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("training_datasets.id"), index=True)
    method: Mapped[str] = mapped_column(String(20))
    hyperparameters: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    recipe: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    status: Mapped[str] = mapped_column(String(20))
    progress: Mapped[float] = mapped_column(default=0.0)
    current_step: Mapped[int] = mapped_column(default=0)
    total_steps: Mapped[int | None] = mapped_column()
    eta_seconds: Mapped[float | None] = mapped_column()
    message: Mapped[str | None] = mapped_column(Text)
    mlflow_run_id: Mapped[str | None] = mapped_column(String(64))
    error_type: Mapped[str | None] = mapped_column(String(40))
    error_code: Mapped[str | None] = mapped_column(String(100))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_hint: Mapped[str | None] = mapped_column(Text)
    resumed: Mapped[bool] = mapped_column(default=False)
    resume_from: Mapped[str | None] = mapped_column(String(1024))
    figures: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    graph: Mapped[dict[str, int]] = mapped_column(JsonColumn, default=dict)
    warnings: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was deleted: its files are gone, its row stays for what was made of it."""


class TrainingCheckpointRow(Base):
    """A checkpoint that is on disk and was verified when it was written. ``path`` begins at the job's folder."""

    __tablename__ = "training_checkpoints"
    __table_args__ = (
        UniqueConstraint("job_id", "path"),
        Index("ix_training_checkpoints_job_id_step", "job_id", "step"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("finetuning_jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int] = mapped_column()
    step: Mapped[int] = mapped_column()
    epoch: Mapped[float | None] = mapped_column()
    path: Mapped[str] = mapped_column(String(1024))
    metrics: Mapped[dict[str, float]] = mapped_column(JsonColumn, default=dict)
    size_bytes: Mapped[int] = mapped_column(default=0)
    is_best: Mapped[bool] = mapped_column(default=False)
    is_kept: Mapped[bool] = mapped_column(default=False)
    verified: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class TrainingPointRow(Base):
    """The curves of a run at one step; a resumed run writes over the steps that it does again."""

    __tablename__ = "training_points"

    job_id: Mapped[int] = mapped_column(ForeignKey("finetuning_jobs.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column()
    epoch: Mapped[float | None] = mapped_column()
    loss: Mapped[float | None] = mapped_column()
    eval_loss: Mapped[float | None] = mapped_column()
    learning_rate: Mapped[float | None] = mapped_column()
    grad_norm: Mapped[float | None] = mapped_column()
    tokens_per_second: Mapped[float | None] = mapped_column()
    memory_gb: Mapped[float | None] = mapped_column()
    figures: Mapped[dict[str, float] | None] = mapped_column(JsonColumn)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class RecipeRow(ProjectOwned, Base):
    """A recipe that somebody keeps for another time."""

    __tablename__ = "recipes"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    recipe: Mapped[dict[str, Any]] = mapped_column(JsonColumn)


class TrackingRow(Base):
    """What a tracker is owed about a run: the outbox. The points themselves lie in ``job_events``; here is how far they are delivered."""

    __tablename__ = "tracking_outbox"
    __table_args__ = (
        UniqueConstraint("job_id", "tracker"),
        Index("ix_tracking_outbox_tracker_is_open_try_at", "tracker", "is_open", "try_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("finetuning_jobs.id", ondelete="CASCADE"))
    tracker: Mapped[str] = mapped_column(String(20))
    is_open: Mapped[bool] = mapped_column(default=True)  # whether something is, or may soon be, owed
    event_offset: Mapped[int] = mapped_column(default=0)
    model_ids: Mapped[list[int]] = mapped_column(JsonColumn, default=list)  # registered versions not told yet
    run_id: Mapped[str | None] = mapped_column(String(64))
    url: Mapped[str | None] = mapped_column(String(1024))
    points: Mapped[int] = mapped_column(default=0)
    skipped_points: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[int] = mapped_column(default=0)
    message: Mapped[str | None] = mapped_column(Text)
    try_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
