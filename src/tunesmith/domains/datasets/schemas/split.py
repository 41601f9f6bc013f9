"""What is asked of a split, and what it answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DatasetSplitRequest(BaseModel):
    """Shares of the parts; together they make 1."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"train": 0.9, "validation": 0.1, "test": 0}]}
    )
    train: float = Field(0.8, gt=0, le=1, description="Share of the rows for training.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share held out to choose by.")
    test: float = Field(0.1, ge=0, lt=1, description="Share held out to judge by.")
    seed: int = Field(42, ge=0, le=2**31 - 1, description="Another seed makes another split; the same one the same.")

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
    sha256: str = Field(description="SHA-256 of its file.")


class DatasetSplitResponse(BaseModel):
    """The parts that a split made."""

    dataset_id: int = Field(description="Dataset that was split.")
    seed: int = Field(description="Seed of the split.")
    groups: int = Field(description="Groups of rows with the same prompt; a group is never divided.")
    parts: list[DatasetPart] = Field(description="The parts.")
