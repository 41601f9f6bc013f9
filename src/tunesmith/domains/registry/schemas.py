"""What the registry looks like from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from tunesmith.kit.paging import Page
from tunesmith.ports.serving import NotServable, Servable

NAME_PATTERN = r"^[A-Za-z0-9_-]{1,255}$"
VERSION_PATTERN = r"^\d{1,9}\.\d{1,9}\.\d{1,9}$"
TAG_PATTERN = r"^[A-Za-z0-9_-]{1,50}$"

ModelName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Version = Annotated[str, StringConstraints(pattern=VERSION_PATTERN)]
Tag = Annotated[str, StringConstraints(pattern=TAG_PATTERN)]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ModelStatus(StrEnum):
    """Where a version stands."""

    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


class DatasetReference(BaseModel):
    """The data that a model was trained on."""

    model_config = ConfigDict(extra="allow")
    id: int | None = Field(None, description="Id of the dataset, when it is one of ours.")
    name: str = Field("", description="Its name.")
    version: str | None = Field(None, description="Its version.")
    sha256: str = Field("", description="SHA-256 of its content.")
    rows: int = Field(0, description="Rows that were trained on.")


class Publication(BaseModel):
    """What a training leaves behind for others: everything that a version needs, and nothing to look up."""

    model_config = ConfigDict(extra="allow")
    job_id: int | None = Field(None, description="Job that trained it.")
    base_model: str = Field(description="Base model, as the recipe names it.")
    base_path: str = Field(description="Folder of the base model.")
    adapter_dir: str | None = Field(None, description="Folder of the adapter that came of it.")
    model_dir: str | None = Field(
        None, description="Folder of the model that came of it, when all weights were trained."
    )
    task: Literal["text", "score"] = Field("text", description="`text`: it writes; `score`: it is a reward model.")
    recipe: dict[str, Any] = Field(default_factory=dict, description="The resolved recipe.")
    dataset: DatasetReference | None = Field(None, description="The data.")
    metrics: dict[str, Any] = Field(default_factory=dict, description="What the training measured.")
    weights_sha256: str | None = Field(None, description="Hash of the trained tensors.")
    trained_tokens: int | None = Field(None, description="Labels that carried loss, over all updates.")
    final_loss: float | None = Field(None, description="Mean training loss over the last tenth of the updates.")
    eval_loss: float | None = Field(None, description="Evaluation loss of the weights that came of it.")

    @model_validator(mode="after")
    def _has_weights(self) -> Publication:
        if (self.adapter_dir is None) == (self.model_dir is None):
            raise ValueError("one of adapter_dir and model_dir is needed")
        return self

    @property
    def weights_dir(self) -> Path:
        """Folder of what was trained."""
        return Path(self.adapter_dir or self.model_dir or "")

    def servable(self, name: str, weights: Path | None = None) -> Servable:
        """What to load for it, its weights in ``weights`` when they were moved. Raises NotServable for a reward model."""
        if self.task == "score":
            raise NotServable(
                f"{name} is a reward model: it scores answers and writes none.",
                hint="Its pair accuracy is in the figures of its run; chat, evaluate and export a model that writes.",
            )
        folder, base = weights or self.weights_dir, Path(self.base_path)
        if self.model_dir is not None:
            return Servable(name, folder, None, folder, trained_from=base)
        return Servable(name, base, folder, base)


class ModelRegisterRequest(BaseModel):
    """Register what a training job made."""

    model_config = ConfigDict(
        extra="forbid",
        protected_namespaces=(),
        json_schema_extra={"examples": [{"job_id": 12, "model_name": "harbour-guide", "tags": ["demo"]}]},
    )
    job_id: Id = Field(description="Training job that has succeeded.")
    model_name: ModelName = Field(description="Name: letters, digits, `_` and `-`.")
    version: Version | None = Field(None, description="Version, e.g. `1.0.0`; empty takes the next free one.")
    tags: list[Tag] = Field(default_factory=list, max_length=50, description="Tags: letters, digits, `_` and `-`.")
    description: str = Field("", max_length=10_000, pattern=r"^[^\x00]*$", description="Any text, in any language.")
    model_metadata: dict[str, Any] = Field(default_factory=dict, description="Your own fields, kept as they are.")


class RegisterSpec(BaseModel):
    """What a `register` job does."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    publication: Publication = Field(description="What the training left behind.")
    evaluation: dict[str, Any] | None = Field(None, description="Result of an evaluation, kept as evidence.")
    name: ModelName = Field(description="Name of the model.")
    version: Version | None = Field(None, description="Version; empty takes the next free one.")
    tags: list[Tag] = Field(default_factory=list, description="Tags.")
    description: str = Field("", description="Any text.")
    model_metadata: dict[str, Any] = Field(default_factory=dict, description="The person's own fields.")


class RegisterResult(BaseModel):
    """What came of a `register` job."""

    model_config = ConfigDict(protected_namespaces=())
    model_id: int = Field(description="Id of the version.")
    version: str = Field(description="`name@version`.")


class ModelResponse(BaseModel):
    """A version of a model."""

    model_config = ConfigDict(protected_namespaces=())
    id: int = Field(description="Id of the version.")
    model_name: str = Field(description="Name of the model.")
    version: str = Field(description="Version of the model.")
    reference: str = Field(description="`name@version`, as every command takes it.")
    base_model: str = Field(description="Base model.")
    status: ModelStatus = Field(description="Where it stands.")
    model_size_gb: float = Field(description="Size of its files in 10⁹ bytes.")
    tags: list[str] = Field(description="Tags.")
    description: str = Field(description="Any text.")
    job_id: int | None = Field(None, description="Job that trained it.")
    mlflow_model_uri: str | None = Field(None, description="Address in MLflow, when it is there.")
    created_by: int = Field(description="Person who registered it.")
    created_at: datetime = Field(description="When it was registered.")


class ModelListResponse(Page[ModelResponse]):
    """A page of versions, newest first."""


class ModelFile(BaseModel):
    """A file of a version."""

    path: str = Field(description="Path inside the version.")
    sha256: str = Field(description="SHA-256 of its bytes.")
    size_bytes: int = Field(description="Size in bytes.")


class EvidenceView(BaseModel):
    """Something that was found out about a version."""

    id: int = Field(description="Id of the evidence.")
    kind: str = Field(description="What kind it is.", examples=["evaluation", "export"])
    source: str = Field(description="What found it out.", examples=["job:14"])
    document: dict[str, Any] = Field(description="What was found.")
    created_at: datetime = Field(description="When it was added.")


class ModelDetailResponse(ModelResponse):
    """A version with where it comes from, its files and its evidence."""

    publication: Publication = Field(description="Base, recipe, data and metrics of the training.")
    model_metadata: dict[str, Any] = Field(description="The person's own fields.")
    files: list[ModelFile] = Field(description="Every file with its hash.")
    evidence: list[EvidenceView] = Field(description="What was found out about it, oldest first.")


class ModelCardResponse(BaseModel):
    """A model card."""

    markdown: str = Field(description="The card, as Markdown.")


@dataclass(frozen=True)
class VersionFiles:
    """Where the files of a version can be read on this machine."""

    publication: Publication
    weights_path: Path

    @property
    def base_reference(self) -> str:
        """Base model, as the recipe names it."""
        return self.publication.base_model

    @property
    def base_path(self) -> Path:
        """Folder of the base model."""
        return Path(self.publication.base_path)

    @property
    def adapter_path(self) -> Path | None:
        """Folder of the adapter; None when all weights were trained."""
        return self.weights_path if self.publication.adapter_dir else None

    def servable(self, name: str) -> Servable:
        """What to load for the version. Raises NotServable for a reward model."""
        return self.publication.servable(name, self.weights_path)
