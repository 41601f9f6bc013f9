"""Which column of a file is which field of a format."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.domains.datasets.formats import DataFormat


class ColumnMappingRequest(BaseModel):
    """The file to propose for: one that has been uploaded in parts, one of a dataset, or its columns."""

    model_config = ConfigDict(extra="forbid")
    upload_id: int | None = Field(None, ge=1, description="A complete upload.")
    dataset_id: int | None = Field(None, ge=1, le=2**31 - 1, description="A dataset, whose file is looked at again.")
    columns: list[str] | None = Field(
        None, min_length=1, max_length=1000, description="Names of the columns.", examples=[["질문", "답변"]]
    )
    sample_rows: list[dict[str, Any]] = Field(
        default_factory=list, max_length=100, description="Some rows, which make the proposal surer."
    )

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(given is not None for given in (self.upload_id, self.dataset_id, self.columns)) != 1:
            raise ValueError("send one of upload_id, dataset_id and columns")
        return self


class ProposedMapping(BaseModel):
    """One way to read the columns."""

    format: DataFormat = Field(description="Format of the rows.")
    mapping: dict[str, str] = Field(description="Column of the file → field of the format, where the names differ.")
    confidence: float = Field(description="0–1; from 0.7 on it is used without asking.")
    reasons: list[str] = Field(description="Why.")


class ColumnMappingResponse(BaseModel):
    """How the columns would be read."""

    columns: list[str] = Field(description="Columns of the file.")
    format: DataFormat | None = Field(description="Format of the rows; null when nothing fits.")
    mapping: dict[str, str] = Field(description="Column of the file → field of the format, where the names differ.")
    confidence: float = Field(description="0–1; from 0.7 on it is used without asking.")
    reasons: list[str] = Field(description="Why.")
    alternatives: list[ProposedMapping] = Field(description="Other ways, the likelier first.")
    saved: bool = Field(description="Whether somebody of this project mapped these columns like this before.")
    sample_rows: list[dict[str, Any]] = Field(description="The first rows, at most five, under the file's own names.")


class ColumnMappingUpdate(BaseModel):
    """How a dataset's columns are to be read."""

    model_config = ConfigDict(extra="forbid")
    format: DataFormat | None = Field(
        None, description="Format of the rows; told from the mapped columns when left out."
    )
    mapping: dict[str, str] = Field(
        max_length=1000,
        description="Column of the file → field of the format; several columns may become one text. Empty: as they are named.",
        examples=[{"질문": "question", "답변": "answer"}],
    )
