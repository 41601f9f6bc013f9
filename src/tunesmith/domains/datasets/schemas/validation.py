"""What is asked of the doctor, and what it answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.doctor import Finding, FindingCounts
from tunesmith.domains.datasets.duplicates import DEFAULT_THRESHOLD, LOWEST_THRESHOLD
from tunesmith.domains.datasets.schemas.dataset import DatasetStatus
from tunesmith.kit.paging import Page


class DatasetValidationRequest(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid")
    check_pii: bool = Field(True, description="Look for personal data (the codes pii-…).")
    check_duplicates: bool = Field(
        True, description="Look for repeated rows, near duplicates and contradictory answers."
    )
    check_format: bool = Field(True, description="Look for rows that their format does not allow.")
    similarity_threshold: float = Field(
        DEFAULT_THRESHOLD,
        ge=LOWEST_THRESHOLD,
        le=1.0,
        description="Jaccard of the sets of words (of Korean: pairs of letters) from which on rows are near duplicates.",
    )


class FindingsOfKind(BaseModel):
    """How many findings there are of one kind of check; null counts mean that it was left out."""

    checked: bool = Field(description="Whether this was looked for.")
    total: int = Field(description="Number of findings.")
    by_code: dict[str, int] = Field(description="Number by code.")


class DatasetValidationResponse(BaseModel):
    """What a validation said."""

    dataset_id: int = Field(description="Dataset that was examined.")
    status: DatasetStatus = Field(description="`ready`, or `invalid` when a row cannot be trained on.")
    quality_score: float = Field(description="0–1: the score of the doctor divided by 100.")
    passed: bool = Field(description="Whether no finding is red.")
    weights: dict[str, float] = Field(description="What a row costs by its worst finding.")
    pii: FindingsOfKind = Field(description="Personal data.")
    duplicates: FindingsOfKind = Field(description="Repeated rows, near duplicates and contradictory answers.")
    format_errors: FindingsOfKind = Field(description="Rows that cannot be trained on.")
    validated_at: datetime = Field(description="When the examination ended.")
    file: str = Field(description="Name of the uploaded file.")
    rows: int = Field(description="Number of rows.")
    findings: list[Finding] = Field(description="The first 100 findings; `/findings` has all of them.")
    counts: FindingCounts = Field(description="`{red, amber, green, by_code}`.")
    score: int = Field(description="0–100; the reference of findings has the formula.")


class FindingListResponse(Page[Finding]):
    """A page of findings, in the order of the file."""

    counts: FindingCounts = Field(description="`{red, amber, green, by_code}` over all findings.")
    score: int | None = Field(description="0–100; null until validated.")
    file: str = Field(description="Name of the uploaded file.")
