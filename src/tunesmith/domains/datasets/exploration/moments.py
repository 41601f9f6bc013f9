"""Means, deviations and Pearson's products of all rows, summed up chunk by chunk (Chan, Golub and LeVeque 1979)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass
class Moments:
    """Count, mean, squares, extremes of one measure; exact for any number of rows."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    smallest: float = float("inf")
    largest: float = float("-inf")
    zeros: int = 0
    negatives: int = 0
    whole: int = 0

    def add(self, values: Numbers) -> None:
        """Take some numbers, none of them NaN."""
        size = len(values)
        if not size:
            return
        mean = float(values.mean())
        delta = mean - self.mean
        self.squares += float(((values - mean) ** 2).sum()) + delta**2 * self.count * size / (self.count + size)
        self.count += size
        self.mean += delta * size / self.count
        self.smallest = min(self.smallest, float(values.min()))
        self.largest = max(self.largest, float(values.max()))
        self.zeros += int((values == 0).sum())
        self.negatives += int((values < 0).sum())
        self.whole += int((values == np.floor(values)).sum())

    @property
    def std(self) -> float | None:
        """Standard deviation of a sample (n − 1)."""
        return float(np.sqrt(self.squares / (self.count - 1))) if self.count > 1 else None


class Products:
    """Sums over the rows that have both of two measures, for every pair: Pearson's coefficient of more rows than can be kept.

    Values are shifted by the mean of the first chunk in which a measure occurs, so that large numbers that lie close together
    keep their digits.
    """

    def __init__(self) -> None:
        self._shift = np.empty(0)
        self.count = np.zeros((0, 0))
        self._sum = np.zeros((0, 0))
        self._squares = np.zeros((0, 0))
        self._product = np.zeros((0, 0))

    def add(self, values: Numbers) -> None:
        """Take the next rows × measures; NaN where a row has no such number, new measures at the end."""
        new = values.shape[1] - len(self._shift)
        if new:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a column of NaN alone has no mean yet
                means = np.nanmean(values[:, -new:], axis=0)
            self._shift = np.concatenate([self._shift, np.nan_to_num(means)])
            for name in ("count", "_sum", "_squares", "_product"):
                setattr(self, name, np.pad(getattr(self, name), (0, new)))
        there = ~np.isnan(values)
        present = there.astype(np.float64)
        centred = np.where(there, values - self._shift, 0.0)
        self.count += present.T @ present
        self._sum += centred.T @ present
        self._squares += (centred**2).T @ present
        self._product += centred.T @ centred

    def pearson(self) -> Numbers:
        """The coefficient of each pair; NaN where fewer than two rows have both, or one of them does not vary there."""
        with np.errstate(divide="ignore", invalid="ignore"):
            n = self.count
            covariance = self._product - self._sum * self._sum.T / n
            variance = self._squares - self._sum**2 / n
            # A measure that does not vary leaves rounding dust instead of nothing.
            variance = np.where(variance > 1e-12 * np.maximum(self._squares, 1e-300), variance, np.nan)
            return np.asarray(np.clip(covariance / np.sqrt(variance * variance.T), -1, 1))
