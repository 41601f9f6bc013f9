"""Figures and their intervals against known values and against simulation."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.domains.evaluation.statistics import (
    mcnemar,
    normalise_answer,
    perplexity,
    share,
    share_difference,
    token_loss,
    token_loss_difference,
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Ferry 3.", "ferry 3"),
        ("  오전 9시  입니다!! ", "오전 9시 입니다"),
        ("ＦＥＲＲＹ　３", "ferry 3"),
        ("가격은 1,200원", "가격은 1,200원"),
        ("가나", "가나"),  # decomposed as on a Mac
        ("'three'\n", "three"),
        ("...", ""),
    ],
)
def test_answers_are_compared_in_one_form(answer: str, expected: str) -> None:
    assert normalise_answer(answer) == normalise_answer(expected)


@pytest.mark.parametrize(("answer", "other"), [("3", "4"), ("9:30", "930"), ("1.5", "15"), ("yes", "yes, but no")])
def test_what_differs_stays_different(answer: str, other: str) -> None:
    assert normalise_answer(answer) != normalise_answer(other)


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise_answer(normalise_answer(text)) == normalise_answer(text)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(8, 10, 0.490162, 0.943318), (0, 60, 0.0, 0.060172), (60, 60, 0.939828, 1.0), (1, 1, 0.206549, 1.0)],
)
def test_shares_have_wilsons_interval(right: int, total: int, low: float, high: float) -> None:
    metric = share(right, total)
    assert (metric.low, metric.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert (metric.value, metric.n) == (right / total, total)


def test_mcnemar_is_the_exact_binomial_test() -> None:
    assert mcnemar(10, 2) == pytest.approx(0.03857421875)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(600, 500) == pytest.approx(mcnemar(500, 600))
    assert mcnemar(540, 460) == pytest.approx(0.0124, abs=2e-3)  # the normal form, where the exact one would be slow


def test_a_paired_difference_knows_what_was_gained_and_lost() -> None:
    base, tuned = [False] * 50 + [True] * 10, [True] * 45 + [False] * 5 + [True] * 8 + [False] * 2
    metric = share_difference(base, tuned)
    assert metric.value == pytest.approx((45 - 2) / 60)
    assert metric.low is not None
    assert 0.5 < metric.low < metric.value
    assert metric.p_value is not None
    assert metric.p_value < 1e-9


def test_the_loss_of_a_token_weighs_tokens_and_doubts_rows() -> None:
    """The standard error agrees with what repeated samples of rows show."""
    generator = np.random.default_rng(5)

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        tokens = generator.integers(3, 60, n)
        level = generator.gamma(4.0, 0.5, n)  # rows differ in how hard they are
        return tokens * level, tokens

    estimates = [token_loss(*sample(200)) for _ in range(400)]
    spread = np.std([estimate.value for estimate in estimates])
    claimed = np.mean([estimate.stderr for estimate in estimates])
    assert claimed == pytest.approx(spread, rel=0.12)
    truth = 2.0
    covered = np.mean([e.low is not None and e.high is not None and e.low <= truth <= e.high for e in estimates])
    assert 0.91 <= covered <= 0.98
    assert token_loss([10.0, 2.0], [10, 1]).value == pytest.approx(12 / 11)


def test_two_models_on_the_same_rows_differ_more_surely_than_apart() -> None:
    generator = random.Random(3)
    tokens = [generator.randint(5, 50) for _ in range(100)]
    base = [t * generator.uniform(1, 4) for t in tokens]
    tuned = [loss - 0.3 * t * generator.uniform(0.8, 1.2) for loss, t in zip(base, tokens, strict=True)]
    difference = token_loss_difference(base, tuned, tokens)
    assert difference.value == pytest.approx(-0.3, abs=0.02)
    alone = token_loss(base, tokens)
    assert difference.stderr is not None
    assert alone.stderr is not None
    assert difference.stderr < alone.stderr / 5


def test_perplexity_is_the_exponential_of_the_loss() -> None:
    loss = token_loss([4.0, 9.0, 5.0], [2, 3, 2])
    figure = perplexity(loss)
    assert figure.value == pytest.approx(math.exp(18 / 7))
    assert loss.low is not None
    assert figure.low == pytest.approx(math.exp(loss.low))
    assert token_loss([3.0], [1]).stderr is None
    assert perplexity(token_loss([3000.0], [1])).value < math.inf
