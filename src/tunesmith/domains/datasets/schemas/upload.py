"""A file that arrives in parts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class UploadState(StrEnum):
    """``receiving → storing → complete → used``; one that stands still expires and is gone."""

    RECEIVING = "receiving"
    STORING = "storing"
    COMPLETE = "complete"
    USED = "used"


class UploadCreate(BaseModel):
    """What is going to arrive."""

    model_config = ConfigDict(extra="forbid")
    file_name: str = Field(min_length=1, max_length=255, description="Name of the file.", examples=["rows.jsonl"])
    size_bytes: int = Field(ge=1, le=2**53, description="Its size; not a byte more will be taken.")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Its SHA-256, compared when it is complete; may be left out."
    )


class UploadResponse(BaseModel):
    """How much of a file has arrived."""

    id: int = Field(description="Id of the upload; a new dataset takes it as `upload_id`.")
    file_name: str = Field(description="Name of the file.")
    size_bytes: int = Field(description="Size of the whole file.")
    received_bytes: int = Field(description="Bytes that are safe on disk: the offset of the next part.")
    sha256: str | None = Field(description="SHA-256 as promised; when complete, as it is.")
    state: UploadState = Field(description="`receiving`, `storing`, `complete`, or `used` by a dataset.")
    expires_at: datetime = Field(
        description="When it is removed unless another part arrives or a dataset is made of it."
    )
