"""What is recommended for a model, a dataset and a memory: rules that hold for all of them, and a run of the short form."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.domains.training.recommending import Situation, learning_rate, recommend

SITUATION: dict[str, Any] = {
    "model": "m",
    "num_parameters": 5_000_000,
    "vocab_size": 2048,
    "context_length": 1024,
    "device": "cpu",
    "available_memory_bytes": 8 << 30,
    "rows": 400,
    "total_tokens": 12_000,
    "longest_tokens": 90,
}


def test_a_small_set_is_trained_for_enough_updates_and_watched() -> None:
    recipe, choices, updates, _ = recommend(Situation(**SITUATION | {"rows": 40, "total_tokens": 2400}))
    assert updates >= 100
    assert recipe.training.epochs is not None
    assert recipe.training.epochs <= 30
    assert recipe.training.early_stopping is not None
    assert recipe.data.split is not None
    assert recipe.training.eval_steps == recipe.training.save_steps
    named = {choice.parameter: choice for choice in choices}
    assert {"training.learning_rate", "training.epochs", "method.lora.r", "training.max_length"} <= set(named)
    assert all(choice.reason for choice in choices)
    assert named["training.epochs"].alternatives


def test_a_large_set_gets_three_passes_and_large_updates() -> None:
    large = {"num_parameters": 600_000_000, "rows": 50_000, "total_tokens": 10_000_000, "longest_tokens": 900}
    recipe, _, updates, _ = recommend(Situation(**SITUATION | large))
    assert recipe.training.epochs == 3
    assert updates > 1000
    plan = recipe.training
    assert 4096 <= plan.batch_size * plan.gradient_accumulation_steps * plan.max_length <= 16384


@pytest.mark.parametrize("memory_gib", [1, 2, 4, 16, 80])
@pytest.mark.parametrize("num_parameters", [5_000_000, 100_000_000, 600_000_000])
def test_what_fits_is_chosen_where_anything_fits(memory_gib: int, num_parameters: int) -> None:
    at = Situation(
        **SITUATION
        | {"num_parameters": num_parameters, "available_memory_bytes": memory_gib << 30, "longest_tokens": 700}
    )
    recipe, _, _, taken = recommend(at)
    smallest = 600e6 + 5 * num_parameters
    if smallest < 0.6 * (memory_gib << 30):
        assert taken <= 0.75 * (memory_gib << 30)
    assert recipe.training.max_length <= 1024


def test_rows_that_fit_are_not_cut_and_the_context_is_the_limit() -> None:
    assert recommend(Situation(**SITUATION))[0].training.max_length >= 90
    long, choices, _, _ = recommend(Situation(**SITUATION | {"longest_tokens": 5000}))
    assert long.training.max_length == 1024
    assert any("cut" in choice.reason for choice in choices if choice.parameter == "training.max_length")


def test_the_rate_falls_with_the_size() -> None:
    rates = [learning_rate(10**power) for power in range(5, 12)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1]) == (2e-3, 5e-5)


def test_twenty_rows_are_needed_to_hold_some_out() -> None:
    recipe, _, _, _ = recommend(Situation(**SITUATION | {"rows": 12, "total_tokens": 700}))
    assert recipe.data.split is None
    assert recipe.training.early_stopping is None
