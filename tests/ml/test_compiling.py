"""``training.compile`` and offloaded activations: the same loss and gradients; without a compiler, a sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.ml import training_runs as runs
from tests.ml.documents import batches_of, documents, tiny
from tunesmith.ml.policy import Policy
from tunesmith.wire.events import Finished
from tunesmith.wire.recipe_text import read_recipe


def run_child(run: runs.RunDirectory, **environment: str) -> None:
    """A child that was not forked: the compiler looks at the environment as it starts."""
    command = [sys.executable, "-W", "ignore", "-m", "tunesmith.ml.sft", str(run.path)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def log_of(run: runs.RunDirectory) -> str:
    return " ".join(event.message for event in runs.events(run) if event.type == "log")


def test_without_a_compiler_the_run_says_so_and_goes_on(tmp_path: Path) -> None:
    model, rows = runs.tiny_model(tmp_path / "model"), runs.write_rows(tmp_path / "rows.jsonl", 6)
    run = runs.new_attempt(tmp_path, 1, model, runs.recipe(model, max_steps=1, compile=True), rows)
    run_child(run, PATH=str(tmp_path), CXX="")
    assert "training.compile is left out: there is no C++ compiler" in log_of(run)
    assert not read_recipe(run.artifacts / "recipe.yaml").training.compile
    assert isinstance(runs.events(run)[-1], Finished)


@pytest.mark.matrix
@pytest.mark.long
def test_a_compiled_run_learns_the_same(tmp_path: Path) -> None:
    assert shutil.which("g++") or shutil.which("clang++"), "install g++"
    model, rows = runs.tiny_model(tmp_path / "model"), runs.write_rows(tmp_path / "rows.jsonl", 12)
    curves = []
    for number, compiled in enumerate((False, True), 1):
        plan = runs.recipe(model, max_steps=2, precision="fp32", compile=compiled)
        plan["method"]["lora"]["dropout"] = 0.0
        run = runs.new_attempt(tmp_path, number, model, plan, rows)
        run_child(run)
        assert "left out" not in log_of(run)
        assert read_recipe(run.artifacts / "recipe.yaml").training.compile == compiled
        curves.append(runs.curve(run))
    assert curves[0] == pytest.approx(curves[1], abs=1e-3)


def test_offloaded_activations_give_the_same_gradients() -> None:
    model = tiny("llama", num_key_value_heads=2)
    (batch,) = batches_of(documents(), packing=True, together=True)
    found = []
    for offloads in (False, True):
        model.zero_grad()
        loss = Policy(model, None, offloads=offloads).summed_loss(batch)
        loss.backward()
        found.append((loss.detach(), [p.grad.clone() for p in model.parameters()]))
    assert found[0][0].equal(found[1][0])
    assert all(torch.equal(left, right) for left, right in zip(found[0][1], found[1][1], strict=True))
