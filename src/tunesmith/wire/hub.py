"""What the children that talk to a hub are told; the token is in their environment, never here."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from tunesmith.wire.spec import ChildSpec


class FileToFetch(BaseModel):
    """A file, and what its content must be."""

    path: str = Field(description="Name in the model's folder.")
    size_bytes: int | None = Field(None, description="Size, where the hub says it.")
    sha256: str | None = Field(None, description="SHA-256 of a large file.")
    git_sha1: str | None = Field(None, description="SHA-1 of git's blob, for the other files.")


class FetchSpec(ChildSpec):
    """Fetch a model's files into a folder; what lies there from an earlier try is gone on with."""

    kind: Literal["fetch"] = "fetch"
    model_id: str = Field(description="Hub id.")
    revision: str = Field(description="Full commit.")
    files: list[FileToFetch] = Field(description="What to fetch.")
    folder: str = Field(description="Where to.")


class PushSpec(ChildSpec):
    """Push a folder to a hub as one commit."""

    kind: Literal["push"] = "push"
    repo_id: str = Field(description="Hub id to push to; it is made when it is not there.")
    folder: str = Field(description="Folder whose files are pushed, or one file.")
    card: str | None = Field(None, description="README.md, where the folder has none.")
    private: bool = Field(True, description="Whether a repository that is made is private.")
    revision: str | None = Field(None, description="Branch; it is made when it is not there.")
    message: str = Field("Upload with Tunesmith", description="Message of the commit.")


class ConvertSpec(ChildSpec):
    """Convert pickled weights of a folder to safetensors in another one."""

    kind: Literal["convert"] = "convert"
    source: str = Field(description="Folder with config.json and *.bin or *.pt.")
    folder: str = Field(description="Where the safetensors and the companions go.")
