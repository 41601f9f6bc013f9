"""What is known about a model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field


class ModelMetadata(BaseModel):
    """A model, read from its configuration and the headers of its files."""

    model_id: str = Field(description="Name of the model.", examples=["tunesmith/tiny", "Qwen/Qwen3-0.6B"])
    architecture: str = Field(description="Architecture as transformers names it.", examples=["Qwen3ForCausalLM"])
    num_parameters: int = Field(description="Numbers in its tensors.")
    trainable_parameters: int = Field(description="Numbers that full fine-tuning would change.")
    dtype: str = Field(description="Number format of most of its tensors.", examples=["bfloat16"])
    context_length: int | None = Field(description="Longest prompt and answer together, in tokens.")
    vocab_size: int = Field(description="Entries of its vocabulary.")
    chat_template: bool = Field(description="Whether it brings a chat template.")
    device: str = Field(description="Device that it is, or would be, loaded on: `mps`, `cuda` or `cpu`.")
    estimated_memory_gb: float = Field(description="Estimated memory to answer with it, in 10⁹ bytes.")
    size_bytes: int = Field(description="Size of its weight files.")
    revision: str | None = Field(None, description="Revision, where the source has one.")
    loaded_at: datetime | None = Field(None, description="When it was loaded; null while it is not.")


class LocalModel(BaseModel):
    """A model in the local store."""

    model_id: str = Field(description="Name to use it by.")
    path: str = Field(description="Its folder.")
    architecture: str = Field(description="Architecture.")
    num_parameters: int = Field(description="Numbers in its tensors.")
    size_bytes: int = Field(description="Size of its weight files.")
    last_used: datetime | None = Field(None, description="When it was last used.")


class MemoryState(BaseModel):
    """Memory of the device that models run on, in 10⁹ bytes."""

    total_gb: float = Field(description="All of it.")
    available_gb: float = Field(description="What is free now.")
    used_gb: float = Field(description="What is in use.")


class MemoryEstimate(BaseModel):
    """What a model would take, and whether it fits now."""

    inference_gb: float = Field(description="To answer with it.")
    training_gb: float = Field(description="To train a LoRA adapter on it with the batch size below.")
    optimal_batch_size: int = Field(
        description="Largest power of two (at most 32) that fits in the free memory; at least 1."
    )
    fits: bool = Field(description="Whether answering fits in the free memory.")


@dataclass(frozen=True)
class ResolvedModel:
    """A model folder that was found and looked through."""

    reference: str
    path: Path
    metadata: ModelMetadata
