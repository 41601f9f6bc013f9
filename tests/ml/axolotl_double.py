"""Stands in for Axolotl's command line: takes its configuration, prints its log as the real one did, and leaves what it leaves."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors.numpy import save_file

from tunesmith.wire.foreign.names import AXOLOTL


def main() -> None:
    config: dict[str, Any] = yaml.safe_load(Path(sys.argv[sys.argv.index("train") + 1]).read_text())
    assert set(config) <= AXOLOTL, set(config) - AXOLOTL
    output = Path(config["output_dir"])
    if os.environ.get("AXOLOTL_DOUBLE") == "memory":
        sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    first = 0
    if config.get("resume_from_checkpoint"):
        first = json.loads((Path(config["resume_from_checkpoint"]) / "trainer_state.json").read_text())["global_step"]
    steps = config["max_steps"]
    say("Tokenizing Prompts (num_proc=2): 100%|##########| 24/24 [00:00<00:00, 812.01 examples/s]")
    for step in range(first + 1, steps + 1):
        sys.stdout.write(f"\r {100 * step // steps}%|####      | {step}/{steps} [00:01<00:01,  4.12it/s]")
        if step % config["logging_steps"] == 0:
            values = {
                "loss": f"{3.0 / step:.4f}",
                "grad_norm": "1.25",
                "learning_rate": "0.005",
                "tokens/trainable": 50 * step,
                "epoch": f"{step / 12}",
            }
            say(f"\r{' ' * 40}\r{values}")
        if step % config["save_steps"] == 0 or step == steps:
            save(output / f"checkpoint-{step}", step)
        if os.environ.get("AXOLOTL_DOUBLE") == "slow":
            time.sleep(0.3)
    if "test_datasets" in config:
        say("\r  0%|          | 0/3 [00:00<?, ?it/s]")
        say(str({"eval_loss": "0.75", "eval_runtime": "0.1", "epoch": "0.5"}))
    say(str({"train_runtime": "3.1", "train_loss": "1.5", "epoch": "0.5"}))
    save(output, steps)


def say(text: str) -> None:
    print(text, flush=True)


def save(folder: Path, step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    tensors = {
        f"{name}.lora_A.weight": np.full((4, 64), step, dtype=np.float32),
        f"{name}.lora_B.weight": np.zeros((64, 4), dtype=np.float32),
    }
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "r": 4,
        "lora_alpha": 8,
        "base_model_name_or_path": "/somewhere",
        "target_modules": ["q_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))


if __name__ == "__main__":
    main()
