"""Models as one looks for them: on a hub and in the local store, with what they take here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from tunesmith.domains.models.fits import FitsHere
from tunesmith.domains.models.schemas import ModelMetadata
from tunesmith.kit.paging import Page

HUB_ID = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,95})?$"
REVISION = r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,254}$"
ModelId = Annotated[str, Field(pattern=HUB_ID, description="Id of the model.", examples=["Qwen/Qwen3-0.6B"])]
Token = Annotated[
    SecretStr | None,
    Field(max_length=500, description="Token for gated and private models; else the X-HF-Token header, else HF_TOKEN."),
]


class ModelSource(StrEnum):
    """Where a model is looked for."""

    HUB = "hub"
    LOCAL = "local"


class ModelSort(StrEnum):
    """The order of a list. The local store knows ``last_used``, ``name`` and ``size``; the Hub the others."""

    DOWNLOADS = "downloads"
    LIKES = "likes"
    LAST_MODIFIED = "last_modified"
    TRENDING = "trending_score"
    CREATED_AT = "created_at"
    LAST_USED = "last_used"
    NAME = "name"
    SIZE = "size"


class BaseModelSummary(BaseModel):
    """A model of the Hub or of the local store, in a list."""

    model_id: str = Field(description="Id.")
    source: ModelSource = Field(description="Where it was found.")
    is_local: bool = Field(description="Whether it is in the local store.")
    title: str | None = Field(None, description="Title that somebody here gave it.")
    labels: list[str] = Field(default_factory=list, description="Labels that somebody here gave it.")
    architecture: str | None = Field(None, description="Architecture, where it is known.")
    num_parameters: int | None = Field(None, description="Numbers in its tensors, where it is known.")
    dtype: str | None = Field(None, description="Number format of most of them.")
    license: str | None = Field(None, description="Licence.")
    downloads: int | None = Field(None, description="Downloads in the last month, says the Hub.")
    likes: int | None = Field(None, description="Likes, says the Hub.")
    gated: str | None = Field(None, description="`auto` or `manual` when its terms must be accepted first.")
    private: bool = Field(False, description="Whether it is private.")
    task: str | None = Field(None, description="Task, says the Hub.", examples=["text-generation"])
    updated_at: datetime | None = Field(None, description="When it last changed on the Hub.")
    size_bytes: int | None = Field(None, description="Size of its weight files, for local models.")
    last_used: datetime | None = Field(None, description="When it was last used here.")
    path: str | None = Field(None, description="Its folder, for local models.")
    revision: str | None = Field(None, description="Commit.")
    fits_here: FitsHere | None = Field(None, description="What it takes here; null where its size is not known.")


class BaseModelListResponse(Page[BaseModelSummary]):
    """A page of models. The Hub does not count its matches: then ``total`` is what is known to be there so far."""

    has_more: bool = Field(description="Whether another page follows.")


class ModelFile(BaseModel):
    """A file of a model."""

    path: str = Field(description="Name in the model's folder.")
    size_bytes: int | None = Field(None, description="Size.")
    fetched: bool = Field(description="Whether a download takes it (or has taken it).")


class BaseModelDetails(BaseModelSummary):
    """Everything that can be known about a model without fetching its weights."""

    context_length: int | None = Field(None, description="Longest prompt and answer together, in tokens.")
    vocab_size: int | None = Field(None, description="Entries of its vocabulary.")
    chat_template: bool | None = Field(None, description="Whether it brings a chat template.")
    library: str | None = Field(None, description="Library that it is made for, says the Hub.")
    tags: list[str] = Field(default_factory=list, description="Tags of the Hub.")
    description: str | None = Field(None, description="What somebody here wrote about it.")
    files: list[ModelFile] = Field(description="Its files.")
    download_bytes: int | None = Field(None, description="Size of what a download takes.")
    fits_on_disk: bool | None = Field(None, description="Whether the disk has room for that.")
    local_revision: str | None = Field(None, description="Commit that is in the local store.")
    problem: str | None = Field(None, description="Why it could not be used here, such as pickle weights.")


class DownloadRequest(BaseModel):
    """What to fetch."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_id: ModelId
    access_token: Token = None
    revision: str | None = Field(
        None, pattern=REVISION, description="Branch, tag or commit; default is what is here, else the newest."
    )


class DownloadSpec(BaseModel):
    """What a `download` job does. It names a token by id and never holds one."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_id: str = Field(description="Id of the model.")
    revision: str = Field(description="Full commit.")
    files: list[dict[str, str | int | None]] = Field(description="What to fetch, with sizes and hashes.")
    license: str | None = Field(None, description="Licence, to be written down.")
    token_id: int | None = Field(None, description="Sealed token.")


class ArchiveSpec(BaseModel):
    """What an `unpack-model` job does."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    model_id: str = Field(description="Name that the model gets in the local store.")
    archive: str = Field(description="Name of the archive's file.")


class StoredModel(ModelMetadata):
    """A model that has come into the local store."""

    path: str = Field(description="Its folder.")
    cached: bool = Field(False, description="Whether it was here already.")


class ModelNotes(BaseModel):
    """What people here say about a model; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = Field(None, max_length=200, pattern=r"^[^\x00]*$", description="Title.")
    description: str | None = Field(None, max_length=20_000, pattern=r"^[^\x00]*$", description="Description.")
    labels: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")]] | None = Field(
        None, max_length=50, description="Labels."
    )


class DeletedModel(BaseModel):
    """What deleting did."""

    model_id: str = Field(description="Id of the model.")
    freed_bytes: int = Field(description="Bytes that were freed; 0 when only its name was forgotten.")
    message: str = Field(description="The same in a sentence.")
