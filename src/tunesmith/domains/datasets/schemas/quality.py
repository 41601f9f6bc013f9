"""How the quality of a dataset went from check to check."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from tunesmith.domains.datasets.doctor import FindingCounts
from tunesmith.domains.datasets.schemas.validation import FindingsOfKind
from tunesmith.kit.paging import Page


class QualityDetails(BaseModel):
    """What a check said beside the kinds that have a column of their own; null in checks from before it was kept."""

    rows: int | None = Field(None, description="Number of rows.")
    passed: bool | None = Field(None, description="Whether no finding was red.")
    counts: FindingCounts | None = Field(None, description="`{red, amber, green, by_code}`.")
    learning: FindingsOfKind | None = Field(None, description="Rows that teach nothing or are cut off.")
    quality: FindingsOfKind | None = Field(
        None, description="Answers that say nothing, repeat themselves, or stand out."
    )
    model: str | None = Field(None, description="Model whose tokenizer and chat template the rows were read with.")
    max_length: int | None = Field(None, description="Tokens of a row that were read.")


class QualityLog(QualityDetails):
    """One check."""

    id: int = Field(description="Number of the check.")
    dataset_id: int = Field(description="Dataset that was examined.")
    quality_score: float = Field(description="0–1.")
    pii: FindingsOfKind = Field(description="Personal data.")
    duplicates: FindingsOfKind = Field(description="Repeated rows, near duplicates and contradictory answers.")
    format_errors: FindingsOfKind = Field(description="Rows that cannot be trained on.")
    score_change: float | None = Field(None, description="Against the check before; null for the first.")
    changes: dict[str, int] = Field(
        default_factory=dict,
        description="By code, how many findings more (or, below 0, fewer) than in the check before.",
    )
    created_at: datetime = Field(description="When it ended.")


class QualityHistoryResponse(Page[QualityLog]):
    """A page of checks, the newest first."""

    weights: dict[str, float] = Field(description="What a row costs by its worst finding, as it is set now.")
