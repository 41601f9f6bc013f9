"""What the dataset routes of the workbench answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from tunesmith.domains.datasets import ColumnBrief, DataFormat, DatasetStatus, FindingCounts


class DatasetInfo(BaseModel):
    """The current dataset."""

    dataset_id: int = Field(description="Id of the version, as the control plane knows it.")
    uploaded_dataset_id: int = Field(description="Id of the upload that it came from.")
    name: str = Field(description="Name that people see.")
    version: str = Field(description="Version.")
    status: DatasetStatus = Field(description="Where the version is in its life.")
    format: DataFormat = Field(description="Shape of the rows that was detected.")
    file_name: str = Field(description="Name of the file.")
    file_kind: str = Field(description="How the rows are written down.")
    encoding: str = Field(description="Text encoding that was detected.")
    packing: str = Field(description="How the file is packed: none, gzip, zstd or zip.")
    columns: list[ColumnBrief] = Field(description="Columns with their types.")
    rows: int | None = Field(description="Number of rows; null until validated.")
    size_bytes: int = Field(description="Size of the file.")
    sha256: str = Field(description="SHA-256 of the file.")
    quality_score: float | None = Field(description="0–1; null until validated.")
    findings_counts: FindingCounts | None = Field(description="What the doctor found; null until validated.")
    source: dict[str, Any] = Field(description="What made this version: an upload, or a change with its report.")
    job_id: int | None = Field(description="Job of the newest validation.")


class DatasetHealth(BaseModel):
    """State of the workbench's datasets."""

    status: Literal["ready", "validating", "invalid", "changing", "idle"] = Field(
        description="Of the current dataset; `changing`: a job makes its next version; `idle`: there is none."
    )
    current_dataset: str | None = Field(description="`name@version` of the current dataset.")
    dataset_id: int | None = Field(description="Its id.")
    rows: int | None = Field(description="Its rows; null until validated.")
    job_id: int | None = Field(description="Job that makes the next version, if one does.")
    formats: list[DataFormat] = Field(description="Shapes of rows that are understood.")
    extensions: list[str] = Field(description="Extensions of files that can be uploaded.")
    max_file_size_bytes: int = Field(description="Largest file of a form upload.")
