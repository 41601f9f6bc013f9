"""What exports look like from outside."""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tunesmith.kit.paging import Page

NO_NUL = r"^[^\x00]*$"
FORMAT_HELP = "`gguf`, `merged`, `hf`, `adapter`, `onnx`, `ollama`, `mlx` or `zip`."
METHOD_HELP = (
    "GGUF method of `gguf`, `ollama` and `zip` (default `Q8_0`); `fp32`, `bf16` or `fp16` of `merged` and `hf`."
)


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


class PromptResult(BaseModel):
    """What the artefact did with one prompt, beside its source."""

    question: str = Field(description="The last message of the conversation.")
    prompt: str = Field(description="The prompt as the source renders it.")
    artefact_prompt: str | None = Field(None, description="As the artefact renders it; null when it is the same.")
    same_prompt: bool | None = Field(None, description="Whether both render the same bytes; null when not asked.")
    same_tokens: bool | None = Field(None, description="Whether both read the same token ids.")
    token_agreement: float | None = Field(None, description="Share of positions where both choose the same token.")
    mean_kl: float | None = Field(None, description="Mean KL divergence over the positions, in nats.")
    max_kl: float | None = Field(None, description="Largest KL divergence, in nats.")
    first_difference: int | None = Field(None, description="First position where the choices differ, from 0.")
    source_answer: str = Field(description="The source's greedy answer, at most 32 tokens.")
    artefact_answer: str | None = Field(None, description="The artefact's own; null when it could not answer.")
    same_answer: bool | None = Field(None, description="Whether text and ending are the same.")
    source_stopped: bool | None = Field(None, description="Whether the source ended its answer by itself.")
    artefact_stopped: bool | None = Field(None, description="Whether the artefact did.")

    @classmethod
    def of(cls, messages: list[dict[str, Any]], prompt: str, answer: str) -> PromptResult:
        """What is known before the artefact is asked."""
        question = str(messages[-1].get("content", ""))
        return cls.model_validate({"question": question, "prompt": prompt, "source_answer": answer})


class CertificateDocument(Certificate):
    """A certificate with everything that it was drawn from."""

    artefact: str = Field("", description="Name of the file or folder that was judged.")
    source: str = Field("", description="The model that it was judged against.")
    format: str = Field("", description="What the artefact is.")
    method: str | None = Field(None, description="Its method; the thresholds follow it.")
    certified_at: datetime | None = Field(None, description="When it was judged.")
    prompts: list[PromptResult] = Field(default_factory=list, description="Each prompt and both answers.")


class ExportOutput(BaseModel):
    """One artefact to write."""

    model_config = ConfigDict(extra="forbid")
    format: str = Field(max_length=50, description=FORMAT_HELP)
    method: str | None = Field(None, max_length=50, description=METHOD_HELP)
    max_shard_bytes: int | None = Field(
        None, ge=2**20, description="Largest weight file of `merged` and `hf`, in bytes; default 5 × 10⁹."
    )


class ImportanceRequest(BaseModel):
    """What an importance matrix is measured on, or one that there is."""

    model_config = ConfigDict(extra="forbid")
    dataset_id: int | None = Field(None, ge=1, le=2**31 - 1, description="Dataset whose rows the model is run over.")
    rows: int = Field(256, ge=1, le=10_000, description="How many of its rows are looked at.")
    file: str | None = Field(
        None, max_length=4096, pattern=NO_NUL, description="An importance matrix of llama.cpp on the server's machine."
    )

    @model_validator(mode="after")
    def _one_source(self) -> ImportanceRequest:
        if (self.dataset_id is None) == (self.file is None):
            raise ValueError("give either dataset_id or file")
        return self


class ExportJobSpec(BaseModel):
    """What an `export` job does: a registered version, or any model by name."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_id: int | None = Field(None, description="Version to export.")
    model: str | None = Field(None, description="Model to export, as every command takes it.")
    outputs: list[ExportOutput] = Field(min_length=1, description="What to write, in this order.")
    adapter: str | None = Field(None, description="Adapter folder that is merged into the model.")
    name: str | None = Field(None, description="Stem of the files; default is the model's name.")
    importance: ImportanceRequest | None = Field(None, description="Importance matrix for the GGUF methods.")


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
    format: str = Field(description=FORMAT_HELP)
    method: str | None = Field(None, description=METHOD_HELP)
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


class ExportOption(BaseModel):
    """Something that a version can be exported to."""

    format: str = Field(description=FORMAT_HELP)
    method: str | None = Field(description=METHOD_HELP)
    size_bytes: int = Field(description="About how large the artefact becomes, in bytes.")
    memory_bytes: int = Field(description="About how much memory answering with it takes, in bytes.")
    fits: bool = Field(description="Whether that much memory is free on the server now.")
    recommended: bool = Field(False, description="Whether it is what to take on this machine.")
    refusal: str | None = Field(None, description="Why it cannot be written; null when it can.")
    refusal_code: str | None = Field(None, description="Code of the refusal.")


class ExportOptions(BaseModel):
    """What a version can be exported to, and what to take."""

    options: list[ExportOption] = Field(description="Every format with each of its methods.")
    reason: Literal["fits", "smallest", "no-gguf"] | None = Field(
        description="Why the recommended one: the most exact of at most 8 bits that `fits` the free memory, the `smallest` "
        "where none does, or merged where the architecture has `no-gguf`."
    )
    free_memory_bytes: int = Field(description="Free memory of the server, in bytes.")
    free_disk_bytes: int = Field(description="Free disk space in its data folder, in bytes.")


class ExportListResponse(Page[ExportResponse]):
    """A page of exports, newest first."""


class ModelExportRequest(BaseModel):
    """Export a version; every artefact gets a certificate."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"format": "gguf", "methods": ["F16", "Q8_0"]}]}
    )
    format: str = Field(max_length=50, description=FORMAT_HELP)
    method: str | None = Field(None, max_length=50, description=METHOD_HELP)
    methods: list[str] | None = Field(None, min_length=1, max_length=20, description="Several methods at once.")
    max_shard_bytes: int | None = Field(
        None, ge=2**20, description="Largest weight file of `merged` and `hf`, in bytes; default 5 × 10⁹."
    )
    importance: ImportanceRequest | None = Field(None, description="Importance matrix for the GGUF methods.")


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
    adapter: str | None = Field(
        None,
        max_length=4096,
        pattern=NO_NUL,
        description="Adapter folder of the server's machine that is merged into the model first.",
    )
    name: str | None = Field(
        None, max_length=100, pattern=NO_NUL, description="Stem of the files; default is the model's name."
    )
    importance: ImportanceRequest | None = Field(
        None,
        description="Importance matrix for the GGUF methods: the columns that your data uses keep more of their value.",
    )


class CertificateRequest(BaseModel):
    """Judge an artefact by what it and its source answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"artefact": "/exports/guide-1.0.0-Q8_0.gguf", "source": "guide@1.0.0"}]},
    )
    artefact: str = Field(
        min_length=1,
        max_length=4096,
        pattern=NO_NUL,
        description="Absolute path of a GGUF file, a portable zip, or a folder: model, adapter, ONNX, Ollama or MLX.",
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
