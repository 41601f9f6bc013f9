"""What the model routes of the workbench answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from tunesmith.domains.models import LocalModel, MemoryState, ModelMetadata
from tunesmith.domains.runtime import LoadedModel
from tunesmith.kit.paging import Page


class LoadedModelResponse(ModelMetadata):
    """The model that was loaded."""

    cached: bool = Field(description="Whether it was loaded already.")


class ModelLoading(BaseModel):
    """The model is still being loaded."""

    status: Literal["loading"] = Field("loading", description="Always `loading`.")
    model_id: str = Field(description="Name of the model.")
    links: dict[str, str] = Field(description="`self`: where the model will be.")


class UnloadResponse(BaseModel):
    """What unloading did."""

    unloaded: bool = Field(description="Whether a model was loaded.")
    model_id: str | None = Field(None, description="Name of the model that was unloaded.")
    freed_bytes: int = Field(0, description="Resident memory that went back to the system.")
    message: str = Field(description="The same in a sentence.")


class LocalModelListResponse(Page[LocalModel]):
    """A page of the local store."""


class ModelHealthResponse(BaseModel):
    """State of the runtime, the device and its memory."""

    status: Literal["ready", "loading", "idle"] = Field(
        description="`ready`: the current model answers; `loading`; `idle`: nothing is loaded for you."
    )
    current_model: str | None = Field(None, description="Name of the current model.")
    device: str = Field(description="Device that models run on: `mps`, `cuda` or `cpu`.")
    memory: MemoryState = Field(description="Its memory.")
    loaded: list[LoadedModel] = Field(description="Everything that is loaded.")
    optimal_batch_size: int | None = Field(
        None, description="Largest training batch that fits, for the current model or `num_parameters`."
    )
    estimated_memory_gb: float | None = Field(
        None, description="Memory to answer with it, in 10⁹ bytes, for the current model or `num_parameters`."
    )
