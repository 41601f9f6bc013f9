"""What a child process is told to do, one model for each kind of child."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.wire.gguf_architectures import GGUF_ARCHITECTURES as GGUF_ARCHITECTURES
from tunesmith.wire.recipe import Recipe


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChildSpec(_Spec):
    """What every child gets."""

    job_id: int = Field(0, description="Job that this child works for.")
    attempt: int = Field(1, description="Number of this start.")
    lease_seconds: float = Field(15.0, description="A child exits when its lease is stale for twice this time.")
    device: Literal["auto", "mps", "cuda", "cpu"] = Field(
        "auto", description="Device; `auto` takes the first of mps, cuda, cpu."
    )


class TrainSpec(ChildSpec):
    """Train one model."""

    kind: Literal["train"] = "train"
    recipe: Recipe = Field(description="The resolved recipe.")
    model_path: str = Field(description="Folder of the base model.")
    train_file: str = Field(description="JSONL of messages to train on.")
    validation_file: str | None = Field(None, description="JSONL of messages to evaluate on.")
    resume_from: str | None = Field(None, description="Folder of a verified checkpoint to go on from.")
    cache_path: str | None = Field(
        None, description="Folder in which runs share tokenised rows and what autotune found; empty keeps nothing."
    )
    repairs: list[str] = Field(
        default_factory=list, description="What earlier attempts had to change in the recipe to fit into memory."
    )


class ForecastSpec(ChildSpec):
    """Rehearse a training: what it will take, from its first updates."""

    kind: Literal["forecast"] = "forecast"
    recipe: Recipe = Field(description="The recipe.")
    model_path: str = Field(description="Folder of the base model.")
    train_file: str = Field(description="JSONL of messages to train on.")
    validation_file: str | None = Field(None, description="JSONL of messages to evaluate on.")


class ServeSpec(ChildSpec):
    """Load one model and answer over HTTP on loopback."""

    kind: Literal["serve"] = "serve"
    backend: Literal["transformers", "llamacpp", "onnx", "mlx", "vllm", "tgi", "remote", "fake"] = "transformers"
    model_path: str = Field(description="Model folder, or a GGUF file for llamacpp.")
    tokenizer_path: str | None = Field(
        None, description="Folder with tokenizer and template when the model path has none (GGUF)."
    )
    address: str | None = Field(None, description="OpenAI-compatible address of a model that runs elsewhere.")
    remote_model: str | None = Field(None, description="Name of the model there.")
    launch: list[str] | None = Field(
        None, description="Command that starts such an address here; `{port}` stands for its port."
    )


class EmbedSpec(ChildSpec):
    """Find texts that mean the same."""

    kind: Literal["embed"] = "embed"
    model_path: str = Field(description="Folder of the model that turns a text into a vector.")
    texts_file: str = Field(description="One JSON string a line.")
    texts: int = Field(description="Lines of that file.")
    threshold: float = Field(description="Cosine from which on two texts are connected.")
    max_tokens: int = Field(256, description="A longer text is cut for the comparison.")


class ExportSpec(ChildSpec):
    """Write one model in other formats."""

    kind: Literal["export"] = "export"
    model_path: str = Field(description="Folder of the base (or full) model.")
    adapter_path: str | None = Field(None, description="Adapter folder to merge.")
    outputs: list[dict[str, Any]] = Field(description="[{format, method, max_shard_bytes}] in the order to write them.")
    name: str = Field("model", description="Stem of the files.")
    title: str | None = Field(None, description="Name of the model for people.")
    base_model: str | None = Field(None, description="Name of the base model, where it has one besides its folder.")
    card: str | None = Field(None, description="Model card as Markdown, for formats that carry one.")
    calibration_path: str | None = Field(
        None, description="JSONL of rows from which the importance matrix of GGUF methods is measured."
    )
    calibration_rows: int = Field(256, description="How many of its rows are looked at.")
    importance_path: str | None = Field(None, description="An importance matrix that llama.cpp or Tunesmith wrote.")
