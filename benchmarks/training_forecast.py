"""The forecast of a run beside the run itself: `python -m benchmarks.training_forecast`.

Six configurations that differ in length, batch, packing, precision, evaluation, checkpointing and rank, on the bundled model and
data (and on generated long rows). Each is forecast, then run, each time as a child of its own; its wall time and the kernel's own
figure of its peak resident memory are the truth. Bars: median absolute error at most 10 % (memory) and 15 % (time), none worse
than 30 %. With `--warm` children are forked from a process that has imported the libraries, which leaves the imports out of both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tunesmith.wire.events import Finished
from tunesmith.wire.recipe import Recipe
from tunesmith.wire.run_dir import RunDirectory

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "src/tunesmith/bundle/model"
FERRY = ROOT / "examples/haedam-ferry/train.jsonl"
MEMORY_BAR, TIME_BAR, WORST_BAR = 0.10, 0.15, 0.30
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "packed 1024, batch 1, bf16, r 32, evaluated": {
        "training": {"max_length": 1024, "batch_size": 1, "packing": True, "precision": "bf16", "eval_steps": 20},
        "rank": 32,
        "held_out": 60,
    },
    "padded, batch 8, fp32, r 8, evaluated often": {
        "training": {"max_length": 256, "batch_size": 8, "packing": False, "precision": "fp32", "eval_steps": 10},
        "rank": 8,
        "held_out": 60,
    },
    "packed 512, batch 2 x 2, bf16, checkpointing": {
        "training": {
            "max_length": 512,
            "batch_size": 2,
            "gradient_accumulation_steps": 2,
            "packing": True,
            "precision": "bf16",
            "gradient_checkpointing": True,
        },
        "rank": 16,
    },
    "long rows padded, batch 4, bf16, r 16": {
        "training": {"max_length": 1024, "batch_size": 4, "packing": False, "precision": "bf16"},
        "rank": 16,
        "long": True,
    },
    "packed 1024, batch 4, fp32, r 64": {
        "training": {"max_length": 1024, "batch_size": 4, "packing": True, "precision": "fp32"},
        "rank": 64,
    },
    "padded, batch 32, fp32, r 16, saved often": {
        "training": {"max_length": 128, "batch_size": 32, "packing": False, "precision": "fp32", "save_steps": 8},
        "rank": 16,
    },
}


def recipe(configuration: dict[str, Any], steps: int) -> Recipe:
    """The recipe of a configuration."""
    return Recipe.model_validate(
        {
            "name": "benchmark",
            "model": {"base": str(MODEL)},
            "data": {"train": "rows"},
            "method": {"lora": {"r": configuration["rank"]}},
            "training": {"max_steps": steps, "save_steps": 500, **configuration["training"]},
        }
    )


def write_data(folder: Path, configuration: dict[str, Any]) -> dict[str, str]:
    """Rows to train and to evaluate on."""
    rows = FERRY.read_text(encoding="utf-8").splitlines()
    if configuration.get("long"):
        chance = random.Random(5)
        rows = [json.dumps({"messages": _long(rows, chance)}, ensure_ascii=False) for _ in range(160)]
    held_out = configuration.get("held_out", 0)
    files = {"train_file": folder / "train.jsonl"}
    files["train_file"].write_text("\n".join(rows[held_out:]) + "\n", encoding="utf-8")
    if held_out:
        files["validation_file"] = folder / "validation.jsonl"
        files["validation_file"].write_text("\n".join(rows[:held_out]) + "\n", encoding="utf-8")
    return {name: str(file) for name, file in files.items()}


def _long(rows: list[str], chance: random.Random) -> list[dict[str, str]]:
    """One conversation of several rows, of very different lengths."""
    turns = [m for _ in range(1 + int(30 * chance.random() ** 3)) for m in json.loads(chance.choice(rows))["messages"]]
    return [turn for turn in turns if turn["role"] != "system"]


def child(module: str, run: RunDirectory, *, warm: bool) -> tuple[float, int]:
    """Run a child to its end: seconds and peak bytes."""
    began = time.perf_counter()
    if warm:
        pid = os.fork()
        if pid == 0:
            _forked(module, run)
    else:
        with run.output_file.open("ab") as output:
            pid = subprocess.Popen([sys.executable, "-m", module, str(run.path)], stdout=output, stderr=output).pid
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{module} ended with {status}:\n{run.output_file.read_text()[-3000:]}")
    return time.perf_counter() - began, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _forked(module: str, run: RunDirectory) -> None:
    import runpy

    with run.output_file.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.argv = [module, str(run.path)]
    code = 1
    try:
        runpy.run_module(module, run_name="__main__")
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)


def measure(name: str, steps: int, *, warm: bool) -> dict[str, Any]:
    """Forecast and run one configuration."""
    configuration = CONFIGURATIONS[name]
    with tempfile.TemporaryDirectory() as folder:
        files = write_data(Path(folder), configuration)
        spec = {"recipe": recipe(configuration, steps).to_plain(), "model_path": str(MODEL), "device": "cpu", **files}
        rehearsal = RunDirectory.create(Path(folder) / "forecast" / "attempts" / "1", spec)
        asked_seconds, _ = child("tunesmith.ml.forecast", rehearsal, warm=warm)
        forecast = next(e.result for _, e, _ in rehearsal.read_events() if isinstance(e, Finished))
        run = RunDirectory.create(Path(folder) / "run" / "attempts" / "1", spec)
        seconds, peak = child("tunesmith.ml.sft", run, warm=warm)
    return {
        "configuration": name,
        "forecast_gib": round(forecast["peak_memory_bytes"] / 2**30, 3),
        "run_gib": round(peak / 2**30, 3),
        "memory_error": round(forecast["peak_memory_bytes"] / peak - 1, 3),
        "forecast_seconds": round(forecast["seconds"], 1),
        "run_seconds": round(seconds, 1),
        "time_error": round(forecast["seconds"] / seconds - 1, 3),
        "forecast_took_seconds": round(asked_seconds, 1),
    }


def main() -> None:
    """Print a line for each configuration, and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help="updates of each run")
    parser.add_argument("--warm", action="store_true", help="fork children from a process that has imported torch")
    arguments = parser.parse_args()
    if arguments.warm:
        import peft  # noqa: F401
        import trl  # noqa: F401
        from trl import SFTTrainer  # noqa: F401
    found = []
    for name in CONFIGURATIONS:
        found.append(measure(name, arguments.steps, warm=arguments.warm))
        print(json.dumps(found[-1], ensure_ascii=False), flush=True)
    memory = [abs(one["memory_error"]) for one in found]
    seconds = [abs(one["time_error"]) for one in found]
    verdict = {
        "memory": {"median": round(statistics.median(memory), 3), "worst": max(memory)},
        "time": {"median": round(statistics.median(seconds), 3), "worst": max(seconds)},
        "passed": statistics.median(memory) <= MEMORY_BAR
        and statistics.median(seconds) <= TIME_BAR
        and max(*memory, *seconds) <= WORST_BAR,
    }
    print(json.dumps(verdict, indent=2))
    raise SystemExit(0 if verdict["passed"] else 1)


if __name__ == "__main__":
    main()
