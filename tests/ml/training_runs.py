"""Small training runs in real child processes: a tiny random model, rows that it can learn, one folder per attempt."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ml.tiny_models import save_model
from tunesmith.wire.events import CheckpointSaved, Failed, Finished, Metric
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.run_dir import RunDirectory

WORDS = ["lighthouse", "배", "café", "등대지기", "ship", "night", "42", "🙂", "return", "오늘"]


def tiny_model(folder: Path) -> Path:
    """A model of 64 hidden units that learns a few sentences in seconds."""
    return save_model(
        folder, "qwen3", hidden_size=64, intermediate_size=128, head_dim=16, dtype="float32", initializer_range=0.05
    )


def write_rows(file: Path, count: int = 24, *, first: int = 0) -> Path:
    """Conversations of mixed length, some with two answers."""
    lines = []
    for number in range(first, first + count):
        word = WORDS[number % len(WORDS)]
        messages = [
            {"role": "user", "content": f"Say {word} " * (1 + number % 4)},
            {"role": "assistant", "content": f"{word} {word} " * (1 + number % 3)},
        ]
        if number % 5 == 0:
            messages += [{"role": "user", "content": "again"}, {"role": "assistant", "content": word}]
        lines.append(json.dumps({"messages": messages}, ensure_ascii=False))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def recipe(model: Path, **training: Any) -> dict[str, Any]:
    """A recipe of a few seconds."""
    plan = {"max_steps": 8, "batch_size": 2, "max_length": 128, "learning_rate": 5e-3, "save_steps": 100, **training}
    return {
        "name": "test",
        "seed": 7,
        "model": {"base": str(model)},
        "data": {"train": "rows.jsonl"},
        "method": {"lora": {"r": 4, "alpha": 8, "dropout": 0.1}},
        "training": plan,
        "resources": {"device": "cpu"},
    }


def new_attempt(job: Path, number: int, model: Path, plan: dict[str, Any], train: Path, **spec: Any) -> RunDirectory:
    """The folder of one attempt, ready to start."""
    document = {"recipe": Recipe.model_validate(plan).to_plain(), "model_path": str(model), "train_file": str(train)}
    for name, value in spec.items():
        document[name] = str(value) if isinstance(value, Path) else value
    return RunDirectory.create(job / "attempts" / str(number), document)


def context() -> Any:
    """Makes processes that have torch already."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests share the machine
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.ml.warm"])
    return made


def start(run: RunDirectory, **environment: str) -> Any:
    """Start the child. It is forked from a process that has imported torch once: sixteen seconds less for each test."""
    process = context().Process(target=child, args=(str(run.path), environment))
    process.start()
    return process


def child(run_dir: str, environment: dict[str, str]) -> None:
    """What ``python -m tunesmith.ml.sft`` does in ``environment``, with its output in ``output.log``."""
    os.environ.update(environment)
    from tunesmith.ml.sft import main

    with open(Path(run_dir) / "output.log", "ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    main(run_dir)


def train(run: RunDirectory, *, expect: int = 0, **environment: str) -> Any:
    """Run the child to its end; answers its last word."""
    process = start(run, **environment)
    process.join(240)
    assert process.exitcode == expect, run.output_file.read_text()[-3000:]
    ends = [event for event in events(run) if isinstance(event, Finished | Failed)]
    return ends[-1] if ends else None


def wait_for(condition: Callable[[], Any], deadline_seconds: float = 120) -> Any:
    """Poll until ``condition`` answers something."""
    end = time.monotonic() + deadline_seconds
    while not (answer := condition()):
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.01)
    return answer


def events(run: RunDirectory) -> list[Any]:
    """What the child told."""
    return [event for _offset, event, _line in run.read_events()]


def curve(run: RunDirectory, name: str = "loss") -> dict[int, float]:
    """One curve by step."""
    return {e.step: e.values[name] for e in events(run) if isinstance(e, Metric) and name in e.values}


def checkpoints(run: RunDirectory) -> list[CheckpointSaved]:
    """The checkpoints that were reported."""
    return [e for e in events(run) if isinstance(e, CheckpointSaved)]
