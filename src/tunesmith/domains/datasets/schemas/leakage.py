"""What of a dataset is in the sets that it is judged by."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.duplicates import DEFAULT_THRESHOLD, LOWEST_THRESHOLD
from tunesmith.domains.datasets.leakage import LeakKind

MOST_SETS = 50


class DatasetLeakageRequest(BaseModel):
    """What to compare with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"against": [3], "threshold": 0.9}]})
    against: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(
        default_factory=list,
        max_length=MOST_SETS,
        description="Datasets that models are judged by. Without any: the validation and test parts of the same split (or of "
        "the same name), and every dataset whose `dataset_metadata.kind` is `benchmark`.",
    )
    threshold: float = Field(
        DEFAULT_THRESHOLD, ge=LOWEST_THRESHOLD, le=1.0, description="Jaccard from which on texts are near duplicates."
    )
    max_pairs: int = Field(200, ge=0, le=10_000, description="Located pairs in the answer; all are counted.")


class LeakCounts(BaseModel):
    """Rows of the evaluation set of which this text is trained on."""

    exact: int = Field(description="With the same set of words.")
    near: int = Field(description="Nearly, at or above the threshold.")


class LeakageAgainst(BaseModel):
    """What of one evaluation set is trained on."""

    dataset_id: int = Field(description="The evaluation set.")
    name: str = Field(description="Its name and version.")
    rows: int = Field(description="Its rows.")
    rows_skipped: int = Field(description="Those that cannot be read and were not compared.")
    rows_leaked: int = Field(description="Those of which any text is trained on.")
    prompt: LeakCounts = Field(description="Up to the last question.")
    answer: LeakCounts = Field(description="What the assistant says, from 8 different words on.")
    conversation: LeakCounts = Field(description="Both together.")


class LeakedPair(BaseModel):
    """A row of an evaluation set and the most similar row of the training data."""

    kind: LeakKind = Field(description="The text that is the same or nearly so.")
    row: int = Field(description="Row of the training data, from 1.")
    line: int | None = Field(description="Its first physical line.")
    evaluation_dataset_id: int = Field(description="The evaluation set.")
    evaluation_row: int = Field(description="Row of it, from 1.")
    evaluation_line: int | None = Field(description="Its first physical line.")
    similarity: float = Field(description="Exact Jaccard, 0–1.")


class DatasetLeakageResponse(BaseModel):
    """What of a dataset is in the sets that it is judged by."""

    dataset_id: int = Field(description="The training data.")
    threshold: float = Field(description="Jaccard from which on texts counted as near duplicates.")
    rows_leaking: int = Field(description="Rows of the training data with a text that is in any of the sets.")
    rows_skipped: int = Field(description="Rows of the training data that cannot be read and were not compared.")
    is_exact: bool = Field(
        description="Whether every pair at or above the threshold was found; else each was with a chance of at least 99.5 %."
    )
    against: list[LeakageAgainst] = Field(description="Each evaluation set.")
    pairs_total: int = Field(description="Located pairs in all: one for each text of an evaluation row that leaks.")
    pairs: list[LeakedPair] = Field(description="The first of them, by evaluation set and row.")
