"""What the runtime says about itself."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class LoadedModel(BaseModel):
    """A model that is loaded now."""

    name: str = Field(description="Name that it was loaded by.", examples=["tunesmith/tiny"])
    backend: str = Field(description="`transformers` or `llamacpp`.", examples=["transformers"])
    device: str = Field(description="`mps`, `cuda` or `cpu`.", examples=["cpu"])
    dtype: str = Field(description="Number format that it computes in.", examples=["float32"])
    adapter: bool = Field(description="Whether it answers with an adapter on top of the base, too.")
    context_length: int = Field(description="Longest prompt and answer together, in tokens.")
    memory_bytes: int = Field(description="Resident memory of its process.")
    active_requests: int = Field(description="Sessions that use it now.")
    loaded_at: datetime = Field(description="When it was loaded.")
    idle_seconds: float = Field(description="Time since it was last used; 0 while it is.")
