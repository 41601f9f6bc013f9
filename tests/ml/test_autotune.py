"""Autotune: the fastest shape of the same update, written to the resolved recipe, the same for every run like it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.ml import training_runs as runs
from tunesmith.wire.recipe_text import RecipeError, read_recipe, validate_recipe


def told(run: runs.RunDirectory, word: str) -> list[str]:
    return [event.message for event in runs.events(run) if event.type == "log" and word in event.message]


def test_the_fastest_is_kept_and_every_run_takes_it(tmp_path: Path, model: Path) -> None:
    """By the seconds that the first run tells; the second run and one that goes on do as the first."""
    rows = runs.write_rows(tmp_path / "rows.jsonl", 8)
    plan = runs.recipe(
        model, max_steps=3, save_steps=1, batch_size=1, gradient_accumulation_steps=4, packing=False, autotune=True
    )
    results, chosen = [], []
    lines: list[str] = []
    resume: dict[str, Any] = {}
    for number in (1, 2, 3):
        run = runs.new_attempt(tmp_path, number, model, plan, rows, cache_path=tmp_path / "cache", **resume)
        results.append(runs.train(run).result)
        training = read_recipe(run.artifacts / "recipe.yaml").training
        chosen.append((training.batch_size, training.gradient_accumulation_steps))
        lines += told(run, "autotune")
        if number == 2:
            (kept,) = (tmp_path / "cache" / "autotune").iterdir()
            other = {"batch_size": 4 if chosen[0][0] != 4 else 2, "gradient_accumulation_steps": 1}
            kept.write_text(json.dumps(json.loads(kept.read_text()) | other))  # a run that goes on must not look
            resume = {"resume_from": run.checkpoints / "step-000001"}
    measured = {
        (int(size), int(passes), int(threads)): float(seconds)
        for size, passes, threads, seconds in re.findall(r"(\d+) × (\d+), [a-z ]+, (\d+) threads: ([\d.]+)", lines[0])
    }
    plain = (1, 4, 1)
    assert plain in measured
    assert {(1, 4), (2, 2), (4, 1)} <= {shape[:2] for shape in measured}
    least = min(measured.values())
    fastest = {shape[:2] for shape, seconds in measured.items() if seconds <= least + 0.001}  # what is told is rounded
    assert chosen[0] in fastest | {plain[:2]}
    if least + 0.001 < 0.95 * measured[plain]:
        assert chosen[0] in fastest
    assert chosen == [chosen[0]] * 3
    assert ["as found before" in lines[1], "as the run began" in lines[2]] == [True, True]
    assert len({result["weights_sha256"] for result in results}) == 1


def test_a_repaired_run_keeps_the_portions_that_it_came_down_to(tmp_path: Path, model: Path) -> None:
    """The checkpoint knows the shape that did not fit; the recipe of the next attempt has smaller portions."""
    rows = runs.write_rows(tmp_path / "rows.jsonl", 8)
    plan = runs.recipe(model, max_steps=2, save_steps=1, batch_size=1, gradient_accumulation_steps=4, autotune=True)
    runs.train(runs.new_attempt(tmp_path, 1, model, plan, rows, cache_path=tmp_path / "cache"))
    (kept,) = (tmp_path / "cache" / "autotune").iterdir()
    chosen = {"batch_size": 4, "gradient_accumulation_steps": 1}
    kept.write_text(json.dumps(json.loads(kept.read_text()) | chosen))
    began = runs.new_attempt(tmp_path, 2, model, plan, rows, cache_path=tmp_path / "cache")
    runs.train(began)
    assert read_recipe(began.artifacts / "recipe.yaml").training.batch_size == 4
    plan["training"] |= {"batch_size": 2, "gradient_accumulation_steps": 2}
    resume = {"resume_from": began.checkpoints / "step-000001", "repairs": ["batch_size 4 → 2"]}
    repaired = runs.new_attempt(tmp_path, 3, model, plan, rows, **resume)
    runs.train(repaired)
    assert read_recipe(repaired.artifacts / "recipe.yaml").training.batch_size == 2


def test_tuning_moves_no_weight_and_no_generator(tmp_path: Path, model: Path) -> None:
    """With one row to an update there is nothing to choose but threads: the run is the run without it, dropout and all."""
    rows = runs.write_rows(tmp_path / "rows.jsonl", 6)
    curves = []
    for number, autotune in enumerate((True, False), 1):
        plan = runs.recipe(model, max_steps=4, batch_size=1, autotune=autotune, precision="fp32")
        run = runs.new_attempt(tmp_path, number, model, plan, rows)
        runs.train(run)
        assert bool(told(run, "seconds of an update")) == autotune
        curves.append(runs.curve(run))
    assert curves[0] == pytest.approx(curves[1], abs=1e-4)


def test_what_a_device_cannot_do_is_said_and_left_out(tmp_path: Path, model: Path) -> None:
    rows = runs.write_rows(tmp_path / "rows.jsonl", 6)
    plan = runs.recipe(model, max_steps=1, offload_activations=True)
    run = runs.new_attempt(tmp_path, 1, model, plan, rows)
    runs.train(run)
    assert told(run, "offload_activations does nothing on cpu")
    assert not read_recipe(run.artifacts / "recipe.yaml").training.offload_activations


def test_batch_tokens_stand_for_a_batch_size(model: Path) -> None:
    plan = runs.recipe(model, batch_tokens=1000)
    del plan["training"]["batch_size"]
    recipe = validate_recipe(plan)
    assert (recipe.training.batch_size, recipe.training.batch_tokens) == (7, None)
    assert validate_recipe(recipe.to_plain()) == recipe
    with pytest.raises(RecipeError, match="batch_tokens or batch_size"):
        validate_recipe(runs.recipe(model, batch_tokens=1000))
    plan["training"]["batch_tokens"] = 100
    with pytest.raises(RecipeError, match="max_length"):
        validate_recipe(plan)
