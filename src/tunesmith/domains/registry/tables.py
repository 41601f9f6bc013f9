"""Rows of the registry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned, UtcDateTime


class VersionRow(ProjectOwned, Base):
    """One version of one model."""

    __tablename__ = "model_registry"
    __table_args__ = (
        UniqueConstraint("project_id", "model_name", "version"),
        UniqueConstraint("register_job_id"),
        Index("ix_model_registry_status_id", "status", "id"),
        Index("ix_model_registry_base_model_id", "base_model", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    model_name: Mapped[str] = mapped_column(String(255))
    version: Mapped[str] = mapped_column(String(50))
    base_model: Mapped[str] = mapped_column(String(512))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"), index=True)  # the training
    register_job_id: Mapped[int | None] = mapped_column()  # tells a second run of the same registration
    status: Mapped[str] = mapped_column(String(20), default="staging")
    description: Mapped[str] = mapped_column(Text, default="")
    model_size_gb: Mapped[float] = mapped_column(default=0.0)
    tags: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    publication: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    model_metadata: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    mlflow_model_uri: Mapped[str | None] = mapped_column(String(500))
    promoted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ModelFileRow(ProjectOwned, Base):
    """The manifest: one file of a version, where it lies in the store, and what it must be."""

    __tablename__ = "model_files"
    __table_args__ = (UniqueConstraint("model_id", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_registry.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(500))
    storage_key: Mapped[str] = mapped_column(String(1024))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class EvidenceRow(ProjectOwned, Base):
    """What somebody found out about a version. Append-only; ``source`` says who, once."""

    __tablename__ = "model_evidence"
    __table_args__ = (
        UniqueConstraint("model_id", "kind", "source"),
        Index("ix_model_evidence_model_id_kind_id", "model_id", "kind", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_registry.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(50))
    source: Mapped[str] = mapped_column(String(200))
    document: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
