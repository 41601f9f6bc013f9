"""What is asked of saving a dataset, and what it answers."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.schemas.derivation import PlainText


class SaveFormat(StrEnum):
    """What a dataset can be saved as."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    HF = "hf"


class DatasetSaveRequest(BaseModel):
    """How to save, and where."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"format": "parquet", "path": "ferry.parquet"}]}
    )
    format: SaveFormat = Field(
        SaveFormat.JSONL, description="JSON Lines, CSV, Parquet, or a dataset folder of the Hugging Face Hub."
    )
    path: PlainText | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="File (for `hf`: folder) of the server's machine; relative ones lie in `saved` of the data folder. "
        "Left out, the answer has a link to download it.",
    )
    overwrite: bool = Field(False, description="Whether a file that is there may be replaced.")


class DatasetSaveResponse(BaseModel):
    """A dataset that was saved."""

    dataset_id: int = Field(description="Dataset that was saved.")
    format: SaveFormat = Field(description="What it was saved as.")
    path: str | None = Field(
        description="Where it lies on the server's machine; null when only the link was asked for."
    )
    download: str = Field(description="Where it can be downloaded, on this server.")
    file_name: str = Field(description="Name of the download.")
    rows: int | None = Field(description="Its rows; null when the dataset has not been validated.")
    size_bytes: int = Field(description="Size of the file; of a folder the size of its ZIP.")
