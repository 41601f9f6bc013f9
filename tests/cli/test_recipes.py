"""The recipes for each objective and adapter: every one runs on the bundled model and data, within two minutes, repeatably."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tunesmith.wire.methods import Adapter, Objective

PROGRAM = str(Path(sys.executable).parent / "tunesmith")
RECIPES = Path(__file__).resolve().parents[2] / "recipes"
RUN = {
    "run_id",
    "status",
    "steps",
    "final_loss",
    "eval_loss",
    "trained_tokens",
    "tokens_per_second",
    "weights_sha256",
    "resumed",
    "repaired",
}
MEASURE = {"dpo": "accuracy", "orpo": "accuracy", "kto": "accuracy", "reward": "accuracy", "grpo": "reward"}


def train(recipe: Path, data_dir: Path, *overrides: str) -> dict[str, Any]:
    """Run a recipe as a person does."""
    command = [PROGRAM, "train", str(recipe), *overrides, "--data-dir", str(data_dir), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def test_there_is_one_for_each_objective_and_adapter() -> None:
    wanted = {f"tiny-{objective}-{adapter}.yaml" for objective in Objective for adapter in Adapter}
    assert {file.name for file in RECIPES.glob("tiny-*.yaml")} == wanted


@pytest.mark.timed
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("tiny-*.yaml")), ids=lambda file: file.stem)
def test_it_runs_within_two_minutes(recipe: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    result = train(recipe, tmp_path / "data")
    seconds = time.monotonic() - began
    assert set(result) >= RUN
    assert result["status"] == "completed"
    measure = MEASURE.get(recipe.stem.split("-")[1])
    assert measure is None or result["measures"][measure] > 0.5
    assert seconds < 120


@pytest.mark.matrix
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["tiny-dpo-lora", "tiny-sft-full", "tiny-sft-qlora"])
def test_it_gives_the_same_weights_every_time(name: str, tmp_path: Path) -> None:
    runs = [
        train(RECIPES / f"{name}.yaml", tmp_path / str(number), "training.max_steps=8", "evaluate.enabled=false")
        for number in (1, 2)
    ]
    assert runs[0]["weights_sha256"] == runs[1]["weights_sha256"]
