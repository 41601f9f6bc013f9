"""What is asked of the doctor, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.doctor import CODES, Finding, FindingCounts, Severity
from tunesmith.domains.datasets.doctor.learning import DEFAULT_MAX_LENGTH
from tunesmith.domains.datasets.duplicates import DEFAULT_THRESHOLD, LOWEST_THRESHOLD
from tunesmith.domains.datasets.schemas.dataset import DatasetStatus
from tunesmith.domains.datasets.schemas.xray import LONGEST
from tunesmith.domains.models import BUNDLED
from tunesmith.kit.paging import Page


class DatasetValidationRequest(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid")
    check_pii: bool = Field(True, description="Look for personal data (the codes pii-…).")
    check_duplicates: bool = Field(
        True, description="Look for repeated rows, near duplicates and contradictory answers."
    )
    check_format: bool = Field(True, description="Look for rows that their format does not allow.")
    check_quality: bool = Field(
        True, description="Look for answers that say nothing, repeat themselves, or stand out from all others."
    )
    check_learning: bool = Field(True, description="Look for rows that teach nothing, or are cut off, under `model`.")
    model: str = Field(
        BUNDLED,
        min_length=1,
        max_length=1024,
        description="Whose tokenizer and chat template the rows are read with: any model reference.",
    )
    max_length: int = Field(DEFAULT_MAX_LENGTH, ge=8, le=LONGEST, description="Tokens of a row that are read.")
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
    quality: FindingsOfKind = Field(description="Answers that say nothing, repeat themselves, or stand out.")
    learning: FindingsOfKind = Field(
        description="Rows that teach nothing or are cut off, under `model` and `max_length`."
    )
    model: str = Field(description="Model whose tokenizer and chat template the rows were read with.")
    max_length: int = Field(description="Tokens of a row that are read.")
    validated_at: datetime = Field(description="When the examination ended.")
    file: str = Field(description="Name of the uploaded file.")
    rows: int = Field(description="Number of rows.")
    findings: list[Finding] = Field(description="The first 100 findings; `/findings` has all of them.")
    counts: FindingCounts = Field(description="`{red, amber, green, by_code}`.")
    score: int = Field(description="0–100; the reference of findings has the formula.")


class FindingGroup(BaseModel):
    """All findings of one kind."""

    code: str = Field(description="Stable code of the kind.")
    severity: Severity = Field(description="red, amber or green.")
    title: str = Field(description="What it is, in a few words.")
    fix: str = Field(description="How to mend it.")
    fixable: bool = Field(description="Whether a fix can be applied by itself.")
    count: int = Field(description="Findings of this kind.")


class FindingListResponse(Page[Finding]):
    """A page of findings, in the order of the file."""

    groups: list[FindingGroup] = Field(description="All kinds that were found, the most severe and frequent first.")
    counts: FindingCounts = Field(description="`{red, amber, green, by_code}` over all findings.")
    score: int | None = Field(description="0–100; null until validated.")
    file: str = Field(description="Name of the uploaded file.")


def groups_of(counts: Mapping[str, Any]) -> list[FindingGroup]:
    """The kinds in the counts of a validation, the most severe first, then the most frequent."""
    groups = [
        FindingGroup(
            code=code, severity=known.severity, title=known.title, fix=known.fix, fixable=known.is_fixable, count=count
        )
        for code, count in counts.get("by_code", {}).items()
        if (known := CODES.get(code))
    ]
    order = list(Severity)
    return sorted(groups, key=lambda group: (order.index(group.severity), -group.count, group.code))
