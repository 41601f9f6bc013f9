"""The loss of a forward pass as one module, and what is put around it so that several ranks learn as one.

Whatever an objective does in a forward pass (a reference beside the policy, two passes, a head of its own) happens inside the
module's ``forward``, so that the wrapper sees it as a whole. Each rank's loss is its share in the mean over the whole update,
over all ranks; wrappers average gradients over ranks, so the share is multiplied by their number first.

- ``ddp``: torch's DistributedDataParallel; each rank has the whole model.
- ``fsdp``: ``torch.distributed.fsdp.fully_shard`` on every decoder layer and on the rest; each rank has a part of everything.
  Our own, since transformers' way to it is plain DDP on a CPU.
- ``deepspeed``: ZeRO through DeepSpeed's engine (``zero``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from tunesmith.ml.failures import configuration_failure
from tunesmith.ml.objectives import Objective
from tunesmith.ml.objectives.objective import Figures, mean_loss
from tunesmith.ml.policy import Batch, Policy
from tunesmith.ml.ranks import Ranks
from tunesmith.ml.sharding import is_divided


class LossModule(nn.Module):
    """The loss of one batch. ``sums`` and ``figures`` are those of the last one."""

    def __init__(self, policy: Policy, objective: Objective) -> None:
        super().__init__()
        self.model = policy.model
        self.policy, self.objective = policy, objective
        self.sums: dict[str, torch.Tensor] = {}
        self.figures: Figures = {}

    def forward(self, batch: Batch, counts: dict[str, int]) -> torch.Tensor:
        """The batch's share in the mean over ``counts``; shape ()."""
        outcome = self.objective.outcome(self.policy, batch)
        self.sums = {unit: total.detach() for unit, total in outcome.sums.items()}
        self.figures = outcome.figures
        return mean_loss(outcome, counts)


class Wrapped(ABC):
    """The loss module in its wrapper, and what the trainer has to know of it."""

    strategy = ""

    def __init__(self, loss: LossModule, ranks: Ranks) -> None:
        self.loss, self.ranks = loss, ranks
        self.module: Any = loss

    @abstractmethod
    def begin(self, optimizer: Optimizer) -> Optimizer:
        """Called once when the trainer has done with the model and weights of a checkpoint lie in it; answers the optimizer that
        the trainer is to use. Raises RunFailure unless the wrapper is what it should be.
        """

    @abstractmethod
    def passing(self, *, is_last: bool) -> AbstractContextManager[None]:
        """Around a forward and backward pass: gradients are exchanged in the last one of an update only."""

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Around an evaluation: forward passes that no backward pass follows."""
        yield

    def clip(self, limit: float) -> torch.Tensor:
        """Shorten the gradient of the update to ``limit``; answers its norm before, shape ()."""
        norm = torch.nn.utils.clip_grad_norm_([p for p in self.loss.parameters() if p.requires_grad], limit)
        return norm.full_tensor() if is_divided(norm) else norm

    def norm(self, clipped: Any) -> float:
        """The gradient's norm, after the update; ``clipped`` is what ``clip`` answered."""
        return float(clipped)

    def describe(self) -> str:
        """For the log."""
        return f"{type(self.module).__name__} over {self.ranks.size} processes"


class DataParallel(Wrapped):
    """The whole model on each rank."""

    strategy = "ddp"

    def begin(self, optimizer: Optimizer) -> Optimizer:
        """torch's own wrapper, over all ranks. It remembers the parameters as they are, and TRL changes the format of some of them
        beside a base in four bits (and we change it back): so not before the trainer has been made.

        Of three or more ranks the order of a sum depends on a tensor's place in its bucket, and torch deals the buckets anew
        after the first update: a resumed run would differ in the last bits. Looking for unused parameters keeps it from that.
        """
        many = self.ranks.size > 2
        self.module = DistributedDataParallel(self.loss, forward_sync_buffers=False, find_unused_parameters=many)
        if self.module.process_group.size() != self.ranks.size:
            raise wrong_wrapper(self, "DistributedDataParallel")
        return optimizer

    @contextmanager
    def passing(self, *, is_last: bool) -> Iterator[None]:
        """Gradients are summed up during the last backward pass."""
        if is_last:
            yield
        else:
            with self.module.no_sync():
                yield


class FullySharded(Wrapped):
    """Weights, gradients and moments divided among the ranks, layer by layer."""

    strategy = "fsdp"

    def __init__(self, loss: LossModule, ranks: Ranks, device: torch.device) -> None:
        super().__init__(loss, ranks)
        mesh = torch.distributed.init_device_mesh(device.type, (ranks.size,))
        frozen = loss.policy.reference
        if frozen is not None:
            shard(frozen, mesh, keeps_rest=False)
        self.layers = shard(loss, mesh, keeps_rest=True)
        self.module = loss

    def begin(self, optimizer: Optimizer) -> Optimizer:
        """Every parameter is divided among all ranks."""
        from torch.distributed.tensor import DTensor

        parameters = list(self.loss.parameters())
        divided = [p for p in parameters if isinstance(p, DTensor) and p.device_mesh.size() == self.ranks.size]
        if not isinstance(self.module, FSDPModule) or len(divided) != len(parameters):
            raise wrong_wrapper(self, "FSDPModule")
        return optimizer

    @contextmanager
    def passing(self, *, is_last: bool) -> Iterator[None]:
        """Gradients stay whole on each rank until the last backward pass divides their sum."""
        self.module.set_requires_gradient_sync(is_last)
        yield

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """What is outside of the layers stays gathered for its backward pass: divide it again, or a checkpoint would find it so."""
        yield
        self.module.reshard()

    def describe(self) -> str:
        """For the log."""
        return f"FSDP2 (fully_shard of {self.layers} layers and the rest) over {self.ranks.size} processes"


def shard(module: nn.Module, mesh: Any, *, keeps_rest: bool) -> int:
    """Divide every decoder layer of ``module``, then what is left of it; answers how many layers there were.

    With ``keeps_rest`` what is outside of the layers stays gathered from the forward to the backward pass, which uses it first.
    """
    layers = decoder_layers(module)
    for layer in layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh, reshard_after_forward=not keeps_rest)
    return len(layers)


def decoder_layers(module: nn.Module) -> list[nn.Module]:
    """The repeated layers: the longest list of modules of one class."""
    lists = [found for found in module.modules() if isinstance(found, nn.ModuleList) and len(found) > 0]
    alike = [found for found in lists if len({type(layer) for layer in found}) == 1]
    return list(max(alike, key=len, default=[]))


def wrong_wrapper(wrapped: Wrapped, wanted: str) -> Exception:
    """A run that is not shared as it was to be."""
    return configuration_failure(
        f"The run was to be shared by {wrapped.ranks.size} processes through {wanted}, and is not "
        f"({type(wrapped.module).__name__}).",
        "This is a fault of the program or of the torch version: set resources.processes: 1 until it is mended.",
    )
