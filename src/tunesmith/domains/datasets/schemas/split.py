"""What is asked of a split, and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.domains.datasets.duplicates import DEFAULT_THRESHOLD, LOWEST_THRESHOLD

ColumnName = Annotated[str, Field(min_length=1, max_length=200)]


class DatasetSplitRequest(BaseModel):
    """Shares of the parts, which make 1 together, and what is kept together."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"train": 0.9, "validation": 0.1, "test": 0, "stratify_by": "topic"}]},
    )
    train: float = Field(0.8, gt=0, le=1, description="Share of the rows for training.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share held out to choose by.")
    test: float = Field(0.1, ge=0, lt=1, description="Share held out to judge by.")
    seed: int = Field(42, ge=0, le=2**31 - 1, description="Another seed makes another split; the same one the same.")

    near_duplicates: bool = Field(
        True, description="Whether rows stay together whose conversations or prompts are near duplicates."
    )
    similarity_threshold: float = Field(
        DEFAULT_THRESHOLD,
        ge=LOWEST_THRESHOLD,
        le=1.0,
        description="Jaccard of the sets of words (of Korean: pairs of letters) from which on rows are near duplicates.",
    )
    stratify_by: ColumnName | None = Field(
        None, description="Column of which every part gets its share of each value; a name or a JSON pointer."
    )
    group_by: ColumnName | None = Field(
        None,
        description="Column whose rows with one value stay together, such as a customer; a name or a JSON pointer.",
    )

    @model_validator(mode="after")
    def _make_one(self) -> DatasetSplitRequest:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 0.01:
            raise ValueError(f"train, validation and test make {total:.6g}; together they must make 1")
        if self.validation == 0 and self.test == 0:
            raise ValueError("nothing is held out; give validation or test a share")
        return self


class DatasetPart(BaseModel):
    """One part of a split, a dataset of its own."""

    part: str = Field(description="`train`, `validation` or `test`.")
    dataset_id: int = Field(description="Id of the new dataset.")
    name: str = Field(description="Its name.")
    version: str = Field(description="Its version.")
    rows: int = Field(description="Its rows.")
    share: float = Field(description="Its rows as a share of all.")
    sha256: str = Field(description="SHA-256 of its file.")


class KeptTogether(BaseModel):
    """How many rows each rule bound to others that no rule before it had bound."""

    same_prompt: int = Field(description="By a prompt that is the same but for case, spaces and punctuation.")
    same_group: int = Field(description="By the column to group by.")
    near_duplicates: int = Field(description="By a conversation or a prompt that is a near duplicate.")


class SplitStratum(BaseModel):
    """How the rows with one value of the column to stratify by were divided."""

    value: str | None = Field(description="The value; null for rows without one.")
    rows: int = Field(description="Rows that have it.")
    parts: dict[str, int] = Field(description="Rows of it in each part.")


class DatasetSplitResponse(BaseModel):
    """The parts that a split made."""

    dataset_id: int = Field(description="Dataset that was split.")
    seed: int = Field(description="Seed of the split.")
    groups: int = Field(description="Groups of rows that belong together; a group is never divided.")
    largest_group_rows: int = Field(description="Rows of the largest group.")
    kept_together: KeptTogether = Field(description="What bound rows together.")
    is_exact: bool = Field(
        description="Whether every near-duplicate pair was found; else each was with a chance of at least 99.5 %."
    )
    parts: list[DatasetPart] = Field(description="The parts.")
    strata: list[SplitStratum] = Field(description="The values of the column to stratify by, sorted; else empty.")
