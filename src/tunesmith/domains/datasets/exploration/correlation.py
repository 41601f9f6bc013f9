"""Correlations of pairs of measures, and how likely a coefficient is by chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Look = Callable[[], None]


def pearson(columns: Sequence[Numbers], look: Look = lambda: None) -> tuple[Numbers, Numbers]:
    """Coefficients and numbers of rows for each pair, in two passes over the rows that have both."""
    return _correlate(columns, _centred, look)


def spearman(columns: Sequence[Numbers], look: Look = lambda: None) -> tuple[Numbers, Numbers]:
    """The same for ranks among the rows that have both; ties share their mean rank."""
    codes = [_codes(column) for column in columns]
    return _correlate(codes, _centred_ranks, look)


def _correlate(
    columns: Sequence[Numbers], centred: Callable[[Numbers], Numbers], look: Look
) -> tuple[Numbers, Numbers]:
    size = len(columns)
    coefficients, counts = np.full((size, size), np.nan), np.zeros((size, size))
    present = [~np.isnan(column) for column in columns]
    whole = [centred(column[there]) for column, there in zip(columns, present, strict=True)]
    for a in range(size):
        look()
        for b in range(a, size):
            both = present[a] & present[b]
            counts[a, b] = counts[b, a] = n = int(both.sum())
            if n < 2:
                continue
            # measures that are missing in the same rows need no second centring
            first = whole[a] if n == len(whole[a]) else centred(columns[a][both])
            second = whole[b] if n == len(whole[b]) else centred(columns[b][both])
            spread = math.sqrt(float(first @ first)) * math.sqrt(float(second @ second))
            if spread > 0:
                coefficients[a, b] = coefficients[b, a] = np.clip(float(first @ second) / spread, -1, 1)
    return coefficients, counts


def p_values(coefficients: Numbers, counts: Numbers) -> Numbers:
    """Two-sided, by Student's t with n − 2 degrees of freedom; NaN below three rows."""
    found = np.full(coefficients.shape, np.nan)
    for at in np.ndindex(coefficients.shape):
        r, freedom = float(coefficients[at]), float(counts[at]) - 2
        if freedom >= 1 and not math.isnan(r):
            found[at] = 0.0 if abs(r) >= 1 else incomplete_beta(freedom / 2, 0.5, 1 - r * r)
    return found


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction (Numerical Recipes, 6.4)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    found = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + step * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + step / c
            c = c if abs(c) > tiny else tiny
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


def _centred(values: Numbers) -> Numbers:
    """Values less their mean; zeros where they do not vary, which rounding would hide."""
    if not len(values) or values.min() == values.max():
        return np.zeros(len(values))
    return np.asarray(values - values.mean())


def _codes(column: Numbers) -> Numbers:
    """The place of each value among the different values, from 0; NaN where there is none."""
    there = ~np.isnan(column)
    codes = np.full(len(column), np.nan)
    codes[there] = np.unique(column[there], return_inverse=True)[1]
    return codes


def _centred_ranks(codes: Numbers) -> Numbers:
    """Mean ranks of values given by their order, less the mean of all ranks."""
    if not len(codes):
        return np.empty(0)
    places = codes.astype(np.int64)
    sizes = np.bincount(places)
    ranks = np.cumsum(sizes) - (sizes - 1) / 2 - (len(codes) + 1) / 2
    return np.asarray(ranks[places])
