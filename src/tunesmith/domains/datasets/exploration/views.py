"""A view of an exploration: what is asked for, cut from the figures that are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tunesmith.domains.datasets.exploration.advice import warnings_of
from tunesmith.domains.datasets.exploration.document import MAX_TOP, Document, Explored
from tunesmith.domains.datasets.exploration.histograms import HistogramMeasure, histogram
from tunesmith.domains.datasets.schemas.exploration import (
    ColumnDistribution,
    CorrelationMethod,
    EdaCorrelation,
    EdaDistribution,
    EdaMissing,
    EdaStatistics,
    EdaSummary,
    View,
)

DOCUMENT = "exploration.json"
VALUES = "values.npz"
EdaAnswer = EdaStatistics | EdaMissing | EdaDistribution | EdaCorrelation | EdaSummary
_MEASURES: dict[str, HistogramMeasure] = {
    "number": "value",
    "date": "date",
    "text": "characters",
    "mixed": "characters",
    "conversation": "characters",
    "array": "items",
    "object": "items",
}


class Question(BaseModel):
    """What to show of an exploration."""

    model_config = ConfigDict(extra="forbid")
    view: View = Field(View.SUMMARY, description="Which view.")
    column: str | None = Field(None, max_length=1000, description="Only this column (value-distribution).")
    bins: int = Field(20, ge=1, le=200, description="Bars of a histogram.")
    top: int = Field(10, ge=0, le=MAX_TOP, description="Frequent values to show.")
    log: bool = Field(False, description="Bars that grow by a constant factor.")
    method: CorrelationMethod = Field("pearson", description="Coefficient (correlation).")


def save(made: Explored, folder: Path) -> None:
    """Write the document and the values of the histograms into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOCUMENT).write_bytes(made.document.model_dump_json().encode())
    np.savez(folder / VALUES, allow_pickle=False, **made.values)


def view(document: Document, values: Path, question: Question, dataset_id: int) -> EdaAnswer | None:
    """The answer; None when there is no such column."""
    head = {"dataset_id": dataset_id}
    statistics = document.statistics.model_copy(update=head)
    missing = document.missing.model_copy(update=head)
    if question.view is View.STATISTICS:
        return statistics
    if question.view is View.MISSING:
        return missing
    correlation = document.correlations[question.method].model_copy(update=head)
    if question.view is View.CORRELATION:
        return correlation
    rows = {"dataset_id": dataset_id, "rows": statistics.rows, "unreadable_rows": statistics.unreadable_rows}
    names = [column.column for column in document.distributions]
    if question.view is View.DISTRIBUTION:
        if question.column is not None and question.column not in names:
            return None
        wanted = range(len(names)) if question.column is None else [names.index(question.column)]
        return EdaDistribution(**rows, columns=_distributions(document, values, list(wanted), question))
    plain = Question()
    return EdaSummary(
        **rows,
        warnings=warnings_of(document),
        statistics=statistics,
        missing_values=missing,
        value_distribution=EdaDistribution(
            **rows, columns=_distributions(document, values, list(range(len(names))), plain)
        ),
        correlation=document.correlations["pearson"].model_copy(update=head),
    )


def _distributions(document: Document, values: Path, wanted: list[int], question: Question) -> list[ColumnDistribution]:
    with np.load(values, allow_pickle=False) as archive:
        return [_distribution(document, at, archive, question) for at in wanted]


def _distribution(document: Document, at: int, archive: np.lib.npyio.NpzFile, question: Question) -> ColumnDistribution:
    found = document.distributions[at]
    shape = None
    if f"v{at}" in archive.files:
        weights: NDArray[np.float64] = archive[f"n{at}"]
        shape = histogram(
            archive[f"v{at}"],
            weights,
            measure=_MEASURES[found.type],
            bins=question.bins,
            log=question.log,
            total=_total(document, at, weights),
        )
    return found.model_copy(update={"histogram": shape, "top": found.top[: question.top]})


def _total(document: Document, at: int, weights: NDArray[np.float64]) -> int:
    """What the kept values stand for: more than they are when only an even sample of the rows was kept."""
    column = document.statistics.columns[at]
    if column.type == "number" and column.numbers is not None:
        return column.numbers.count
    if column.type == "date" and column.dates is not None:
        return column.dates.count
    return int(weights.sum())
