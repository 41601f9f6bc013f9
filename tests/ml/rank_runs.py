"""Runs of several ranks, as the worker starts them, and what is alike in them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from safetensors.torch import load_file

from tests.ml import preferences
from tests.ml import training_runs as runs
from tunesmith.wire.events import Failed, Finished, LogLine
from tunesmith.wire.run_dir import RunDirectory

CLOSE = 1e-5


def plan_of(
    model: Path,
    objective: str = "sft",
    adapter: str = "lora",
    *,
    processes: int = 1,
    dropout: float = 0.0,
    distributed: dict[str, Any] | None = None,
    **training: Any,
) -> dict[str, Any]:
    """24 rows in updates of 5: the last update of an epoch has 4, and no number of processes divides them evenly."""
    settings = {"max_steps": 6, "batch_size": 5, "packing": False, "precision": "fp32", "save_steps": 3, **training}
    plan = runs.recipe(model, **{"learning_rate": 2e-3, "warmup_ratio": 0, **settings})
    plan["method"] = {
        "objective": objective,
        "adapter": adapter,
        "lora": {"r": 4, "alpha": 8, "dropout": dropout},
    }
    if processes > 1:
        plan["resources"] |= {"processes": processes}
    if distributed is not None:
        plan["resources"] |= {"distributed": distributed}
    return plan


@contextmanager
def started(run: RunDirectory) -> Iterator[subprocess.Popen[bytes]]:
    """The child as the worker starts it: in a session of its own, with its output in the run's folder."""
    with run.output_file.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "tunesmith.ml.sft", str(run.path)],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "2"},
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def train(run: RunDirectory, *, expect: int = 0) -> Any:
    """The child to its end; answers its last word."""
    with started(run) as child:
        code = child.wait(280)
    assert code == expect, run.output_file.read_text()[-4000:]
    ends = [event for event in runs.events(run) if isinstance(event, Finished | Failed)]
    assert len(ends) <= 1, "one last word"
    return ends[-1] if ends else None


def log_of(run: RunDirectory) -> str:
    return "\n".join(event.message for event in runs.events(run) if isinstance(event, LogLine))


def ranks_of(run: RunDirectory) -> list[psutil.Process]:
    """The ranks of a run, whoever their parent is now."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = process.info["cmdline"] or []
        if str(run.path) in words and "RANK" in (process.info["environ"] or {}):
            found.append(process)
    return sorted(found, key=lambda process: process.info["environ"]["RANK"])


def nobody_is_left(run: RunDirectory) -> bool:
    return not any(
        str(run.path) in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
        for process in psutil.process_iter(["cmdline", "status"])
    )


def assert_same_run(run: RunDirectory, of_one: RunDirectory) -> None:
    for name in ("loss", "grad_norm", "eval_loss"):
        ours, theirs = runs.curve(run, name), runs.curve(of_one, name)
        assert list(ours) == list(theirs) != []
        assert max(abs(ours[step] - theirs[step]) for step in ours) < CLOSE, (name, ours, theirs)
    weights = [load_file(next(r.artifacts.glob("*/*.safetensors"))) for r in (run, of_one)]
    assert weights[0].keys() == weights[1].keys()
    assert max(float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0]) < 10 * CLOSE
    ends = [[e for e in runs.events(r) if isinstance(e, Finished)][-1].result for r in (run, of_one)]
    assert ends[0]["trained_tokens"] == ends[1]["trained_tokens"]


Cell = tuple[str, str, int, dict[str, Any] | None]
"""Objective, adapter, processes, and how they share the run."""


def name_of(cell: Cell) -> str:
    how = cell[3] or {}
    return f"{cell[0]}-{cell[1]}-{cell[2]}-{how.get('strategy', 'auto')}{how.get('zero_stage', '')}"


def write_files(root: Path) -> dict[str, Path]:
    """Rows for each objective."""
    pairs = preferences.write_pairs(root / "pairs.jsonl")
    marked = preferences.write(root / "marked.jsonl", preferences.labelled())
    return {"sft": runs.write_rows(root / "rows.jsonl"), "dpo": pairs, "reward": pairs, "kto": marked}


def learns_as_one(cell: Cell, folder: Path, model: Path, files: dict[str, Path]) -> RunDirectory:
    """Run the processes of the cell, and compare them with one process, which is run once for all cells of its kind in a module;
    answers the run of the many.
    """
    objective, adapter, processes, distributed = cell
    file = files[objective]
    accumulated = {"batch_size": 2, "gradient_accumulation_steps": 3} if objective == "kto" else {}

    def trained(where: Path, count: int, how: dict[str, Any] | None) -> RunDirectory:
        plan = plan_of(model, objective, adapter, processes=count, distributed=how, **accumulated)
        run = runs.new_attempt(where, 1, model, plan, file, validation_file=file)
        assert isinstance(train(run), Finished), run.output_file.read_text()[-3000:]
        return run

    alone = file.parent / f"one-{objective}-{adapter}"
    of_one = RunDirectory(alone / "attempts/1") if alone.exists() else trained(alone, 1, None)
    of_many = trained(folder, processes, distributed)
    assert_same_run(of_many, of_one)
    return of_many


def goes_on_after_a_kill(plan: dict[str, Any], folder: Path, model: Path, file: Path) -> None:
    """`kill -9` of the second rank: no last word, nobody left, and the same bytes from the checkpoint on."""
    whole = runs.new_attempt(folder / "whole", 1, model, plan, file)
    undisturbed = train(whole).result
    run = runs.new_attempt(folder / "killed", 1, model, plan, file)
    with started(run) as child:
        runs.wait_for(lambda: len(runs.checkpoints(run)) >= 2)
        ranks_of(run)[1].kill()
        code = child.wait(60)
    assert code == -signal.SIGKILL, "the agent ends as the rank did"
    assert not [event for event in runs.events(run) if isinstance(event, Finished | Failed)]
    runs.wait_for(lambda: nobody_is_left(run), 10)
    reached = runs.checkpoints(run)[-1]
    again = runs.new_attempt(folder / "killed", 2, model, plan, file, resume_from=run.path / reached.path)
    end = train(again)
    assert min(runs.curve(again)) == reached.step + 1
    for name in ("weights_sha256", "final_loss", "trained_tokens"):
        assert end.result[name] == undisturbed[name], name
