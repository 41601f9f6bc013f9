"""Rows of jobs. ``lease`` fences rows, ``attempt`` names folders; see ``state`` for the words of ``state``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned, UtcDateTime
from tunesmith.kit.clock import utc_now


class JobRow(ProjectOwned, Base):
    """One piece of work. Ids are never used twice: they name folders."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state_priority_id", "state", "priority", "id"),
        Index("ix_jobs_state_lease_expires_at", "state", "lease_expires_at"),
        Index("ix_jobs_kind_id", "kind", "id"),
        Index("ix_jobs_kind_spec_sha256", "kind", "spec_sha256"),
        Index(
            "ux_jobs_device_held",
            "device",
            unique=True,
            sqlite_where=text("state IN ('running', 'stopping')"),
            postgresql_where=text("state IN ('running', 'stopping')"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    spec: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    spec_sha256: Mapped[str | None] = mapped_column(String(64))
    inputs: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    result: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    error: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    graph_id: Mapped[int | None] = mapped_column(index=True)
    priority: Mapped[int] = mapped_column(default=0)
    start_after: Mapped[datetime | None] = mapped_column(UtcDateTime)
    device: Mapped[str | None] = mapped_column(String(255))
    """`HOST/DEVICE` that the job has, or had last, for itself: one job at a time holds a device."""

    lease: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(200))
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_requested: Mapped[str | None] = mapped_column(String(10))

    attempt: Mapped[int] = mapped_column(default=0)
    first_attempt: Mapped[int] = mapped_column(default=1)  # attempts below it belong to earlier runs of this job
    discarded_attempts: Mapped[int] = mapped_column(default=0)  # checkpoints up to this attempt are not used again
    starts_without_checkpoint: Mapped[int] = mapped_column(default=0)
    last_checkpoint_step: Mapped[int | None] = mapped_column()
    resumed: Mapped[bool] = mapped_column(default=False)

    step: Mapped[int] = mapped_column(default=0)
    total_steps: Mapped[int | None] = mapped_column()
    progress: Mapped[float] = mapped_column(default=0.0)
    eta_seconds: Mapped[float | None] = mapped_column()
    message: Mapped[str | None] = mapped_column(Text)

    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DependencyRow(Base):
    """``job_id`` waits until ``after_id`` has succeeded."""

    __tablename__ = "job_dependencies"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    after_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, index=True)


class EventRow(Base):
    """Something that happened to a job. ``id`` is the offset that streams resume from.

    ``byte_offset`` is the end of the line in the attempt's ``events.jsonl`` (null for what the server itself says), so a line
    that is read twice is stored once. Writers lock the job's row first, so a job's ids become visible in order.
    """

    __tablename__ = "job_events"
    __table_args__ = (
        UniqueConstraint("job_id", "attempt", "byte_offset"),
        Index("ix_job_events_job_id_id", "job_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int] = mapped_column()
    byte_offset: Mapped[int | None] = mapped_column()
    type: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class WorkerRow(Base):
    """A worker process that is, or was, there."""

    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int] = mapped_column()
    capabilities: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)


class ResourceSampleRow(Base):
    """What a machine was using at one time. Workers write it now and then; old ones are deleted as new ones come."""

    __tablename__ = "resource_samples"
    __table_args__ = (Index("ix_resource_samples_host_at", "host", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    usage: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
