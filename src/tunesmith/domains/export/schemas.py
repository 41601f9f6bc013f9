"""What exports look like from outside."""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tunesmith.kit.paging import Page

NO_NUL = r"^[^\x00]*$"


class ExportStatus(StrEnum):
    """Whether an export may be used."""

    READY = "ready"
    FAILED = "failed"


class Check(BaseModel):
    """One comparison of an artefact with its source."""

    name: str = Field(description="What was compared.", examples=["token_agreement"])
    passed: bool = Field(description="Whether it holds.")
    value: float | None = Field(description="What was measured; null when it could not be.")
    threshold: float | None = Field(description="What it is held against; null when it is only reported.")
    message: str | None = Field(None, description="Why it could not be measured.")

    @field_validator("value")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        return value if value is None or math.isfinite(value) else None  # JSON has no infinity


class Certificate(BaseModel):
    """Whether an artefact behaves like its source."""

    passed: bool = Field(description="Whether every check holds.")
    checks: list[Check] = Field(description="The checks.")

    @classmethod
    def of(cls, checks: list[Check]) -> Certificate:
        """The certificate of these checks."""
        return cls(passed=all(check.passed for check in checks), checks=checks)


class ExportOutput(BaseModel):
    """One artefact to write."""

    model_config = ConfigDict(extra="forbid")
    format: str = Field(max_length=50, description="`merged` or `gguf`.")
    method: str | None = Field(None, max_length=50, description="GGUF method.")


class ExportJobSpec(BaseModel):
    """What an `export` job does: a registered version, or any model by name."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_id: int | None = Field(None, description="Version to export.")
    model: str | None = Field(None, description="Model to export, as every command takes it.")
    outputs: list[ExportOutput] = Field(min_length=1, description="What to write, in this order.")


class CertifyJobSpec(BaseModel):
    """What a `certify` job does: an export that is kept here, or any artefact beside its source."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_id: int | None = Field(None, description="Version that was exported.")
    export_id: int | None = Field(None, description="Export to check again.")
    artefact: str | None = Field(None, description="File or folder to check.")
    source: str | None = Field(None, description="Model that it was made from, as every command takes it.")
    output: ExportOutput | None = Field(None, description="Format and method of the artefact.")


class ExportFile(BaseModel):
    """A file of an export."""

    name: str = Field(description="Name of the file.")
    sha256: str = Field(description="SHA-256 of its bytes.")
    size_bytes: int = Field(description="Size in bytes.")


class ExportResponse(BaseModel):
    """An export of a version."""

    model_config = ConfigDict(protected_namespaces=())
    id: int = Field(description="Id of the export.")
    model_id: int | None = Field(description="Version that was exported; null for a model that is not registered.")
    source: str = Field(description="Model that was exported.")
    job_id: int = Field(description="Job that made it.")
    format: str = Field(description="`merged` or `gguf`.")
    method: str | None = Field(None, description="GGUF method.")
    status: ExportStatus = Field(description="`ready`, or `failed` when the certificate failed.")
    path: str = Field(description="Where it lies: a path of the server's machine, or a key of its store.")
    files: list[ExportFile] = Field(description="Its files.")
    size_bytes: int = Field(description="Size of all files in bytes.")
    sha256: str = Field(description="SHA-256 of the file; of a folder, of its list of files as `sha256sum` prints it.")
    certificate: Certificate = Field(description="Whether it behaves like its source.")
    created_at: datetime = Field(description="When it was made.")


class ExportResult(BaseModel):
    """What came of an `export` job."""

    exports: list[ExportResponse] = Field(description="The artefacts, in the order in which they were asked for.")


class ExportListResponse(Page[ExportResponse]):
    """A page of exports, newest first."""


class ModelExportRequest(BaseModel):
    """Export a version; every artefact gets a certificate."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"format": "gguf", "methods": ["F16", "Q8_0"]}]}
    )
    format: str = Field(max_length=50, description="`merged` or `gguf`.")
    method: str | None = Field(None, max_length=50, description="GGUF method: `F16` or `Q8_0`; default `Q8_0`.")
    methods: list[str] | None = Field(None, min_length=1, max_length=20, description="Several GGUF methods at once.")


class ExportRequest(BaseModel):
    """Export any model; every artefact gets a certificate."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"model": "guide@1.0.0", "outputs": [{"format": "gguf", "method": "Q8_0"}]}]},
    )
    model: str = Field(
        min_length=1,
        max_length=4096,
        pattern=NO_NUL,
        description="`name@version`, `run:ID`, a folder, `tunesmith/tiny` or a Hub id in the local store.",
    )
    outputs: list[ExportOutput] = Field(min_length=1, max_length=20, description="What to write, in this order.")


class CertificateRequest(BaseModel):
    """Judge an artefact by what it and its source answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"artefact": "/exports/guide-1.0.0-Q8_0.gguf", "source": "guide@1.0.0"}]},
    )
    artefact: str = Field(
        min_length=1, max_length=4096, pattern=NO_NUL, description="Absolute path of a GGUF file or a model folder."
    )
    source: str = Field(
        min_length=1,
        max_length=4096,
        pattern=NO_NUL,
        description="The model it was made from, as every command takes it.",
    )
    method: str | None = Field(
        None, max_length=50, description="Hold it against the thresholds of this method; default is what the file says."
    )
