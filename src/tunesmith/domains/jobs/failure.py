"""Why a job failed: one shape, whoever found out."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field


class ErrorType(StrEnum):
    """Where the cause of a failure lies."""

    GPU = "GPU_ERROR"
    DATASET = "DATASET_ERROR"
    CONFIGURATION = "CONFIGURATION_ERROR"
    CHECKPOINT = "CHECKPOINT_ERROR"
    ENGINE = "ENGINE_ERROR"
    NETWORK = "NETWORK_ERROR"
    DISK = "DISK_ERROR"
    UNKNOWN = "UNKNOWN_ERROR"


class JobFailure(BaseModel):
    """Why a job failed."""

    code: str = Field(description="Stable slug of the error.", examples=["out-of-memory"])
    error_type: str = Field(ErrorType.UNKNOWN, description="Where the cause lies.", examples=["GPU_ERROR"])
    message: str = Field(description="What was wrong, in words a person can act on.")
    hint: str = Field("", description="What to do.")
    reason: str | None = Field(None, description="A finer reason, such as `out-of-memory`.")
