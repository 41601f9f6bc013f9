"""What a pass has seen, as figures: everything that any view shows, without the id of the dataset that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tunesmith.domains.datasets.exploration.cells import MISSING_KINDS, shown_moment
from tunesmith.domains.datasets.exploration.columns import Column
from tunesmith.domains.datasets.exploration.correlation import p_values, pearson, spearman
from tunesmith.domains.datasets.exploration.exploring import Pass
from tunesmith.domains.datasets.exploration.sample import rank_error
from tunesmith.domains.datasets.pii import shown
from tunesmith.domains.datasets.schemas.exploration import (
    ColumnDistribution,
    ColumnStatistics,
    CorrelationMethod,
    CorrelationPair,
    DateStatistics,
    EdaCorrelation,
    EdaMissing,
    EdaStatistics,
    Measure,
    MissingColumn,
    MissingPair,
    MissingPattern,
    NumberStatistics,
    TopValue,
)

Numbers = NDArray[np.float64]
VERSION = 2
"""Rises when the figures of the same content change."""
MAX_TOP = 100
SHOWN_PATTERNS = 20
SHOWN_PAIRS = 20
MAX_MEASURES = 60
NO_DATASET = 0


class Document(BaseModel):
    """Every figure of one exploration, as it is kept in the store."""

    version: int = Field(VERSION, description="Version of what is computed.")
    statistics: EdaStatistics = Field(description="Figures of every column.")
    missing: EdaMissing = Field(description="Missing values.")
    distributions: list[ColumnDistribution] = Field(description="Frequent values; histograms are drawn when asked for.")
    correlations: dict[CorrelationMethod, EdaCorrelation] = Field(description="By method.")


@dataclass
class Explored:
    """The document, and for each column with a distribution its different values and how often each occurs."""

    document: Document
    values: dict[str, Numbers] = field(default_factory=dict)


def explored(seen: Pass, look: Callable[[], None] = lambda: None) -> Explored:
    """The figures of a pass that has ended."""
    columns = list(seen.columns.values())
    kept = [columns[at] for at in seen.kept_columns()]
    head = {"dataset_id": NO_DATASET, "rows": seen.rows, "unreadable_rows": seen.unreadable}
    statistics = EdaStatistics(
        **head, columns=[_statistics(seen, column) for column in kept], columns_left_out=list(seen.left_out)
    )
    made = Explored(
        Document(
            statistics=statistics,
            missing=_missing(seen, columns, head),
            distributions=[_distribution(column) for column in kept],
            correlations={method: _correlation(seen, kept, method, head, look) for method in ("pearson", "spearman")},
        )
    )
    for at, column in enumerate(kept):
        look()
        values, counts = _weighted(seen, column)
        if len(values):
            made.values[f"v{at}"], made.values[f"n{at}"] = values, counts
    return made


def _statistics(seen: Pass, column: Column) -> ColumnStatistics:
    count = sum(column.types.values())
    kind = column.type
    return ColumnStatistics(
        column=column.name,
        type=kind,
        types=dict(sorted(column.types.items(), key=lambda entry: (-entry[1], entry[0]))),
        count=count,
        missing=seen.rows - count,
        missing_share=(seen.rows - count) / seen.rows if seen.rows else 0.0,
        distinct=column.distinct.count(),
        as_text=kind in ("number", "date", "boolean") and column.types["text"] > 0,
        numbers=_numbers(seen, column) if kind in ("number", "mixed") else None,
        text=column.texts.statistics() if kind in ("text", "mixed") else None,
        booleans={name: column.booleans[name] for name in ("true", "false")} if kind == "boolean" else None,
        dates=_dates(seen, column) if kind == "date" else None,
        conversation=column.conversations.statistics(),
        items=column.items.summary(),
    )


def _numbers(seen: Pass, column: Column) -> NumberStatistics | None:
    at = seen.find_measure(column, "value")
    if at is None:
        return None
    moments, kept = seen.moments[at], _present(seen, at)
    q1, median, q3 = (float(q) for q in np.quantile(kept, (0.25, 0.5, 0.75))) if len(kept) else (moments.mean,) * 3
    return NumberStatistics(
        count=moments.count,
        mean=moments.mean,
        std=moments.std,
        min=moments.smallest,
        q1=q1,
        median=median,
        q3=q3,
        max=moments.largest,
        zeros=moments.zeros,
        negatives=moments.negatives,
        integers=moments.whole == moments.count,
        exact=seen.sample.is_whole,
        rank_error=round(rank_error(len(kept), moments.count), 6),
    )


def _dates(seen: Pass, column: Column) -> DateStatistics | None:
    at = seen.find_measure(column, "date")
    if at is None:
        return None
    moments, kept = seen.moments[at], np.sort(_present(seen, at))
    median = float(kept[(len(kept) - 1) // 2]) if len(kept) else moments.mean
    return DateStatistics(
        count=moments.count,
        min=shown_moment(moments.smallest),
        median=shown_moment(median),
        max=shown_moment(moments.largest),
    )


def _missing(seen: Pass, columns: list[Column], head: dict[str, int]) -> EdaMissing:
    kept = seen.kept_columns()
    names = {at: columns[at].name for at in kept}
    patterns: dict[tuple[int, ...], int] = {}
    for missing, count in seen.patterns.patterns():
        shown_of = tuple(at for at in missing if at in names)
        patterns[shown_of] = patterns.get(shown_of, 0) + count
    frequent = sorted(patterns.items(), key=lambda entry: (-entry[1], entry[0]))[:SHOWN_PATTERNS]
    rows = max(seen.rows, 1)
    return EdaMissing(
        **head,
        complete_rows=patterns.get((), 0),
        columns=[
            MissingColumn(
                column=columns[at].name,
                missing=sum(columns[at].missing.values()),
                share=sum(columns[at].missing.values()) / rows,
                **{kind: columns[at].missing[kind] for kind in MISSING_KINDS},
            )
            for at in kept
        ],
        patterns=[
            MissingPattern(columns=[names[at] for at in shown_of], rows=count, share=count / rows)
            for shown_of, count in frequent
        ],
        pairs=_pairs(seen, names),
        patterns_exact=seen.patterns.is_exact,
    )


def _pairs(seen: Pass, names: dict[int, str]) -> list[MissingPair]:
    together = seen.patterns.together()
    found = [(int(together[a, b]), a, b) for a in names for b in names if a < b < len(together) and together[a, b] > 0]
    found.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    return [
        MissingPair(a=names[a], b=names[b], both=both, overlap=both / int(together[a, a] + together[b, b] - both))
        for both, a, b in found[:SHOWN_PAIRS]
    ]


def _distribution(column: Column) -> ColumnDistribution:
    count = sum(column.types.values())
    return ColumnDistribution(
        column=column.name,
        type=column.type,
        count=count,
        distinct=column.distinct.count(),
        histogram=None,
        top=[
            TopValue(value=shown(text if not mark else text + "…", 120), count=times, share=times / count)
            for (text, mark), times in column.frequent.most_common(MAX_TOP)
        ],
        top_error=column.frequent.error,
    )


def _correlation(
    seen: Pass, columns: list[Column], method: CorrelationMethod, head: dict[str, int], look: Callable[[], None]
) -> EdaCorrelation:
    found: list[tuple[int, Measure]] = []
    for column in columns:
        kind = {"number": "value", "text": "characters", "conversation": "characters"}.get(column.type)
        at = seen.find_measure(column, kind) if kind else None
        if at is not None:
            name = column.name if kind == "value" else f"{column.name} (characters)"
            measure = "value" if kind == "value" else "characters"
            found.append((at, Measure.model_validate({"name": name, "column": column.name, "measure": measure})))
    used = [(at, measure) for at, measure in found if at < len(seen.products.count)][:MAX_MEASURES]
    chosen = [at for at, _ in used]
    left_out = [measure.name for at, measure in found if at not in chosen]
    if method == "pearson" and not seen.sample.is_whole:
        grid = np.ix_(chosen, chosen)
        coefficients, counts = seen.products.pearson()[grid], seen.products.count[grid]
    else:
        correlate = pearson if method == "pearson" else spearman
        coefficients, counts = correlate([seen.sample.column(at) for at in chosen], look)
    chances = p_values(coefficients, counts)
    return EdaCorrelation(
        **head,
        method=method,
        measures=[measure for _, measure in used],
        coefficients=[[_known(r) for r in row] for row in coefficients],
        n=[[int(n) for n in row] for row in counts],
        p_values=[[_known(p) for p in row] for row in chances],
        strongest=_strongest([measure.name for _, measure in used], coefficients, counts, chances),
        exact=method == "pearson" or seen.sample.is_whole,
        measures_left_out=left_out,
    )


def _strongest(names: list[str], coefficients: Numbers, counts: Numbers, chances: Numbers) -> list[CorrelationPair]:
    pairs = [(a, b) for a in range(len(names)) for b in range(a + 1, len(names)) if not np.isnan(coefficients[a, b])]
    pairs.sort(key=lambda pair: (-abs(coefficients[pair]), pair))
    return [
        CorrelationPair(
            a=names[a],
            b=names[b],
            coefficient=float(coefficients[a, b]),
            n=int(counts[a, b]),
            p_value=_known(chances[a, b]),
        )
        for a, b in pairs[:SHOWN_PAIRS]
    ]


def _weighted(seen: Pass, column: Column) -> tuple[Numbers, Numbers]:
    """The different numbers, dates or lengths of a column, and how often each occurs."""
    kind = column.type
    measure = {"number": "value", "date": "date"}.get(kind)
    if measure is not None:
        at = seen.find_measure(column, measure)
        kept = _present(seen, at) if at is not None else np.empty(0)
        values, counts = np.unique(kept, return_counts=True)
        return values, counts.astype(np.float64)
    lengths = {
        "text": column.texts.characters,
        "mixed": column.texts.characters,
        "conversation": column.conversations.characters,
        "array": column.items,
        "object": column.items,
    }.get(kind)
    if lengths is None:
        return np.empty(0), np.empty(0)
    sizes, times = lengths.weighted()
    return sizes.astype(np.float64), times.astype(np.float64)


def _present(seen: Pass, at: int) -> Numbers:
    kept = seen.sample.column(at)
    return kept[~np.isnan(kept)]


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
