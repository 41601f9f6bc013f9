"""One contract over every training engine: what its child is given, tells, leaves, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ml import training_runs as runs
from tunesmith.adapters.training import training_engine
from tunesmith.ports.training import TrainingEngine
from tunesmith.wire.checkpoint import verify_checkpoint
from tunesmith.wire.events import Finished
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import read_recipe
from tunesmith.wire.run_dir import RunDirectory

RUN_KEYS = {
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


@pytest.fixture(scope="module", params=["trl", "fake"])
def engine(request: pytest.FixtureRequest) -> TrainingEngine:
    found = training_engine(request.param)
    assert found.name == request.param
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.write_rows(tmp_path_factory.mktemp("rows") / "train.jsonl")


def run_to_end(engine: TrainingEngine, run: RunDirectory) -> list[Finished]:
    """Start the child as the launcher does."""
    recipe = Recipe.model_validate(run.read_spec()["recipe"])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **engine.environment(recipe)}
    command = [sys.executable, "-m", engine.module, str(run.path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    return [event for event in runs.events(run) if isinstance(event, Finished)]


def test_trains_stops_and_goes_on(engine: TrainingEngine, tmp_path: Path, model: Path, rows: Path) -> None:
    plan = runs.recipe(model, max_steps=6, save_steps=3)
    assert engine.check(Recipe.model_validate(plan)) == []

    first = runs.new_attempt(tmp_path, 1, model, plan, rows, validation_file=rows)
    first.request_end("stop")
    (stopped,) = run_to_end(engine, first)
    assert stopped.stopped
    assert stopped.result["status"] == "stopped"
    (kept,) = runs.checkpoints(first)
    manifest = verify_checkpoint(first.path / kept.path)
    assert manifest.step == kept.step == stopped.result["steps"]
    assert kept.size_bytes >= manifest.size_bytes > 0

    second = runs.new_attempt(tmp_path, 2, model, plan, rows, validation_file=rows, resume_from=first.path / kept.path)
    (end,) = run_to_end(engine, second)
    assert not end.stopped
    assert set(end.result) >= RUN_KEYS
    assert (end.result["steps"], end.result["resumed"]) == (6, True)
    assert list(runs.curve(second)) == [2, 3, 4, 5, 6]
    assert end.result["final_loss"] == pytest.approx(runs.curve(second)[6])
    assert runs.curve(second, "eval_loss")[6] == end.result["eval_loss"]
    assert [c.step for c in runs.checkpoints(second)] == [3, 6]

    adapter = second.artifacts / "adapter"
    verify_checkpoint(adapter)
    names = {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "chat_template.jinja"}
    assert {file.name for file in adapter.iterdir()} >= names
    resolved = read_recipe(second.artifacts / "recipe.yaml")
    assert resolved.training.precision != "auto"
    assert resolved.resources.device != "auto"


def test_a_device_that_is_not_there_is_refused_before_the_queue(model: Path) -> None:
    plan = runs.recipe(model)
    plan["resources"] = {"device": "mps" if sys.platform != "darwin" else "cuda"}
    (problem,) = training_engine("trl").check(Recipe.model_validate(plan))
    assert problem.location == "resources.device"
    assert "auto" in problem.hint
