"""The engines Axolotl and MLX for real, where they are installed: ``python -m benchmarks.engines schema|axolotl|mlx``.

``schema`` and ``axolotl`` need TUNESMITH_AXOLOTL__PYTHON, the Python of an environment with Axolotl; ``mlx`` needs mlx and mlx-lm
importable here. Each prints what the tables in docs/en/engines.md quote, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

from tests.ml import training_runs as runs
from tunesmith.adapters.training import training_engine
from tunesmith.settings import load_settings
from tunesmith.wire.events import CheckpointSaved, Finished
from tunesmith.wire.foreign import write_axolotl
from tunesmith.wire.recipe import Recipe

UPDATES, SAVE_STEPS = 12, 6
VALIDATE = """
import json, sys
from axolotl.utils.schemas.config import AxolotlInputConfig
configs = json.load(sys.stdin)
for config in configs:
    AxolotlInputConfig(**config)
print(json.dumps({"accepted": len(configs)}))
"""


def schema() -> dict[str, Any]:
    """Axolotl's own model takes what is written for every objective and adapter."""
    configs = []
    for objective, adapter in product(["sft", "cpt", "dpo", "orpo", "kto", "reward"], ["lora", "qlora", "full"]):
        recipe = {"name": "x", "model": {"base": "base"}, "data": {"train": "a.jsonl", "validation": "b.jsonl"}}
        configs.append(write_axolotl(recipe | {"method": {"objective": objective, "adapter": adapter}}))
    python = load_settings().axolotl.python
    if python is None:
        sys.exit("Set TUNESMITH_AXOLOTL__PYTHON to the Python of an environment with Axolotl.")
    done = subprocess.run([python, "-c", VALIDATE], input=json.dumps(configs), capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def train(name: str) -> dict[str, Any]:
    """Twelve updates of LoRA on a tiny model, and once more from the checkpoint in the middle."""
    engine = training_engine(name, load_settings())
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        model, rows = runs.tiny_model(base / "tiny"), runs.write_rows(base / "rows.jsonl")
        held_out = runs.write_rows(base / "held.jsonl", 6, first=30)
        plan = runs.recipe(model, max_steps=UPDATES, save_steps=SAVE_STEPS, precision="fp32")
        if problems := engine.check(Recipe.model_validate(plan)):
            sys.exit("\n".join(f"{problem.message} {problem.hint}" for problem in problems))
        results: list[dict[str, Any]] = []
        middle: dict[str, Path] = {}
        for number in (1, 2):
            run = runs.new_attempt(base / "job", number, model, plan, rows, validation_file=held_out, **middle)
            environment = {**os.environ, **engine.environment(Recipe.model_validate(plan)), "OMP_NUM_THREADS": "1"}
            with run.output_file.open("wb") as output:
                command = [sys.executable, "-W", "ignore", "-m", engine.module, str(run.path)]
                code = subprocess.run(command, env=environment, stdout=output, stderr=output).returncode
            if code:
                sys.exit(run.output_file.read_text(errors="replace")[-3000:])
            events = runs.events(run)
            results += [event.result for event in events if isinstance(event, Finished)]
            first = next(event for event in events if isinstance(event, CheckpointSaved))
            middle = {"resume_from": run.path / first.path}
        return {"engine": name, "run": results[0], "resumed": results[1]}


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else "schema"
    print(json.dumps(schema() if wanted == "schema" else train(wanted), indent=2))
