"""Rows that mean the same."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.schemas.duplicates import DuplicateMember


class SemanticDuplicatesRequest(BaseModel):
    """Which model compares, and how near is near."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"model": "intfloat/multilingual-e5-small", "similarity_threshold": 0.95}]},
    )
    model: str = Field(
        description="A model of the store that turns a text into a vector (an encoder such as E5 or BGE; for Korean a "
        "multilingual one). A language model works too, less well.",
        min_length=1,
        max_length=1024,
    )
    similarity_threshold: float = Field(
        0.95,
        ge=0.5,
        le=1,
        description="Cosine of the vectors from which on rows mean the same; it depends on the model.",
    )
    max_tokens: int = Field(256, ge=8, le=8192, description="Longer texts are cut for the comparison, and counted.")
    max_clusters: int = Field(
        200, ge=1, le=1000, description="Clusters in the answer, the largest first; all are counted."
    )
    max_members: int = Field(20, ge=1, le=200, description="Rows shown of each beside the first; all are counted.")


class SemanticCluster(BaseModel):
    """Rows that mean the same."""

    size: int = Field(description="Rows in the cluster, the representative included.")
    representative: DuplicateMember = Field(description="The first of the rows, the one to keep.")
    members: list[DuplicateMember] = Field(description="The other rows in the order of the file.")


class SemanticDuplicatesResponse(BaseModel):
    """What means the same; `similarity` is the cosine of the vectors."""

    dataset_id: int = Field(description="The dataset.")
    model: str = Field(description="The model that compared.")
    similarity_threshold: float = Field(description="Cosine from which on rows were connected.")
    rows: int = Field(description="Rows that were compared, each with each.")
    rows_skipped: int = Field(description="Rows that cannot be read and were not compared.")
    rows_cut: int = Field(description="Rows whose text was longer than `max_tokens`.")
    rows_in_clusters: int = Field(description="Rows in all clusters together.")
    clusters_total: int = Field(description="Clusters in all.")
    clusters: list[SemanticCluster] = Field(description="The largest of them.")
