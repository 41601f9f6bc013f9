"""The history of a dataset's quality."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.schemas.validation import FindingsOfKind
from tunesmith.kit.paging import Page


class QualityLog(BaseModel):
    """What one validation said."""

    id: int = Field(description="Number of the entry.")
    dataset_id: int = Field(description="Dataset that was examined.")
    quality_score: float = Field(description="0–1: the score of the doctor divided by 100.")
    change: float | None = Field(description="Difference to the validation before; null for the first.")
    passed: bool = Field(description="Whether nothing was found that forbids training.")
    pii: FindingsOfKind = Field(description="Personal data.")
    duplicates: FindingsOfKind = Field(description="Repeated rows, near duplicates and contradictory answers.")
    format_errors: FindingsOfKind = Field(description="Rows that cannot be trained on.")
    created_at: datetime = Field(description="When the validation ended.")


class QualityLogListResponse(Page[QualityLog]):
    """A page of validations, newest first."""

    weights: dict[str, float] = Field(description="What a row costs by its worst finding, with today's settings.")
