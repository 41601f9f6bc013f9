"""Try every method and record what works: `python -m benchmarks.training_capabilities [--device cpu] [--only dpo-qlora …]`.

With `--strategy ddp`, `fsdp` or `deepspeed` it is tried by several processes (`--processes`, 2) that share each update; a cell
then works when, besides, the loss of every update is that of one process to 1e-5 in float32.

Each cell (objective by adapter) is a real run of the engine's script on the bundled model and data: four updates with a
checkpoint in the middle, then the run again from that checkpoint. It `works` when both end, the trained weights have moved, and
the two results are the same bytes. The record is `src/tunesmith/bundle/capabilities.json`; cells of other devices stay in it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tunesmith.domains.models import BUNDLED, bundled_folder
from tunesmith.domains.training.capabilities import ENGINE, RECORD
from tunesmith.wire.events import Failed, Finished, Metric
from tunesmith.wire.methods import FORMATS, Adapter, Objective
from tunesmith.wire.recipe_text import validate_recipe
from tunesmith.wire.run_dir import RunDirectory

LIBRARIES = ("torch", "transformers", "peft", "trl", "bitsandbytes")
EXAMPLES = RECORD.parent / "examples" / "haedam-ferry"
FILES = {"text": "texts.jsonl", "preference": "preferences.jsonl", "kto": "marked.jsonl", "messages": "train.jsonl"}
ROWS = 24
CLOSE = 1e-5


def write_rows(objective: str, folder: Path) -> Path:
    """Some rows of the example data in the shape that the objective reads."""
    from tunesmith.domains.datasets.formats import DataFormat, to_example

    fmt = FORMATS[objective][0]
    lines = (EXAMPLES / FILES[fmt]).read_text(encoding="utf-8").splitlines()[:ROWS]
    rows = [to_example(json.loads(line), DataFormat(fmt)) for line in lines]
    file = folder / f"{objective}.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def recipe_of(objective: str, adapter: str, device: str) -> dict[str, Any]:
    """Four updates."""
    method: dict[str, Any] = {"objective": objective, "adapter": adapter, "lora": {"r": 8, "alpha": 8}}
    if objective == Objective.GRPO:
        rules = [{"kind": "regex", "pattern": "[0-9]"}, {"kind": "length", "maximum": 10}]
        method["grpo"] = {"generations": 2, "max_new_tokens": 6, "rewards": rules}
    training = {"max_steps": 4, "batch_size": 2, "save_steps": 2, "max_length": 96, "learning_rate": 1e-4}
    plan = {"name": "capabilities", "seed": 7, "model": {"base": BUNDLED}, "data": {"train": "rows.jsonl"}}
    plan |= {"method": method, "training": training | {"warmup_ratio": 0}, "resources": {"device": device}}
    return validate_recipe(plan).to_plain()


def run(job: Path, number: int, spec: dict[str, Any]) -> Finished | Failed | None:
    """One attempt to its end: the engine's own script, in this process, so that its libraries are loaded once."""
    from tunesmith.ml.sft import main as train

    attempt = RunDirectory.create(job / "attempts" / str(number), spec)
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        train(str(attempt.path))
    ends = [event for _, event, _ in attempt.read_events() if isinstance(event, Finished | Failed)]
    return ends[-1] if ends else None


def try_cell(objective: str, adapter: str, device: str, folder: Path) -> dict[str, Any]:
    """What came of a cell."""
    job = folder / f"{objective}-{adapter}"
    rows = str(write_rows(objective, folder))
    spec = {"recipe": recipe_of(objective, adapter, device), "model_path": str(bundled_folder())}
    spec |= {"train_file": rows, "validation_file": rows}
    began = time.perf_counter()
    whole = run(job, 1, spec)
    seconds = time.perf_counter() - began
    cell: dict[str, Any] = {"objective": objective, "adapter": adapter, "device": device, "engine": ENGINE}
    if not isinstance(whole, Finished):
        reason = whole.message if whole else "The process ended without a word."
        return cell | {"state": "fails", "reason": reason, "alternative": _alternative(adapter)}
    resumed = run(job, 2, spec | {"resume_from": str(job / "attempts" / "1" / "checkpoints" / "step-000002")})
    hashes = [end.result["weights_sha256"] for end in (whole, resumed) if isinstance(end, Finished)]
    if len(set(hashes)) != 1 or len(hashes) != 2:
        reason = "A run that goes on from a checkpoint does not end in the same weights."
        return cell | {"state": "fails", "reason": reason, "alternative": _alternative(adapter)}
    made = {"state": "works", "steps": whole.result["steps"], "seconds": round(seconds, 1)}
    return cell | made | {"weights_sha256": hashes[0]}


def try_shared_cell(
    objective: str, adapter: str, device: str, strategy: str, processes: int, folder: Path
) -> dict[str, Any]:
    """What came of a cell that several processes share: beside one process, and again from the checkpoint in the middle."""
    rows = str(write_rows(objective, folder))
    spec = {"model_path": str(bundled_folder()), "train_file": rows, "validation_file": rows}
    alone = recipe_of(objective, adapter, device)
    alone["training"] |= {"precision": "fp32", "batch_size": 4, "gradient_accumulation_steps": 2}
    sharing = {"processes": processes, "distributed": {"strategy": strategy}}
    shared = alone | {"resources": alone["resources"] | sharing}
    cell: dict[str, Any] = {"objective": objective, "adapter": adapter, "device": device, "engine": ENGINE}
    cell |= {"strategy": strategy, "processes": processes}
    one = run_apart(folder / "one", 1, spec | {"recipe": alone})
    began = time.perf_counter()
    whole = run_apart(folder / "shared", 1, spec | {"recipe": shared})
    seconds = round(time.perf_counter() - began, 1)
    middle = str(folder / "shared" / "attempts" / "1" / "checkpoints" / "step-000002")
    resumed = run_apart(folder / "shared", 2, spec | {"recipe": shared, "resume_from": middle})
    for end, _ in (one, whole, resumed):
        if not isinstance(end, Finished):
            reason = end.message if end else "The processes ended without a word."
            return cell | {"state": "fails", "reason": reason, "alternative": "Leave resources.processes out."}
    difference = max(abs(whole[1][step] - loss) for step, loss in one[1].items())
    hashes = {end.result["weights_sha256"] for end, _ in (whole, resumed) if isinstance(end, Finished)}
    if difference > CLOSE or len(hashes) != 1:
        reason = f"Losses differ by {difference:.1e} from those of one process, or resuming gave other weights."
        return cell | {"state": "fails", "reason": reason, "alternative": "Leave resources.processes out."}
    made = {"state": "works", "steps": len(one[1]), "seconds": seconds, "loss_difference": difference}
    return cell | made | {"weights_sha256": hashes.pop()}


def run_apart(job: Path, number: int, spec: dict[str, Any]) -> tuple[Finished | Failed | None, dict[int, float]]:
    """One attempt in processes of its own: its last word, and the loss of each update."""
    attempt = RunDirectory.create(job / "attempts" / str(number), spec)
    with attempt.output_file.open("ab") as output:
        command = [sys.executable, "-m", "tunesmith.ml.sft", str(attempt.path)]
        subprocess.run(command, stdout=output, stderr=output, check=False)
    events = [event for _, event, _ in attempt.read_events()]
    losses = {e.step: e.values["loss"] for e in events if isinstance(e, Metric) and "loss" in e.values}
    return next((event for event in events if isinstance(event, Finished | Failed)), None), losses


def _alternative(adapter: str) -> str:
    return "" if adapter == Adapter.LORA else "Set method.adapter: lora."


def device_name(device: str) -> str:
    """What the device calls itself."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def main() -> None:
    """Try the cells and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda", "mps"))
    parser.add_argument("--only", nargs="*", default=[], help="Cells such as dpo-qlora; all by default.")
    parser.add_argument(
        "--strategy", choices=("ddp", "fsdp", "deepspeed"), help="Share each run among processes in this way."
    )
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    where = {"recorded_at": now, "device_name": device_name(options.device)}
    where |= {"versions": {name: version(name) for name in LIBRARIES}}
    for objective in Objective:
        for adapter in Adapter:
            if options.only and f"{objective}-{adapter}" not in options.only:
                continue
            folder = Path(tempfile.mkdtemp(prefix="capabilities-"))
            try:
                if options.strategy:
                    shared = (options.strategy, options.processes, folder)
                    cell = try_shared_cell(str(objective), str(adapter), options.device, *shared) | where
                else:
                    cell = try_cell(str(objective), str(adapter), options.device, folder) | where
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            print(
                json.dumps({name: cell[name] for name in ("objective", "adapter", "state", "reason") if name in cell})
            )
            keep(cell)


def keep(cell: dict[str, Any]) -> None:
    """Put a cell into the record in place of what was known of it."""
    cells = json.loads(RECORD.read_text(encoding="utf-8"))["cells"] if RECORD.is_file() else []
    names = ("strategy", "objective", "adapter", "device", "engine")
    cells = [known for known in cells if any(known.get(name) != cell.get(name) for name in names)] + [cell]
    cells.sort(key=lambda known: tuple(known.get(name, "") for name in names))
    RECORD.write_text(json.dumps({"cells": cells}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
