"""A training by Axolotl: ``python -m tunesmith.ml.axolotl_run RUN_DIR``.

Writes its configuration from the recipe, runs its command line (or its container) as a child, turns its log into events and its
checkpoints into ours, and collects what it leaves. Nothing of Axolotl is imported here: it lives in an environment of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import yaml

from tunesmith.ml.axolotl_log import LogReader
from tunesmith.ml.report import OUT_OF_MEMORY, Reporter
from tunesmith.ml.tensors import DTYPE_SIZES, read_header
from tunesmith.wire.checkpoint import new_checkpoint, verify_checkpoint
from tunesmith.wire.foreign import write_axolotl
from tunesmith.wire.recipe_text import write_recipe
from tunesmith.wire.spec import TrainSpec

WORKSPACE = "/workspace"
STOP_SECONDS = 45.0
LAST_LINES = 40
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)


def main(run_dir: str) -> None:
    """Run; an error that nobody expected becomes the last word by the reporter."""
    with Reporter(run_dir) as reporter:
        reporter.progress(0, message="starting Axolotl")
        if not AxolotlRun(reporter, json.loads(os.environ["TUNESMITH_AXOLOTL_PLAN"])).run():
            raise SystemExit(1)


class AxolotlRun:
    """One run. ``plan`` has ``command`` (a list), ``launcher``, ``custom``, and for a container ``image``, ``runtime``, ``data_dir``."""

    def __init__(self, reporter: Reporter, plan: dict[str, Any]) -> None:
        self.reporter = reporter
        self.plan = plan
        self.spec = TrainSpec.model_validate(reporter.spec)
        self.output = reporter.run.artifacts / "axolotl"
        self.lines: list[str] = []
        self.kept: list[Path] = []
        training = self.spec.recipe.training
        self.log = LogReader(training.logging_steps, training.max_steps)
        if self.spec.resume_from:
            self.log.first_step = self.log.step = verify_checkpoint(Path(self.spec.resume_from)).step
            reporter.log(f"going on from update {self.log.first_step}")

    def run(self) -> bool:
        """Whether it ended well (or was stopped as asked)."""
        began = time.monotonic()
        process = self._start()
        wish = self._follow(process)
        if wish == "cancel":
            return True
        self._collect_checkpoints()
        if wish == "stop" and not self._has_result():
            self.reporter.finished(self._result(began, stopped=True, weights=None), stopped=True)
            return True
        if process.returncode != 0 or not self._has_result():
            self._explain(process.returncode)
            return False
        weights = self._collect_result()
        self.reporter.finished(self._result(began, stopped=False, weights=weights))
        return True

    # --- Its configuration and its command.

    def _start(self) -> subprocess.Popen[str]:
        config = write_axolotl(
            self.spec.recipe.to_plain(),
            output_dir=self._seen(self.output),
            base_model=self._seen(Path(self.spec.model_path)),
            train_file=self._seen(Path(self.spec.train_file)),
            validation_file=self._seen(Path(self.spec.validation_file)) if self.spec.validation_file else None,
            custom=self.plan.get("custom"),
        )
        if self.spec.resume_from:
            config["resume_from_checkpoint"] = self._seen(Path(self.spec.resume_from))
        self.output.mkdir(parents=True, exist_ok=True)
        file = self.reporter.run.artifacts / "axolotl.yaml"
        file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
        command = self._command(self._seen(file))
        self.reporter.log("runs: " + " ".join(command))
        quiet = {"AXOLOTL_DO_NOT_TRACK": "1", "WANDB_MODE": "disabled", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            command,
            cwd=self.output,
            env={k: v for k, v in os.environ.items() if k != "TUNESMITH_AXOLOTL_PLAN"} | quiet,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def _command(self, config: str) -> list[str]:
        train = ["train", config, "--launcher", self.plan["launcher"]]
        if not self.plan.get("image"):
            return [*self.plan["command"], *train]
        container = [self.plan["runtime"], "run", "--rm", "--init", "--ipc=host"]
        container += ["--name", f"tunesmith-{self.spec.job_id}-{self.spec.attempt}"]
        if self.spec.recipe.resources.device != "cpu":
            container += ["--gpus", "all"]
        for name in ("AXOLOTL_DO_NOT_TRACK=1", "HF_HUB_OFFLINE=1", "WANDB_MODE=disabled", "PYTHONUNBUFFERED=1"):
            container += ["-e", name]
        container += ["-v", f"{self.plan['data_dir']}:{WORKSPACE}/data"]
        container += ["-v", f"{self.spec.model_path}:{WORKSPACE}/model:ro"]
        return [*container, self.plan["image"], "axolotl", *train]

    def _seen(self, path: Path) -> str:
        """The path as Axolotl sees it: in a container the data folder lies at ``/workspace/data``."""
        if not self.plan.get("image"):
            return str(path)
        data_dir = Path(self.plan["data_dir"])
        if path.is_relative_to(data_dir):
            return f"{WORKSPACE}/data/{path.relative_to(data_dir).as_posix()}"
        return f"{WORKSPACE}/model" if path == Path(self.spec.model_path) else str(path)

    # --- Following it.

    def _follow(self, process: subprocess.Popen[str]) -> str | None:
        """Read its log to the end; answers ``stop`` or ``cancel`` when it was asked to end."""
        assert process.stdout is not None
        heard: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_listen, args=(process.stdout, heard), daemon=True).start()
        wish: str | None = None
        ends_at = 0.0
        while True:
            try:
                line = heard.get(timeout=0.2)
            except queue.Empty:
                line = ""
            if line is None:
                break
            if line:
                self._hear(line)
            self._collect_checkpoints()
            if wish is None and (wish := self.reporter.end_requested()):
                process.send_signal(signal.SIGINT if wish == "stop" else signal.SIGTERM)
                ends_at = time.monotonic() + STOP_SECONDS
            elif wish and time.monotonic() > ends_at:
                process.kill()
        process.wait()
        return wish

    def _hear(self, line: str) -> None:
        sys.stdout.write(line + "\n")  # our own output is kept with the run
        sys.stdout.flush()
        before = self.log.step
        point = self.log.read(line)
        if point is not None:
            self.reporter.metric(point.step, point.values, epoch=point.epoch)
        elif line.strip() and "%|" not in line:
            self.lines = [*self.lines, line][-LAST_LINES:]
        if self.log.step != before:
            self.reporter.progress(self.log.step, self.log.total_steps, "training")

    def _collect_checkpoints(self) -> None:
        """Take over checkpoints that are whole: Axolotl writes the trainer's state last."""
        for folder in sorted(self.output.glob("checkpoint-*"), key=_step_of):
            step = _step_of(folder)
            target = self.reporter.run.checkpoints / f"step-{step:06d}"
            if target.exists() or not (folder / "trainer_state.json").is_file():
                continue
            with new_checkpoint(target, step) as ours:
                shutil.copytree(folder, ours, dirs_exist_ok=True)
            size_bytes = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
            metrics = {"loss": self.log.losses[-1]} if self.log.losses else {}
            self.kept.append(target)
            keep = self.spec.recipe.training.keep_last_n
            removed, self.kept = self.kept[:-keep], self.kept[-keep:]
            for old in removed:
                shutil.rmtree(old, ignore_errors=True)
            self.reporter.checkpoint(
                step, target, size_bytes=size_bytes, metrics=metrics, removed=[str(old) for old in removed]
            )

    # --- What it leaves.

    def _has_result(self) -> bool:
        names = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")
        return any((self.output / name).is_file() for name in names)

    def _collect_result(self) -> str:
        """Copy weights, configuration and tokenizer into the artifacts; answers the weights' SHA-256."""
        artifacts, base = self.reporter.run.artifacts, Path(self.spec.model_path)
        is_adapter = (self.output / "adapter_model.safetensors").is_file()
        with new_checkpoint(artifacts / ("adapter" if is_adapter else "model"), max(self.log.step, 0)) as target:
            for file in [*self.output.glob("*.safetensors"), *self.output.glob("*.json"), *self.output.glob("*.jinja")]:
                if file.name not in ("trainer_state.json", "debug.log"):
                    shutil.copyfile(file, target / file.name)
            for name in TOKENIZER_FILES:  # the base's own: Axolotl may write it in another form
                if (base / name).is_file():
                    shutil.copyfile(base / name, target / name)
            if is_adapter:
                _name_the_base(target / "adapter_config.json", self.spec.recipe.model.base)
            weights = weights_sha256(sorted(target.glob("*.safetensors")))
        recipe = self.spec.recipe.model_copy(deep=True)
        (artifacts / "recipe.yaml").write_text(write_recipe(recipe), encoding="utf-8")
        shutil.rmtree(self.output, ignore_errors=True)  # all of it that counts is copied
        return weights

    def _result(self, began: float, *, stopped: bool, weights: str | None) -> dict[str, Any]:
        losses = self.log.losses
        last_tenth = losses[-max(1, len(losses) // 10) :]
        seconds, trained = max(time.monotonic() - began, 1e-6), self.log.trained_tokens
        return {
            "status": "stopped" if stopped else "completed",
            "steps": self.log.step,
            "final_loss": sum(last_tenth) / len(last_tenth) if last_tenth else None,
            "eval_loss": self.log.eval_loss,
            "trained_tokens": trained,
            "tokens_per_second": trained / seconds if trained else None,
            "weights_sha256": weights,
            "resumed": bool(self.spec.resume_from),
            "repaired": False,
            "checkpoint": f"checkpoints/{self.kept[-1].name}" if self.kept else None,
        }

    def _explain(self, code: int) -> None:
        errors = [line for line in self.lines if "Error" in line or "error:" in line.lower()]
        words = (errors or self.lines or ["it said nothing"])[-1].strip()[:500]
        said = "\n".join(self.lines).lower()
        if any(sign in said for sign in OUT_OF_MEMORY):
            self.reporter.failed(
                "GPU_ERROR",
                f"Axolotl ran out of memory ({words}).",
                code="out-of-memory",
                hint="Halve training.batch_size and double gradient_accumulation_steps, or take adapter: qlora.",
                reason="out-of-memory",
            )
        elif "validationerror" in said or "validation error" in said:
            self.reporter.failed(
                "CONFIGURATION_ERROR",
                f"Axolotl does not take the configuration ({words}).",
                code="configuration",
                hint="artifacts/axolotl.yaml is what it was given; the log names the keys.",
            )
        else:
            self.reporter.failed(
                "ENGINE_ERROR",
                f"Axolotl ended with code {code}: {words}",
                code="engine",
                hint="The last lines of the job's log are Axolotl's own.",
            )


def _listen(stream: IO[str], heard: queue.Queue[str | None]) -> None:
    """Pass on lines; a bar of progress overwrites its line with a carriage return, which ends a line here (text mode sees to it)."""
    for line in stream:
        heard.put(line.rstrip("\n"))
    heard.put(None)


def _step_of(folder: Path) -> int:
    number = folder.name.removeprefix("checkpoint-")
    return int(number) if number.isdigit() else 0


def _name_the_base(config: Path, base: str) -> None:
    document = json.loads(config.read_text(encoding="utf-8"))
    document["base_model_name_or_path"] = base
    config.write_text(json.dumps(document, indent=2, sort_keys=True), encoding="utf-8")


def weights_sha256(files: list[Path]) -> str:
    """SHA-256 over name, dtype, shape and bytes of every tensor, sorted by name; no tensor library is needed."""
    digest = hashlib.sha256()
    tensors = {name: tensor for file in files for name, tensor in read_header(file).items()}
    words = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "U8": "uint8", "I8": "int8"}
    for name, tensor in sorted(tensors.items()):
        head = [name, words.get(tensor.dtype, tensor.dtype.lower()), list(tensor.shape)]
        digest.update(json.dumps(head, separators=(",", ":")).encode() + b"\n")
        with tensor.file.open("rb") as stream:
            stream.seek(tensor.start)
            digest.update(stream.read(tensor.elements * DTYPE_SIZES[tensor.dtype]))
    return digest.hexdigest()


if __name__ == "__main__":
    main(sys.argv[1])
