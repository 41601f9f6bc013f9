"""ZeRO through DeepSpeed's engine: moments (stage 1), gradients too (2) and weights too (3) divided among the ranks.

DeepSpeed does the dividing and the exchange, and nothing else: batches, loss, schedule, checkpoints and ends are those of every
other run. Its own checkpoints are pickles, so the moments are gathered through its public accessors and written like everybody's;
a run may go on with another strategy. Nothing is compiled: the optimizer is torch's, and what DeepSpeed would build for ranks on
one processor is left out.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim import Optimizer

from tunesmith.ml.failures import configuration_failure, diverged
from tunesmith.ml.ranks import PATIENCE, Ranks
from tunesmith.ml.sharding import of_first
from tunesmith.ml.wrappers import LossModule, Wrapped, wrong_wrapper

BUCKET_NUMBERS = 200_000_000
"""Gradients that are exchanged at once, at most; a buffer of that size is kept."""
LOCAL_RANK = "LOCAL_RANK"
"""Where DeepSpeed looks for the device's number, at every exchange. A rank sees one GPU, its own (see ``ranks``)."""
MOMENTS = ("exp_avg", "exp_avg_sq")


class Zero(Wrapped):
    """The loss in DeepSpeed's engine."""

    strategy = "deepspeed"

    def __init__(self, loss: LossModule, ranks: Ranks, device: torch.device, stage: int, max_grad_norm: float) -> None:
        super().__init__(loss, ranks)
        self.stage = stage
        self._deepspeed = _meet(device)
        trained = sum(p.numel() for p in loss.parameters() if p.requires_grad)
        self._config = _configuration(stage, trained, max_grad_norm, device)
        if stage == 3:
            os.environ[LOCAL_RANK] = "0"
            self._deepspeed.zero.Init(module=loss, config_dict_or_path=self._config)
            frozen = loss.policy.reference
            if frozen is not None:
                self._deepspeed.zero.Init(module=frozen, config_dict_or_path=self._config)
                self._deepspeed.initialize(model=frozen, config=self._config)
            del os.environ[LOCAL_RANK]  # the trainer is still to be made, and would take itself for one of many

    def begin(self, optimizer: Optimizer) -> Optimizer:
        """The engine over all ranks; the trainer goes on with an optimizer that asks it."""
        groups = [{**group, "params": list(group["params"])} for group in optimizer.param_groups]
        os.environ[LOCAL_RANK] = "0"
        self.module, *_ = self._deepspeed.initialize(model=self.loss, optimizer=optimizer, config=self._config)
        engine = self.module
        divides = {1: "DeepSpeedZeroOptimizer", 2: "DeepSpeedZeroOptimizer", 3: "DeepSpeedZeroOptimizer_Stage3"}
        found = (type(engine).__name__, type(engine.optimizer).__name__, engine.dp_world_size)
        if found != ("DeepSpeedEngine", divides[self.stage], self.ranks.size):
            raise wrong_wrapper(self, "DeepSpeedEngine")
        return DividedOptimizer(engine, optimizer, groups)

    @contextmanager
    def passing(self, *, is_last: bool) -> Iterator[None]:
        """Gradients are kept until the last backward pass of an update."""
        self.module.set_gradient_accumulation_boundary(is_last)
        yield

    def clip(self, limit: float) -> torch.Tensor:
        """The engine clips when it steps, and knows the norm only then."""
        return torch.tensor(float("nan"))

    def norm(self, clipped: Any) -> float:
        """Of the gradient in the last update, before it was clipped."""
        return float(self.module.get_global_grad_norm() or 0.0)

    def describe(self) -> str:
        """For the log."""
        return f"DeepSpeedEngine (ZeRO-{self.stage}) over {self.ranks.size} processes"


class DividedOptimizer(Optimizer):
    """What the trainer, the schedule and the checkpoints see of an optimizer that the engine has taken over.

    The groups are those of the model's own parameters. ``state_dict`` gathers the moments, so every rank has to call it.
    """

    def __init__(self, engine: Any, inner: Optimizer, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, inner.defaults)
        self._engine, self._inner = engine, inner

    def step(self, closure: Callable[[], float] | None = None) -> None:
        """One update by the engine, with the learning rate of this moment. Raises RunFailure where the engine would leave it out."""
        self._hand_over()
        self._engine.step()
        if not self._engine.was_step_applied():
            raise diverged("The gradient is no longer a number.")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """The engine lets go of gradients when it has stepped."""

    def state_dict(self) -> dict[str, Any]:
        """As torch writes it: whole moments by the number of their parameter; of ranks other than the first they are empty."""
        from deepspeed.utils import safe_get_full_optimizer_state

        told = super().state_dict()
        steps = [state["step"] for state in self._inner.state.values() if "step" in state]
        if steps:
            _link_moments(self._engine.optimizer)
            for index, parameter in enumerate(self._parameters()):
                moments = {name: of_first(safe_get_full_optimizer_state(parameter, name)) for name in MOMENTS}
                told["state"][index] = {"step": torch.as_tensor(steps[0]).clone(), **moments}
        return told

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse: each rank keeps its part."""
        from deepspeed.utils import safe_set_full_optimizer_state

        for group, told in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({name: value for name, value in told.items() if name != "params"})
        self._hand_over()
        if not state_dict["state"]:
            return
        zero = self._engine.optimizer
        step = next(iter(state_dict["state"].values()))["step"]
        for part in _partitions(zero):
            moments = {name: torch.zeros_like(part) for name in MOMENTS}
            self._inner.state[part] = {"step": torch.as_tensor(step, dtype=torch.float32).clone(), **moments}
        _link_moments(zero)
        for index, parameter in enumerate(self._parameters()):
            for name in MOMENTS:
                value = state_dict["state"][index][name].to(_partitions(zero)[0].device)
                safe_set_full_optimizer_state(parameter, value, name)

    def _parameters(self) -> Iterator[torch.nn.Parameter]:
        return (parameter for group in self.param_groups for parameter in group["params"])

    def _hand_over(self) -> None:
        filled = [group for group in self.param_groups if group["params"]]  # the engine keeps no others
        for own, inner in zip(filled, self._inner.param_groups, strict=True):
            inner.update({name: value for name, value in own.items() if name != "params"})


def _partitions(zero: Any) -> Sequence[torch.Tensor]:
    """This rank's parts of the weights, as the inner optimizer knows them."""
    name = "fp32_partitioned_groups_flat"  # of stage 3
    found: Sequence[torch.Tensor] = getattr(zero, name if hasattr(zero, name) else "single_partition_of_fp32_groups")
    return found


def _link_moments(zero: Any) -> None:
    """Let parameters know their moments. Stages 1 and 2 do it once, after the first group's first step: before the others have any."""
    if hasattr(zero, "_lazy_init_hp_params_optimizer_state"):
        zero._hp_optimizer_states_linked = False
        zero._lazy_init_hp_params_optimizer_state()


def _configuration(stage: int, trained: int, max_grad_norm: float, device: torch.device) -> dict[str, Any]:
    """The engine's configuration. Passes of an update are counted by the trainer, and autocast is entered within the loss."""
    bucket = max(1, min(trained, BUCKET_NUMBERS))
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": max_grad_norm,
        "steps_per_print": None,
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {
            "stage": stage,
            "overlap_comm": device.type == "cuda",
            "reduce_bucket_size": bucket,
            "allgather_bucket_size": bucket,
        },
    }


def _meet(device: torch.device) -> Any:
    """DeepSpeed, among the ranks that have met already. Raises RunFailure where it is not installed."""
    try:
        import deepspeed
        from deepspeed.accelerator import set_accelerator
        from deepspeed.utils import logger
    except ImportError:
        raise configuration_failure(
            "The recipe asks for ZeRO (strategy deepspeed), and DeepSpeed is not installed here.",
            "Install it: pip install 'tunesmith[deepspeed]', or set strategy: fsdp, which divides what ZeRO-3 divides.",
        ) from None
    logger.setLevel(logging.WARNING)
    # Its exchanges go through names that torch is giving up; one line for each of them would bury the log.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed")
    if device.type == "cpu":
        from deepspeed.accelerator.cpu_accelerator import CPU_Accelerator

        set_accelerator(CPU_Accelerator())
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # would be compiled at the first start
    deepspeed.init_distributed(
        torch.distributed.get_backend(), auto_mpi_discovery=False, verbose=False, timeout=PATIENCE
    )
    return deepspeed
