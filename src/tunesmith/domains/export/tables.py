"""Rows of exports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tunesmith.db import Base, JsonColumn, ProjectOwned


class ExportRow(ProjectOwned, Base):
    """One artefact, of a version or of a model that is not registered. ``status`` is `failed` when its certificate failed."""

    __tablename__ = "model_exports"
    __table_args__ = (
        UniqueConstraint("job_id", "format", "method"),
        Index("ix_model_exports_model_id_id", "model_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model_registry.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(Text)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    format: Mapped[str] = mapped_column(String(20))
    method: Mapped[str] = mapped_column(String(20), default="")  # empty, not null: null would not be unique
    status: Mapped[str] = mapped_column(String(20))
    storage_key: Mapped[str] = mapped_column(String(1024))
    files: Mapped[list[dict[str, Any]]] = mapped_column(JsonColumn)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    certificate: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
