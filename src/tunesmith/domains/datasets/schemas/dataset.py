"""A dataset version: what is sent with the file, and what is known about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator

from tunesmith.domains.datasets.doctor import FindingCounts, Severity
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.schemas.values import FieldName, RowValue
from tunesmith.kit.ids import display_name
from tunesmith.kit.paging import Page


class DatasetStatus(StrEnum):
    """``uploaded → validating → ready | invalid``; ``archived`` at the end."""

    UPLOADED = "uploaded"
    VALIDATING = "validating"
    READY = "ready"
    INVALID = "invalid"
    ARCHIVED = "archived"


Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")]


class DatasetCreate(BaseModel):
    """The fields of the upload form beside the file."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(description="Name that people see, at most 200 characters.", examples=["Ferry questions"])
    version: str = Field(
        "1.0", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$", description="Version; a name has each version once."
    )
    format: DataFormat | None = Field(None, description="Format of the rows; detected when it is left out.")
    description: str | None = Field(None, max_length=10_000, description="What the data is.")
    tags: list[Tag] = Field(default_factory=list, max_length=50, description="Tags, separated by commas in the form.")
    dataset_metadata: dict[str, Any] = Field(default_factory=dict, description="Anything else, as a JSON object.")

    @field_validator("name")
    @classmethod
    def _visible(cls, value: str) -> str:
        return display_name(value)


class DatasetSummary(BaseModel):
    """A dataset in a list."""

    id: int = Field(description="Id of this version.")
    name: str = Field(description="Name that people see.")
    slug: str = Field(description="The name as it may stand in a path.")
    version: str = Field(description="Version of the dataset.")
    format: DataFormat = Field(description="Format of the rows.")
    status: DatasetStatus = Field(description="Where the dataset is in its life.")
    total_samples: int | None = Field(description="Number of rows; null until validated.")
    size_bytes: int = Field(description="Size of the file.")
    sha256: str = Field(description="SHA-256 of the file.")
    file_name: str = Field(description="Name of the uploaded file.")
    tags: list[str] = Field(description="Tags.")
    quality_score: float | None = Field(description="0–1; null until validated.")
    findings_counts: FindingCounts | None = Field(description="`{red, amber, green, by_code}` of the last validation.")
    job_id: int | None = Field(description="Job of the newest validation.")
    parent_id: int | None = Field(description="Dataset that this one was made from.")
    created_by: int = Field(description="Person who made it.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When something about it last changed.")

    @computed_field(description="Number of rows; null until validated.")  # type: ignore[prop-decorator]
    @property
    def rows(self) -> int | None:
        """The same as ``total_samples``, under the name that the command line uses."""
        return self.total_samples


class DatasetResponse(DatasetSummary):
    """A dataset with everything that is known about it."""

    project_id: int = Field(description="Project that it belongs to.")
    description: str | None = Field(description="What the data is.")
    dataset_metadata: dict[str, Any] = Field(description="Anything else.")
    file_path: str = Field(description="Key of the file in the store.")
    file_kind: str = Field(description="How the rows are written down: jsonl, json, csv, tsv or parquet.")
    packing: str = Field(description="How the file is packed: none, gzip, zstd or zip.")
    encoding: str = Field(description="Text encoding of the file.")
    column_mapping: dict[str, str] | None = Field(
        description="Column of the file → field of the format; null where the names are the format's own."
    )
    source: dict[str, Any] = Field(description="Where it comes from: an upload, or a part of a split.")
    preprocessed_path: str | None = Field(description="Key of the converted file; null when there is none.")
    avg_instruction_length: float | None = Field(description="Mean characters of what is asked, for each row.")
    avg_output_length: float | None = Field(description="Mean characters of what is answered, for each row.")
    validated_at: datetime | None = Field(description="When it was last validated.")


class DatasetListResponse(Page[DatasetSummary]):
    """A page of datasets."""


class PreviewRow(BaseModel):
    """One row as it is in the file."""

    row: int = Field(description="Row number, from 1.")
    line: int | None = Field(description="First physical line of the row in the file; null for Parquet.")
    data: RowValue = Field(description="The row; null when it cannot be read.")
    error: str | None = Field(description="Why it cannot be read.")
    worst: Severity | None = Field(None, description="The worst that was found in the row; null when nothing was.")
    score: float | None = Field(
        None, description="0–1: what the row is worth by its worst finding; null until validated."
    )


class DatasetPreviewResponse(BaseModel):
    """Some rows of a dataset."""

    dataset_id: int = Field(description="Id of the dataset.")
    format: DataFormat = Field(description="Format of the rows.")
    columns: list[FieldName] = Field(description="Fields that occur in these rows.")
    offset: int = Field(description="Rows before the first one shown.")
    limit: int = Field(description="Rows that were asked for.")
    total: int | None = Field(description="Number of rows; null until validated.")
    rows: list[PreviewRow] = Field(description="The rows.")
