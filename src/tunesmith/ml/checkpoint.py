"""A run's state on disk without pickle: tensors as safetensors, everything else as JSON, and a manifest over both.

step-000020/
    adapter_model.safetensors  adapter_config.json    usable as an adapter as it is; model.safetensors when all is trained
    optimizer.safetensors      random.safetensors
    trainer_state.json         run_state.json
    manifest.json              SHA-256 and size of each file: written last
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from tunesmith.ml.failures import configuration_failure
from tunesmith.ml.sharding import divide_moments, whole
from tunesmith.ml.trained import Trained, write_json_file
from tunesmith.wire.checkpoint import INHERITED, new_checkpoint, remove_checkpoint, verify_checkpoint


@dataclass
class RunState:
    """What a run has to remember besides tensors to go on as if nothing had happened."""

    losses: list[float] = field(default_factory=list)
    trained_tokens: int = 0
    tokens: int = 0
    training_seconds: float = 0.0
    threads: int = 1
    processes: int = 1
    strategy: str = ""
    """How the processes shared the run."""
    shape: dict[str, Any] | None = None
    """What autotune chose."""
    eval_loss: float | None = None
    evaluation: dict[str, float] = field(default_factory=dict)
    best_cost: float | None = None
    best_checkpoint: str | None = None
    evaluations_without_gain: int = 0
    lowest_eval_cost: float | None = None
    kept: list[str] = field(default_factory=list)

    def of_another_run(self) -> RunState:
        """The same training, gone on with as a run of its own: it has no checkpoints yet, and nothing to compare them with."""
        none = RunState()
        fresh = ("shape", "best_cost", "best_checkpoint", "evaluations_without_gain", "lowest_eval_cost", "kept")
        return replace(self, **{name: getattr(none, name) for name in fresh})


def weights_sha256(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over name, dtype, shape and bytes of the tensors, sorted by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        head = [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        digest.update(json.dumps(head, separators=(",", ":")).encode() + b"\n")
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class Checkpoints:
    """The checkpoints of one attempt, and those of earlier attempts that the run has inherited."""

    def __init__(self, folder: Path, keep_last_n: int) -> None:
        self.folder = folder
        self.root = folder.parent.parent  # attempts/: paths stay right when the data folder moves
        self.keep_last_n = keep_last_n
        self.resumed_from: str | None = None

    def relative(self, checkpoint: Path) -> str:
        """How the state names a checkpoint."""
        return os.path.relpath(checkpoint, self.root)

    def path(self, relative: str) -> Path:
        """Where a checkpoint that the state names is now."""
        return Path(os.path.normpath(self.root / relative))

    def target(self, step: int) -> Path:
        """The folder of the checkpoint at ``step``."""
        return self.folder / f"step-{step:06d}"

    def note(self, step: int, state: RunState) -> Path:
        """Let ``state`` know of the checkpoint at ``step``; answers its folder."""
        target = self.target(step)
        state.kept = [name for name in state.kept if name != self.relative(target)] + [self.relative(target)]
        return target

    def save(
        self,
        step: int,
        state: RunState,
        *,
        trained: Trained,
        optimizer: Any,
        scheduler: Any,
        trainer_state: dict[str, Any],
    ) -> tuple[Path, int]:
        """Write everything that going on needs. Returns folder and size."""
        target = self.note(step, state)
        optimizer_tensors, groups = split_optimizer(optimizer.state_dict())
        random_tensors, random_plain = read_generators()
        with new_checkpoint(target, step) as folder:
            trained.save(folder)
            save_file(optimizer_tensors, folder / "optimizer.safetensors")
            save_file(random_tensors, folder / "random.safetensors")
            write_json_file(folder / "trainer_state.json", trainer_state)
            rest = {"param_groups": groups, "scheduler": scheduler.state_dict(), "random": random_plain}
            write_json_file(folder / "run_state.json", {"state": asdict(state), **rest})
        return target, sum(f.stat().st_size for f in target.iterdir())

    def rotate(self, state: RunState) -> list[Path]:
        """Remove the oldest beyond ``keep_last_n``, but never the best one or the one this attempt began from."""
        protected = {state.best_checkpoint, self.resumed_from}
        candidates = [name for name in state.kept if name not in protected]
        removed = []
        for name in candidates[: max(0, len(candidates) - self.keep_last_n)]:
            state.kept.remove(name)
            if self._remove(self.path(name)):
                removed.append(self.path(name))
        return removed

    def _remove(self, folder: Path) -> bool:
        if not folder.is_dir():
            return False
        remove_checkpoint(folder)
        return True


@dataclass
class Restored:
    """A checkpoint read back. Tensors are handed over one kind at a time, when the trainer asks for them."""

    folder: Path
    state: RunState
    plain: dict[str, Any]
    is_inherited: bool = False
    """Whether another run wrote it, whose plan this one need not have."""

    @classmethod
    def read(cls, folder: Path) -> Restored:
        """Verify every byte, then read; raises CheckpointDamaged."""
        verify_checkpoint(folder)
        plain = json.loads((folder / "run_state.json").read_text("utf-8"))
        state, is_inherited = RunState(**plain["state"]), folder.parent.name == INHERITED
        return cls(folder, state.of_another_run() if is_inherited else state, plain, is_inherited)

    def what_is_left(self, steps: int) -> str:
        """For the log; raises RunFailure where a run of ``steps`` updates inherits a checkpoint that is not before its end."""
        done = len(self.state.losses)
        if self.is_inherited and steps <= done:
            raise configuration_failure(
                f"There is nothing left to train: the checkpoint is that of update {done}, and this run ends after {steps}.",
                "Raise training.epochs or training.max_steps: both count from the beginning of the first run.",
            )
        return f"going on from update {done} of {steps}"

    def into_weights(self, trained: Trained) -> None:
        """Put the trained tensors back."""
        trained.load(self.folder)

    def into_optimizer(self, optimizer: Any, scheduler: Any) -> None:
        """Put the moments and the schedule back; a run that inherits them keeps the learning rate and decay of its own plan."""
        planned = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
        rates = list(scheduler.base_lrs)
        tensors = load_file(self.folder / "optimizer.safetensors")
        state = join_optimizer(tensors, self.plain["param_groups"])
        optimizer.load_state_dict(divide_moments(state, optimizer))
        scheduler.load_state_dict(self.plain["scheduler"])
        if self.is_inherited:
            scheduler.base_lrs = rates
            for group, plan, rate, share in zip(
                optimizer.param_groups, planned, rates, scheduler.lr_lambdas, strict=True
            ):
                group.update(plan | {"lr": rate * share(scheduler.last_epoch)})
            scheduler._last_lr = [group["lr"] for group in optimizer.param_groups]

    def into_generators(self) -> None:
        """Put every random generator back."""
        write_generators(load_file(self.folder / "random.safetensors"), self.plain["random"])


def split_optimizer(state: dict[str, Any]) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    """Tensors as ``<parameter>.<name>``, and the groups as plain values."""
    tensors = {}
    for index, values in state["state"].items():
        for name, value in values.items():
            tensors[f"{index}.{name}"] = whole(torch.as_tensor(value))
    return tensors, state["param_groups"]


def join_optimizer(tensors: dict[str, torch.Tensor], groups: list[dict[str, Any]]) -> dict[str, Any]:
    """The inverse of ``split_optimizer``."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = tensor
    return {"state": state, "param_groups": [g | {"betas": tuple(g["betas"])} for g in groups]}


def read_generators() -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The state of Python's, numpy's and torch's generators."""
    version, numbers, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    tensors = {
        "python": torch.tensor(numbers, dtype=torch.int64),
        "numpy": torch.from_numpy(np.asarray(keys).astype(np.int64)),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        tensors["mps"] = torch.mps.get_rng_state()
    plain = {
        "python": [version, gauss],
        "numpy": [str(kind), int(position), int(has_gauss), float(cached)],
    }
    return tensors, plain


def write_generators(tensors: dict[str, torch.Tensor], plain: dict[str, Any]) -> None:
    """The inverse of ``read_generators``."""
    version, gauss = plain["python"]
    random.setstate((version, tuple(tensors["python"].tolist()), gauss))
    kind, position, has_gauss, cached = plain["numpy"]
    np.random.set_state((kind, tensors["numpy"].numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(tensors["torch"])
    if "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["cuda"])
    if "mps" in tensors and torch.backends.mps.is_available():
        torch.mps.set_rng_state(tensors["mps"])
