"""Clusters of near duplicates, and what of a dataset is in the sets that it is judged by."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tunesmith.kit.paging import Page


class DuplicateMember(BaseModel):
    """One row of a cluster."""

    row: int = Field(description="Row number, from 1.")
    line: int | None = Field(description="First physical line of the row in the file; null in Parquet.")
    similarity: float = Field(
        description="Jaccard with the representative, 0–1; below the threshold where rows hang together as a chain."
    )
    like_row: int = Field(description="A row of the cluster that this one is a near duplicate of.")
    like_similarity: float = Field(description="Jaccard with `like_row`, at or above the threshold.")
    excerpt: str = Field(description="The first characters of what is said, personal data masked.")


class DuplicateCluster(BaseModel):
    """Rows that are nearly the same."""

    size: int = Field(description="Rows in the cluster, the representative included.")
    representative: DuplicateMember = Field(description="The first of the rows, the one to keep.")
    members: list[DuplicateMember] = Field(description="The other rows in the order of the file, a page of them.")


class DuplicateListResponse(Page[DuplicateCluster]):
    """A page of clusters, the largest first."""

    similarity_threshold: float = Field(description="Jaccard from which on rows count as near duplicates.")
    rows_in_clusters: int = Field(description="Rows in all clusters together.")
    is_exact: bool = Field(
        description="Whether every pair at or above the threshold was found; else each was with a chance of at least 99.5 %."
    )
    pairs_left_out: int = Field(
        description="Pairs that were not compared, as more than 30,000 different rows follow one pattern; usually 0."
    )
