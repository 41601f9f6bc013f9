"""Tensors that are divided among ranks: gathered to be written, dealt out to be read.

A checkpoint holds whole tensors whatever wrote it, so that a run can go on with another number of processes or another strategy.
"""

from __future__ import annotations

from typing import Any

import torch


def is_divided(tensor: torch.Tensor) -> bool:
    """Whether each rank has only a part of it."""
    return hasattr(tensor, "full_tensor") or _by_zero(tensor)


def _by_zero(tensor: torch.Tensor) -> bool:
    """Whether ZeRO-3 has divided it: the tensor itself is empty between its uses."""
    return hasattr(tensor, "ds_tensor")


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in the first rank's memory, beside the processor; the others, which write nothing, get an empty one.

    A divided one is gathered, so that every rank has to ask for it, in the same order.
    """
    if not is_divided(tensor):
        return of_first(tensor.detach())
    if not _by_zero(tensor):
        return of_first(tensor.detach().full_tensor())
    import deepspeed

    with deepspeed.zero.GatheredParameters([tensor]):
        return of_first(tensor.detach().clone())


def of_first(gathered: torch.Tensor) -> torch.Tensor:
    """What every rank has, kept by the first one alone."""
    if torch.distributed.is_initialized() and torch.distributed.get_rank() != 0:
        return torch.empty(0, dtype=gathered.dtype)
    return gathered.cpu().contiguous()


def put(target: torch.Tensor, stored: torch.Tensor) -> None:
    """Copy a whole tensor into ``target``, of a divided one the part that lies here; raises ValueError for another shape."""
    shape = tuple(target.ds_shape) if _by_zero(target) else tuple(target.shape)
    if shape != tuple(stored.shape):
        raise ValueError(f"the checkpoint was made for another shape: {tuple(stored.shape)}, not {shape}")
    with torch.no_grad():
        if not _by_zero(target):
            target.copy_(divided_like(target, stored))
            return
        import deepspeed

        with deepspeed.zero.GatheredParameters([target], modifier_rank=0):
            target.copy_(stored)


def divided_like(target: torch.Tensor, stored: torch.Tensor) -> torch.Tensor:
    """``stored`` as it lies on this rank, when ``target`` is divided."""
    if not is_divided(target):
        return stored
    from torch.distributed.tensor import distribute_tensor

    mesh, placements = target.device_mesh, target.placements
    return distribute_tensor(stored.to(target.device), mesh, placements, src_data_rank=None)


def divide_moments(state: dict[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimizer's state as it was written, with the moments of divided parameters as they lie on this rank."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, values in state["state"].items():
        parameter = parameters[index]
        for name, value in values.items():
            if value.shape == parameter.shape and is_divided(parameter):
                values[name] = divided_like(parameter, value)
    return state
