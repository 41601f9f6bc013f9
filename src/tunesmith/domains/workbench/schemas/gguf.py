"""What the GGUF routes of the workbench take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.export import ExportStatus, ImportanceRequest
from tunesmith.domains.jobs import JobState
from tunesmith.domains.models import MemoryState
from tunesmith.kit.paging import Page

NO_NUL = r"^[^\x00]*$"


class GgufHealth(BaseModel):
    """Whether models can be converted here."""

    status: Literal["healthy", "unavailable"] = Field(description="`unavailable` where a library is missing.")
    message: str = Field(description="The same in a sentence.")
    quantizer_available: bool = Field(description="Whether the K formats can be packed; no compiler is needed.")
    methods: list[str] = Field(description="Every method that can be written, the largest first.")
    architectures: list[str] = Field(description="Kinds of models that can be converted.")
    memory: MemoryState = Field(description="Memory of the device that models run on.")
    free_disk_bytes: int = Field(description="Free space in the data folder, in bytes.")


class GgufConvertRequest(BaseModel):
    """Convert a model, or a base with an adapter, to one or more GGUF files; every file gets a certificate."""

    model_config = ConfigDict(
        extra="forbid",
        protected_namespaces=(),
        json_schema_extra={"examples": [{"model": "tunesmith/tiny", "methods": ["Q4_K_M", "Q8_0"]}]},
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        pattern=NO_NUL,
        description="`name@version`, `run:ID`, a folder, `tunesmith/tiny` or a Hub id in the local store; default is the "
        "current model.",
    )
    base: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        pattern=NO_NUL,
        description="Base model, in the same forms, with `adapter`.",
    )
    adapter: str | None = Field(
        None, min_length=1, max_length=4096, pattern=NO_NUL, description="Adapter folder that is merged into it."
    )
    method: str | None = Field(None, max_length=50, description="One method; default `Q4_K_M`.")
    methods: list[str] | None = Field(
        None, min_length=1, max_length=20, description="Several methods, or `all` as the only one."
    )
    importance: ImportanceRequest | None = Field(None, description="Importance matrix from your own data.")
    output_name: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        pattern=NO_NUL,
        description="Stem of the files; default is the model's name.",
    )


class GgufValidateRequest(BaseModel):
    """Check a GGUF file: its frame, then load it and let it generate."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"file_path": "exports/job-7/guide-1.0.0-Q4_K_M.gguf"}]}
    )
    file_path: str = Field(
        min_length=1,
        max_length=4096,
        pattern=NO_NUL,
        description="Path on the server's machine, absolute or relative to an allowed root or the store.",
    )
    prompt: str = Field(
        "Hello", min_length=1, max_length=2000, pattern=NO_NUL, description="What it is given to continue."
    )


class GgufFile(BaseModel):
    """A file that a conversion has made."""

    export_id: int = Field(description="Id of the export.")
    method: str = Field(description="GGUF method.")
    path: str = Field(description="Where it lies.")
    size_bytes: int = Field(description="Its size in bytes.")
    compression_ratio: float = Field(description="Size of the source's weights divided by its size.")
    status: ExportStatus = Field(description="`ready`, or `failed` when its certificate failed.")


class GgufConversion(BaseModel):
    """A conversion that was started."""

    model_config = ConfigDict(protected_namespaces=())
    id: int = Field(description="Id of the entry.")
    job_id: int = Field(description="Job that does it.")
    model: str = Field(description="Model that is converted.")
    methods: list[str] = Field(description="Methods that were asked for.")
    uses_importance: bool = Field(description="Whether an importance matrix is used.")
    state: JobState = Field(description="Where the job is in its life.")
    progress: float = Field(description="Share done, 0 to 1.")
    error: str | None = Field(description="Why it failed.")
    source_bytes: int = Field(description="Size of the source's weights in bytes.")
    files: list[GgufFile] = Field(description="What it has made.")
    created_at: datetime = Field(description="When it was started.")


class GgufHistory(Page[GgufConversion]):
    """A page of conversions, newest first."""


class GgufHistoryCleared(BaseModel):
    """What clearing did."""

    cleared: int = Field(description="Entries that were removed; files and exports stay.")
    message: str = Field(description="The same in a sentence.")


class GgufMethodStatistics(BaseModel):
    """The files of one method."""

    method: str = Field(description="GGUF method.")
    files: int = Field(description="Files of it.")
    average_compression_ratio: float = Field(description="Mean of source size divided by file size.")
    total_size_bytes: int = Field(description="Size of all of them in bytes.")
    ready: int = Field(description="How many have a certificate that holds.")


class GgufStatistics(BaseModel):
    """Figures over the newest 200 conversions of the history."""

    total_conversions: int = Field(description="Conversions in the history.")
    succeeded: int = Field(description="Those that succeeded.")
    failed: int = Field(description="Those that failed or were cancelled.")
    running: int = Field(description="Those that wait or run.")
    total_files: int = Field(description="Files that were made.")
    total_source_bytes: int = Field(description="Size of the sources of all files, in bytes.")
    total_size_bytes: int = Field(description="Size of all files, in bytes.")
    average_compression_ratio: float | None = Field(description="Mean over all files; null when there are none.")
    best_compression_ratio: float | None = Field(description="The largest; null when there are none.")
    saved_bytes: int = Field(description="How much smaller the files are than their sources, in bytes.")
    by_method: list[GgufMethodStatistics] = Field(description="The same by method, the best compression first.")
