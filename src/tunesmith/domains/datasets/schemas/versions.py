"""Versions of a dataset, how they came from each other, and what differs between two."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.domains.datasets.schemas.dataset import DatasetResponse, DatasetStatus, Tag
from tunesmith.domains.datasets.schemas.derivation import DatasetReference, DiffCounts, PlainText
from tunesmith.domains.datasets.schemas.values import RowValue
from tunesmith.kit.paging import Page

DifferenceKind = Literal["added", "removed", "changed"]


class DatasetUpdate(BaseModel):
    """What may be said anew about a dataset; fields that are left out stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"description": "Questions of 2026"}]})
    name: PlainText | None = Field(None, description="New name; all versions of the dataset get it.")
    description: Annotated[PlainText, Field(max_length=10_000)] | None = Field(None, description="What the data is.")
    tags: list[Tag] | None = Field(None, max_length=50, description="Tags, instead of those that it has.")
    dataset_metadata: dict[str, Any] | None = Field(None, description="Anything else, instead of what it has.")

    @model_validator(mode="after")
    def _says_something(self) -> DatasetUpdate:
        if not self.model_fields_set:
            raise ValueError("nothing is to be changed; give name, description, tags or dataset_metadata")
        for field in ("name", "tags", "dataset_metadata"):
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null")
        return self


class DatasetVersion(DatasetReference):
    """One version in the list of a dataset's versions."""

    operation: str = Field(description="How it was made: upload, import, edit, fix, clean, split …")
    diff: DiffCounts | None = Field(description="Rows that differ from its parent, where it was made by a change.")
    size_bytes: int = Field(description="Size of the file.")
    quality_score: float | None = Field(description="0–1; null until validated.")
    created_by: int = Field(description="Person who made it.")
    created_at: datetime = Field(description="When it was made.")
    archived_at: datetime | None = Field(description="When it was archived.")
    purged_at: datetime | None = Field(description="When its content was reclaimed.")


class DatasetVersionListResponse(Page[DatasetVersion]):
    """A page of versions, newest first."""


class LineageNode(BaseModel):
    """A version, or a job that read one."""

    key: str = Field(description="`dataset:ID` or `job:ID`.", examples=["dataset:3"])
    kind: Literal["dataset", "job"] = Field(description="What the node is.")
    id: int = Field(description="Id of the dataset or the job.")
    name: str = Field(description="Name that people see.")
    version: str | None = Field(None, description="Version of a dataset.")
    status: str = Field(description="Status of the dataset, or state of the job.")
    operation: str = Field(description="How the version was made, or the kind of the job.")
    rows: int | None = Field(None, description="Rows of a dataset.")
    created_at: datetime = Field(description="When it was made.")
    purged: bool = Field(False, description="Whether the content of the dataset has been reclaimed.")


class LineageEdge(BaseModel):
    """An arrow from what was read to what came of it."""

    source: str = Field(description="Key of the node that was read.")
    target: str = Field(description="Key of the node that came of it.")
    operation: str = Field(description="edit, fix, clean, split … or the kind of the job.")
    diff: DiffCounts | None = Field(None, description="Rows that differ, where it was a change.")


class LineageResponse(BaseModel):
    """Where a dataset comes from and what came of it."""

    dataset_id: int = Field(description="Dataset that was asked for.")
    nodes: list[LineageNode] = Field(description="Ancestors, descendants, and the runs that used any of them.")
    edges: list[LineageEdge] = Field(description="The arrows between them.")
    truncated: bool = Field(description="Whether there is more than is shown (500 versions, 200 jobs).")


class RowDifference(BaseModel):
    """One row that differs."""

    kind: DifferenceKind = Field(description="changed: both have it, with another content.")
    row: int | None = Field(description="Row number in the first version; null when only the other has it.")
    other_row: int | None = Field(description="Row number in the other version; null when only the first has it.")
    before: RowValue = Field(description="The row in the first version; null when it has none or it cannot be read.")
    after: RowValue = Field(description="The row in the other version; null when it has none or it cannot be read.")
    error: str | None = Field(None, description="Why one of the two cannot be read.")


class DatasetDiffResponse(Page[RowDifference]):
    """A page of the rows that differ on the way from one version to another."""

    dataset: DatasetReference = Field(description="The first version: `before`.")
    other: DatasetReference = Field(description="The other version: `after`.")
    counts: DiffCounts = Field(description="How many rows differ in all.")
    compared_by: Literal["lineage", "content"] = Field(
        description="lineage: row by row from a common ancestor; content: unrelated files, by equal rows."
    )


class DatasetUndoResponse(BaseModel):
    """What an undo did."""

    dataset: DatasetResponse = Field(description="The version that counts again.")
    archived: DatasetReference = Field(description="The version that was taken back; it can be restored.")


class DatasetPurgeResponse(BaseModel):
    """What a purge reclaimed."""

    dataset_id: int = Field(description="Dataset whose content is gone.")
    purged_at: datetime = Field(description="When that was.")
    freed_bytes: int = Field(description="Bytes that were reclaimed.")
    shared_with: list[int] = Field(description="Versions with the same content, for whose sake the file is kept.")
    status: DatasetStatus = Field(description="`archived`: the row stays for the lineage.")
