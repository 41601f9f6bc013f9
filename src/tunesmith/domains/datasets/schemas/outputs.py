"""Statistics, prepared files and downloads of a dataset."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.doctor import FindingCounts
from tunesmith.domains.datasets.errors import UnsupportedFormatError
from tunesmith.domains.datasets.formats import DataFormat
from tunesmith.domains.datasets.schemas.dataset import DatasetStatus
from tunesmith.domains.datasets.schemas.derivation import PlainText
from tunesmith.domains.datasets.schemas.values import RowValue


class DatasetStatsResponse(BaseModel):
    """What is known about a dataset without reading its file."""

    dataset_id: int = Field(description="Id of the dataset.")
    name: str = Field(description="Name that people see.")
    version: str = Field(description="Version of the dataset.")
    format: DataFormat = Field(description="Format of the rows.")
    status: DatasetStatus = Field(description="Where the dataset is in its life.")
    total_samples: int | None = Field(description="Number of rows; null until validated.")
    size_bytes: int = Field(description="Size of the file.")
    avg_instruction_length: float | None = Field(description="Mean characters of what is asked, for each row.")
    avg_output_length: float | None = Field(description="Mean characters of what is answered, for each row.")
    quality_score: float | None = Field(description="0–1; null until validated.")
    findings_counts: FindingCounts | None = Field(description="`{red, amber, green, by_code}` of the last validation.")
    preprocessed_path: str | None = Field(description="Key of the prepared file; null when there is none.")
    validated_at: datetime | None = Field(description="When it was last validated.")


class TokenBin(BaseModel):
    """One bar of the histogram."""

    start: int = Field(description="Fewest tokens that count here.")
    end: int = Field(description="The first number of tokens that counts in the next bar.")
    rows: int = Field(description="Rows with that many tokens.")


class TokenDistribution(BaseModel):
    """Tokens of the rows: of all texts that training reads, without what a chat template adds."""

    model: str = Field(description="Model whose tokenizer counted.")
    total: int = Field(description="Tokens of all rows.")
    mean: float = Field(description="Tokens of a row.")
    minimum: int = Field(description="Tokens of the shortest row.")
    maximum: int = Field(description="Tokens of the longest row.")
    percentiles: dict[str, float] = Field(description="p5, p25, p50, p75, p90, p95, p99.")
    histogram: list[TokenBin] = Field(description="At most 20 bars of equal width.")


class FileStatistics(BaseModel):
    """Figures over the rows that can be trained on."""

    total_samples: int = Field(description="Number of rows.")
    avg_instruction_length: float = Field(description="Mean characters of what is asked, for each row.")
    avg_output_length: float = Field(description="Mean characters of what is answered, for each row.")
    token_distribution: TokenDistribution | None = Field(None, description="Null unless tokens were counted.")
    sample_examples: list[RowValue] = Field(
        default_factory=list, description="The first rows, at most 5; personal data masked."
    )


class DatasetStatisticsResponse(BaseModel):
    """Statistics computed from the file; the same content is computed once."""

    dataset_id: int = Field(description="Id of the dataset.")
    file_path: str = Field(description="Key of the file in the store.")
    statistics: FileStatistics = Field(description="The figures.")


class PreprocessFormat(StrEnum):
    """Formats that a file can be prepared in; Axolotl and others read them."""

    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"
    MESSAGES = "messages"

    @classmethod
    def of(cls, name: str) -> PreprocessFormat:
        """The format of that name; raises UnsupportedFormatError."""
        if name not in list(cls):
            raise UnsupportedFormatError(
                f"A dataset cannot be prepared as {name[:60]!r}.", hint=f"Send one of {', '.join(cls)}."
            )
        return cls(name)


Name = Annotated[PlainText, Field(min_length=1, max_length=500)]


class DatasetPreprocessRequest(BaseModel):
    """How a file is prepared."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"column_mapping": {"질문": "instruction", "답변": "output"}, "skip_invalid": True}]
        },
    )
    column_mapping: dict[Name, Name] | None = Field(
        None,
        max_length=1000,
        description="Column of the file → field of a format. Field → column is understood, too, where it is clear.",
    )
    skip_invalid: bool = Field(False, description="Leave rows out that cannot be prepared, and list them; else 422.")
    max_file_size: int | None = Field(
        None, ge=1, le=2**53, description="Largest input in bytes, instead of the setting; administrators only."
    )


class PreprocessFault(BaseModel):
    """A row that cannot be prepared."""

    row: int = Field(description="Row number, from 1.")
    line: int | None = Field(description="First physical line of the row in the uploaded file.")
    field: str = Field(description="JSON pointer to the place inside the row.")
    message: str = Field(description="Why.")


class DatasetPreprocessResponse(BaseModel):
    """What became of a preparation."""

    message: str = Field(description="The outcome in one sentence.")
    dataset_id: int = Field(description="Id of the dataset.")
    output_format: PreprocessFormat = Field(description="Format of the file.")
    output_path: str = Field(description="Key of the prepared file in the store; download it as `preprocessed`.")
    statistics: FileStatistics = Field(description="Figures over the prepared rows.")
    skipped_rows: int = Field(description="Rows that were left out.")
    validation_errors: list[PreprocessFault] = Field(description="Why rows were left out, the first 1,000.")


class DownloadFormat(StrEnum):
    """What a dataset can be downloaded as."""

    ORIGINAL = "original"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    HF = "hf"
    PREPROCESSED = "preprocessed"


class PackedDataset(BaseModel):
    """A dataset written in another form, ready to be downloaded."""

    dataset_id: int = Field(description="Id of the dataset.")
    format: DownloadFormat = Field(description="What it is written as.")
    file_path: str = Field(description="Key of the file in the store.")
    size_bytes: int = Field(description="Size of the file.")
    rows: int = Field(description="Rows in it.")
