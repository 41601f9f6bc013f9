"""The engine axolotl: its configuration goes out, its log and its files come back as those of any run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ml import training_runs as runs
from tunesmith.adapters.training import AxolotlEngine
from tunesmith.ml.axolotl_log import LogReader
from tunesmith.settings import AxolotlSettings
from tunesmith.wire.checkpoint import verify_checkpoint
from tunesmith.wire.events import Failed, Finished
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.run_dir import RunDirectory

DOUBLE = Path(__file__).with_name("axolotl_double.py")
ROOT = DOUBLE.parents[2]


@pytest.fixture
def engine(tmp_path: Path) -> AxolotlEngine:
    """Its `python -m axolotl.cli.main …` is our double."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{DOUBLE}" "$@"\n')
    program.chmod(0o755)
    return AxolotlEngine(AxolotlSettings(python=program, launcher="python", custom={"optimizer": "adamw_torch_fused"}))


def start(engine: AxolotlEngine, run: RunDirectory, **environment: str) -> subprocess.Popen[bytes]:
    recipe = Recipe.model_validate(run.read_spec()["recipe"])
    assert engine.check(recipe) == []
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **engine.environment(recipe), **environment}
    with run.output_file.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", engine.module, str(run.path)], env=variables, stdout=output, stderr=output
        )


def test_a_run_stopped_and_gone_on_with(engine: AxolotlEngine, tmp_path: Path, model: Path) -> None:
    rows = runs.write_rows(tmp_path / "rows.jsonl")
    plan = runs.recipe(model, max_steps=6, save_steps=2, keep_last_n=2)
    first = runs.new_attempt(tmp_path, 1, model, plan, rows, validation_file=rows)
    child = start(engine, first, AXOLOTL_DOUBLE="slow")
    deadline = time.monotonic() + 60
    while not runs.checkpoints(first):
        assert child.poll() is None, first.output_file.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.request_end("stop")
    assert child.wait(60) == 0
    (stopped,) = [event for event in runs.events(first) if isinstance(event, Finished)]
    assert (stopped.stopped, stopped.result["status"]) == (True, "stopped")
    kept = runs.checkpoints(first)[-1]

    config = yaml.safe_load((first.artifacts / "axolotl.yaml").read_text())
    assert (config["adapter"], config["lora_r"], config["optimizer"]) == ("lora", 4, "adamw_torch_fused")
    assert config["datasets"][0]["path"] == str(rows)

    second = runs.new_attempt(tmp_path, 2, model, plan, rows, validation_file=rows, resume_from=first.path / kept.path)
    child = start(engine, second)
    assert child.wait(60) == 0, second.output_file.read_text()
    (end,) = [event for event in runs.events(second) if isinstance(event, Finished)]
    result = end.result
    assert (result["status"], result["steps"], result["resumed"]) == ("completed", 6, True)
    assert runs.curve(second) == {step: pytest.approx(3 / step, abs=1e-3) for step in range(kept.step + 1, 7)}
    assert runs.curve(second, "eval_loss") == {6: 0.75}
    assert (result["eval_loss"], result["trained_tokens"]) == (0.75, 300)
    adapter = second.artifacts / "adapter"
    verify_checkpoint(adapter)
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == str(model)
    assert {"adapter_model.safetensors", "tokenizer.json", "chat_template.jinja"} <= {
        file.name for file in adapter.iterdir()
    }
    from safetensors.torch import load_file

    from tunesmith.ml.checkpoint import weights_sha256

    assert result["weights_sha256"] == weights_sha256(load_file(adapter / "adapter_model.safetensors"))
    assert verify_checkpoint(second.checkpoints / "step-000006").step == 6


def test_what_it_fails_of_is_said(engine: AxolotlEngine, tmp_path: Path, model: Path) -> None:
    rows = runs.write_rows(tmp_path / "rows.jsonl")
    run = runs.new_attempt(tmp_path, 1, model, runs.recipe(model, max_steps=2), rows)
    assert start(engine, run, AXOLOTL_DOUBLE="memory").wait(60) == 1
    (failed,) = [event for event in runs.events(run) if isinstance(event, Failed)]
    assert (failed.error_type, failed.code, failed.reason) == ("GPU_ERROR", "out-of-memory", "out-of-memory")
    assert "CUDA out of memory" in failed.message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"python": "/nowhere/python"}, "no Python at /nowhere/python"),
        ({"image": "axolotl:none", "runtime": "podman"}, "needs podman, which is not installed"),
        ({"python": sys.executable, "custom": {"lora_dropot": 1}}, "did you mean lora_dropout"),
    ],
)
def test_it_is_refused_where_it_is_not_there(
    settings: dict[str, Any], words: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (problem,) = AxolotlEngine(AxolotlSettings(**settings)).check(Recipe.model_validate(runs.recipe(model)))
    assert words in problem.message
    assert problem.hint


def test_in_a_container_the_data_folder_is_the_workspace(tmp_path: Path, model: Path) -> None:
    """The command itself: a double of docker writes down what it was given."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/said"\nexit 3\n')
    docker.chmod(0o755)
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    rows = runs.write_rows(data_dir / "rows.jsonl")
    run = runs.new_attempt(data_dir / "runs" / "7", 1, model, runs.recipe(model, max_steps=2), rows)
    engine = AxolotlEngine(AxolotlSettings(image="axolotl:main"), data_dir)
    recipe = Recipe.model_validate(runs.recipe(model))
    path = f"{docker.parent}:{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, **engine.environment(recipe)}
    done = subprocess.run([sys.executable, "-m", engine.module, str(run.path)], env=variables, capture_output=True)
    assert done.returncode == 1
    said = (tmp_path / "said").read_text().split("\n")
    assert f"{data_dir}:/workspace/data" in said
    assert f"{model}:/workspace/model:ro" in said
    config = yaml.safe_load((run.artifacts / "axolotl.yaml").read_text())
    assert config["base_model"] == "/workspace/model"
    assert config["datasets"][0]["path"] == "/workspace/data/rows.jsonl"
    assert config["output_dir"].startswith("/workspace/data/runs/7/")
    assert said[said.index("axolotl:main") + 1 : said.index("axolotl:main") + 3] == ["axolotl", "train"]


def test_a_recorded_log_of_the_real_one() -> None:
    """Twelve updates of axolotl 0.19.0 with an evaluation before and after, as it printed them."""
    log = ROOT / "tests" / "data" / "engines" / "axolotl-0.19.0.txt"
    reader = LogReader(logging_steps=1)
    points = [point for line in log.read_text(encoding="utf-8").splitlines() if (point := reader.read(line))]
    assert [p.step for p in points if "loss" in p.values] == list(range(1, 13))
    assert [(p.step, p.values["eval_loss"]) for p in points if "eval_loss" in p.values] == [(0, 6.237), (12, 5.82)]
    assert points[1].values == {"loss": 6.074, "learning_rate": 0.005, "grad_norm": 1.706}
    assert (reader.step, reader.total_steps, reader.trained_tokens, reader.is_over) == (12, 12, 378, True)


def test_lines_that_are_no_points() -> None:
    reader = LogReader(logging_steps=5)
    for line in ("", "{'loss': }", "{'loss': 'nan'}", "Map: 100%|##| 24/24 [00:00", "{'a': 1}", "]{[%|"):
        assert reader.read(line) is None
    assert reader.read(" 50%|###  | 10/20 [00:01<00:01]") is None
    assert (reader.step, reader.total_steps) == (10, 20)
    point = reader.read("x {'loss': 1.5, 'epoch': 0.1} y")
    assert point is not None
    assert (point.step, point.values) == (5, {"loss": 1.5})
