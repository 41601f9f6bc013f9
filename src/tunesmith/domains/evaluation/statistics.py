"""Figures with their uncertainty. Two models on the same items are compared item by item."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from tunesmith.domains.evaluation.schemas import Metric

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Z_95 = 1.959963984540054
_TRAILING = re.compile(r"[\s.,;:!?。！？、，．…~·'\"’”)\]]+$")
_LEADING = re.compile(r"^[\s'\"‘“(\[]+")


def normalise_answer(text: str) -> str:
    """The form in which answers are compared: NFKC, case, white space, and punctuation at the ends do not count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _TRAILING.sub("", _LEADING.sub("", " ".join(folded.split())))


def token_loss(losses: Sequence[float], tokens: Sequence[int]) -> Metric:
    """Mean loss of a token. Rows, not tokens, are independent: the error is that of a ratio of row totals."""
    return _ratio(np.asarray(losses, float), np.asarray(tokens, float))


def token_loss_difference(base: Sequence[float], tuned: Sequence[float], tokens: Sequence[int]) -> Metric:
    """Tuned minus base on the same rows."""
    return _ratio(np.asarray(tuned, float) - np.asarray(base, float), np.asarray(tokens, float))


def _ratio(totals: Numbers, weights: Numbers) -> Metric:
    n, weight = len(totals), float(weights.sum())
    value = float(totals.sum()) / weight
    residuals = totals - value * weights
    stderr = math.sqrt(n / (n - 1) * float((residuals**2).sum())) / weight if n > 1 else None
    if stderr is None:
        return Metric(value=value, stderr=None, low=None, high=None, n=n)
    return Metric(value=value, stderr=stderr, low=value - Z_95 * stderr, high=value + Z_95 * stderr, n=n)


def mean(values: Sequence[float]) -> Metric:
    """Mean over independent items."""
    return _ratio(np.asarray(values, float), np.ones(len(values)))


def mean_difference(base: Sequence[float], tuned: Sequence[float]) -> Metric:
    """Tuned minus base on the same items."""
    return _ratio(np.asarray(tuned, float) - np.asarray(base, float), np.ones(len(base)))


def perplexity(loss: Metric) -> Metric:
    """The exponential of a loss, its interval carried over."""
    value = _exp(loss.value)
    return Metric(
        value=value,
        stderr=None if loss.stderr is None else value * loss.stderr,
        low=None if loss.low is None else _exp(loss.low),
        high=None if loss.high is None else _exp(loss.high),
        n=loss.n,
    )


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def share(right: int, total: int) -> Metric:
    """A share with Wilson's interval, which stays inside 0 to 1 and is right for few items."""
    p, z2 = right / total, Z_95**2
    centre = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = Z_95 / (1 + z2 / total) * math.sqrt(p * (1 - p) / total + z2 / (4 * total**2))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Metric(value=p, stderr=math.sqrt(p * (1 - p) / total), low=low, high=high, n=total)


def share_difference(base: Sequence[bool], tuned: Sequence[bool]) -> Metric:
    """Tuned minus base on the same items (Agresti and Min), with McNemar's exact p-value."""
    n = len(base)
    gained = sum(t and not b for b, t in zip(base, tuned, strict=True))
    lost = sum(b and not t for b, t in zip(base, tuned, strict=True))
    centre = (gained - lost) / (n + 2)
    stderr = math.sqrt((gained + lost + 1) / (n + 2) - centre**2) / math.sqrt(n + 2)
    return Metric(
        value=(gained - lost) / n,
        stderr=stderr,
        low=max(-1.0, centre - Z_95 * stderr),
        high=min(1.0, centre + Z_95 * stderr),
        n=n,
        p_value=mcnemar(gained, lost),
    )


def mcnemar(gained: int, lost: int) -> float:
    """Exact two-sided p-value that gains and losses are equally likely."""
    n = gained + lost
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1))
    return min(1.0, float(2 * tail / 2**n)) if n < 1000 else _mcnemar_large(gained, lost)


def _mcnemar_large(gained: int, lost: int) -> float:
    z = (abs(gained - lost) - 1) / math.sqrt(gained + lost)
    return math.erfc(max(0.0, z) / math.sqrt(2))
