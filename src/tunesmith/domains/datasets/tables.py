"""Rows of datasets. The files themselves lie in the store; what is large about them (findings, row index) lies there, too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned, UtcDateTime


class DatasetRow(ProjectOwned, Base):
    """One version of a dataset. Its content never changes; only what is known about it does."""

    __tablename__ = "training_datasets"
    __table_args__ = (
        UniqueConstraint("project_id", "name", "version"),
        Index("ix_training_datasets_project_id_id", "project_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(255))
    version: Mapped[str] = mapped_column(String(50))
    description: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    dataset_metadata: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    format: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20), index=True)
    file_name: Mapped[str] = mapped_column(String(255))
    file_kind: Mapped[str] = mapped_column(String(20))
    file_path: Mapped[str] = mapped_column(String(1024))
    encoding: Mapped[str] = mapped_column(String(40))
    packing: Mapped[str] = mapped_column(String(20), default="none", server_default="none")
    """How the file is packed: none, gzip, zstd or zip."""
    plain_path: Mapped[str | None] = mapped_column(String(1024))
    """Key of the same rows as plain UTF-8 text; null where the file itself is that."""
    column_mapping: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    """Column of the file → field of the format; null where the names are the format's own."""
    row_map: Mapped[str | None] = mapped_column(String(1024))
    """Key of the parent's row number behind each row, for a version that was made from another."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("training_datasets.id"), index=True)
    source: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    source_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"), index=True)
    total_samples: Mapped[int | None] = mapped_column(BigInteger)
    avg_instruction_length: Mapped[float | None] = mapped_column()
    avg_output_length: Mapped[float | None] = mapped_column()
    preprocessed_path: Mapped[str | None] = mapped_column(Text)
    quality_score: Mapped[float | None] = mapped_column()
    findings_counts: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    examination: Mapped[str | None] = mapped_column(String(255))
    """Folder in the store that holds the findings and the row index of the newest validation."""
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    validated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    purged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ColumnMappingRow(ProjectOwned, Base):
    """How somebody once mapped a file's columns: proposed again for the next file that has them."""

    __tablename__ = "column_mappings"
    __table_args__ = (UniqueConstraint("project_id", "columns_sha256", "format"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    columns_sha256: Mapped[str] = mapped_column(String(64))
    """Of the sorted names of the columns."""
    format: Mapped[str] = mapped_column(String(40))
    mapping: Mapped[dict[str, Any]] = mapped_column(JsonColumn)


class UploadRow(ProjectOwned, Base):
    """A file that arrives in parts; its bytes lie in the data folder until it is complete."""

    __tablename__ = "uploads"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    received_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str | None] = mapped_column(String(64))
    """What the client promises, until the file is complete; then what it is."""
    state: Mapped[str] = mapped_column(String(20), index=True)
    """``receiving → storing → complete → used``; one that expires is removed."""
    file_path: Mapped[str | None] = mapped_column(String(1024))
    """Key in the store once complete."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class QualityLogRow(ProjectOwned, Base):
    """What one validation said; append-only."""

    __tablename__ = "dataset_quality_logs"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("training_datasets.id", ondelete="CASCADE"), index=True)
    quality_score: Mapped[float] = mapped_column()
    pii: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    duplicates: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    format_errors: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    details: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict, server_default="{}")
    """What else was looked for and found: ``{rows, passed, counts, learning, quality, model, max_length}``."""
