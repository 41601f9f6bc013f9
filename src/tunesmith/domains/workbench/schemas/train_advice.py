"""What the advice on training is asked with, and what it answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class RecommendRequest(BaseModel):
    """What to recommend for; what is left out is the current one."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{}, {"model": "tunesmith/tiny", "dataset_id": 1}]}
    )
    model: str | None = Field(None, min_length=1, max_length=1024, description="Model; default is the current one.")
    dataset_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Dataset; default is the current one."
    )
    available_memory_gb: float | None = Field(
        None, gt=0, le=1e6, description="Memory to count with, in 10⁹ bytes; default is what is free now."
    )


class PrepareRequest(RecommendRequest):
    """A run to prepare: what `/train/config-…` has configured; without that, or with changes, what is recommended."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{}, {"hyperparameters": {"lora_rank": 8}}]}
    )
    hyperparameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Changes of what is recommended, in the words of the short form; what is configured is then left aside.",
    )
