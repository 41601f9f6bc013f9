"""Distributions in bars, from different values and how often each occurs."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.domains.datasets.schemas.exploration import Histogram, HistogramBin

Numbers = NDArray[np.float64]
HistogramMeasure = Literal["value", "characters", "turns", "items", "date", "tokens"]
_COUNTED = ("characters", "turns", "items", "tokens")
"""Measures that are whole numbers: a bar never stands for half of one."""


def histogram(
    values: Numbers, counts: Numbers, *, measure: HistogramMeasure, bins: int, log: bool, total: int
) -> Histogram | None:
    """``bins`` bars over the range of ``values``; None without values. ``total`` is what an even sample stands for.

    What is counted has one bar for each number where the range is that small. On the logarithmic scale the bars grow by a
    constant factor, and values up to 0 have a bar of their own at the left.
    """
    if not len(values):
        return None
    seen = float(counts.sum())
    bars: list[tuple[float, float, float]] = []
    log = log and bool(values.max() > 0)
    if log:
        positive = values > 0
        if not positive.all():
            bars.append((float(values.min()), 0.0, float(counts[~positive].sum())))
        values, counts = values[positive], counts[positive]
    low, high = float(values.min()), float(values.max())
    if low == high:
        bars.append((low, high, float(counts.sum())))
    elif not log and measure in _COUNTED and high - low < bins:
        heights = np.bincount((values - low).astype(np.int64), weights=counts)
        bars += [(low + at, low + at, float(height)) for at, height in enumerate(heights)]
    else:
        edges = _edges(low, high, bins, log)
        heights = np.histogram(values, bins=edges, weights=counts)[0]
        bars += [(float(a), float(b), float(h)) for a, b, h in zip(edges[:-1], edges[1:], heights, strict=True)]
    scale = total / seen
    return Histogram(
        measure=measure,
        log=log,
        bins=[HistogramBin(low=a, high=b, count=_whole(h * scale), share=h / seen) for a, b, h in bars],
        exact=total == seen,
    )


def _edges(low: float, high: float, bins: int, log: bool) -> Numbers:
    share = np.linspace(0, 1, bins + 1)
    start, end = (np.log(low), np.log(high)) if log else (low, high)
    edges = start * (1 - share) + end * share
    if log:
        edges = np.exp(edges)
    edges[0], edges[-1] = low, high
    return np.asarray(np.maximum.accumulate(np.clip(edges, low, high)))


def _whole(count: float) -> float:
    return round(count) if abs(count - round(count)) < 1e-6 else count
