"""Tensors that are divided among ranks: gathered to be written, dealt out to be read.

A checkpoint holds whole tensors whatever wrote it, so that a run can go on with another number of processes or another strategy.
"""

from __future__ import annotations

from typing import Any

import torch


def is_divided(tensor: torch.Tensor) -> bool:
    """Whether each rank has only a part of it."""
    return hasattr(tensor, "full_tensor")


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in the processor's memory. A divided one is gathered, so that every rank has to ask for it, in the same order;
    ranks other than the first, which write nothing, get an empty one.
    """
    if not is_divided(tensor):
        return tensor.detach().cpu().contiguous()
    gathered = tensor.detach().full_tensor()
    if torch.distributed.get_rank() != 0:
        return torch.empty(0, dtype=tensor.dtype)
    return gathered.cpu().contiguous()


def put(target: torch.Tensor, stored: torch.Tensor) -> None:
    """Copy a whole tensor into ``target``, of a divided one the part that lies here; raises ValueError for another shape."""
    if tuple(target.shape) != tuple(stored.shape):
        raise ValueError(f"the checkpoint was made for another shape: {tuple(stored.shape)}, not {tuple(target.shape)}")
    with torch.no_grad():
        target.copy_(divided_like(target, stored))


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
