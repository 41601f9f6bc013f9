"""A training that does not happen: ``python -m tunesmith.ml.fake RUN_DIR``. No torch; the adapter is valid and changes nothing.

It tells, saves, stops and goes on as a real run does, so everything around a run can be tried in a second.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tunesmith.ml.report import Reporter
from tunesmith.ml.weights import ModelWeights
from tunesmith.wire.checkpoint import new_checkpoint, verify_checkpoint
from tunesmith.wire.recipe_text import write_recipe
from tunesmith.wire.spec import TrainSpec

RUN_SECONDS = float(os.environ.get("FAKE_RUN_SECONDS", "1"))
TOKENS_PER_UPDATE = 640
COMPANIONS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


def main(run_dir: str) -> None:
    """Pretend."""
    with Reporter(run_dir) as reporter:
        spec = TrainSpec.model_validate(reporter.spec)
        plan = spec.recipe.training
        steps = plan.max_steps or math.ceil((plan.epochs or 1) * 10)
        first = 0
        if spec.resume_from:
            first = verify_checkpoint(Path(spec.resume_from)).step
            reporter.log(f"going on from update {first} of {steps}")
        spec.recipe.resources.device = "cpu"
        spec.recipe.training.precision = "fp32"  # type: ignore[assignment]
        for step in range(first + 1, steps + 1):
            time.sleep(RUN_SECONDS / steps)
            reporter.metric(step, point(spec.recipe.seed, step, steps, plan.learning_rate), epoch=step / 10)
            reporter.progress(step, steps, "training", eta_seconds=(steps - step) * RUN_SECONDS / steps)
            wish = reporter.end_requested()
            if wish == "cancel":
                return
            if wish == "stop" or step == steps or step % plan.save_steps == 0:
                save(reporter, spec, step, steps)
            if wish == "stop" and step < steps:
                reporter.finished(result(spec, step, steps, stopped=True, resumed=first > 0), stopped=True)
                return
        reporter.metric(steps, {"eval_loss": loss(spec.recipe.seed, steps, steps) + 0.1}, epoch=steps / 10)
        with new_checkpoint(reporter.run.artifacts / "adapter", steps) as folder:
            write_adapter(folder, spec)
        (reporter.run.artifacts / "recipe.yaml").write_text(write_recipe(spec.recipe), encoding="utf-8")
        reporter.finished(result(spec, steps, steps, stopped=False, resumed=first > 0))


def loss(seed: int, step: int, steps: int) -> float:
    """A curve that falls as such curves do; the same for the same seed and step."""
    noise = random.Random(f"{seed}/{step}").gauss(0, 0.03)
    return 0.4 + 2.2 * math.exp(-4 * step / steps) + noise


def point(seed: int, step: int, steps: int, learning_rate: float) -> dict[str, float]:
    """What a run tells about one update."""
    return {
        "loss": loss(seed, step, steps),
        "learning_rate": learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps)),
        "grad_norm": 0.5 + 0.5 * loss(seed, step, steps),
        "tokens_per_second": 1500 + 50 * math.sin(step),
        "memory_gb": 0.4,
    }


def save(reporter: Reporter, spec: TrainSpec, step: int, steps: int) -> None:
    """A checkpoint that verifies."""
    target = reporter.run.checkpoints / f"step-{step:06d}"
    with new_checkpoint(target, step) as folder:
        (folder / "run_state.json").write_text(json.dumps({"step": step}), encoding="utf-8")
    size_bytes = sum(file.stat().st_size for file in target.iterdir())
    metrics = {"loss": loss(spec.recipe.seed, step, steps)}
    reporter.checkpoint(step, target, size_bytes=size_bytes, epoch=step / 10, metrics=metrics, is_best=step == steps)


def result(spec: TrainSpec, step: int, steps: int, *, stopped: bool, resumed: bool) -> dict[str, Any]:
    """The figures of a run."""
    losses = [loss(spec.recipe.seed, s, steps) for s in range(1, step + 1)]
    last_tenth = losses[-max(1, len(losses) // 10) :]
    return {
        "status": "stopped" if stopped else "completed",
        "steps": step,
        "final_loss": sum(last_tenth) / len(last_tenth),
        "eval_loss": None if stopped else loss(spec.recipe.seed, steps, steps) + 0.1,
        "trained_tokens": step * TOKENS_PER_UPDATE,
        "tokens_per_second": 1500.0,
        "weights_sha256": hashlib.sha256(f"{spec.recipe.seed}/{step}".encode()).hexdigest(),
        "resumed": resumed,
        "repaired": False,
        "checkpoint": f"checkpoints/step-{step:06d}",
    }


def write_adapter(folder: Path, spec: TrainSpec) -> None:
    """A LoRA adapter whose second half is zero, for every projection of the base."""
    lora, base = spec.recipe.method.lora, Path(spec.model_path)
    generator = np.random.default_rng(spec.recipe.seed)
    tensors = {}
    with ModelWeights(base) as weights:
        for name, tensor in sorted(weights.tensors.items()):
            if not name.endswith("_proj.weight"):
                continue
            module = f"base_model.model.{name.removesuffix('.weight')}"
            rows, columns = tensor.shape
            tensors[f"{module}.lora_A.weight"] = generator.normal(0, 0.02, (lora.r, columns)).astype(np.float32)
            tensors[f"{module}.lora_B.weight"] = np.zeros((rows, lora.r), dtype=np.float32)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": spec.recipe.model.base,
        "inference_mode": True,
        "r": lora.r,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "target_modules": sorted({name.split(".")[-3] for name in tensors}),
        "use_rslora": lora.use_rslora,
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    for name in COMPANIONS:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)


if __name__ == "__main__":
    main(sys.argv[1])
