"""The loss over targets without holding all logits: the head runs only where there is a target, and in pieces where it is large.

Logits of 4,096 tokens over a vocabulary of 150,000 are 2.3 GiB in float32, and their gradient as much again. In pieces each logit
lives as long as its own loss and gradient take, and both are computed in one go (as in Liger, arXiv 2410.10989, here with torch's
own kernels, so on every device): the loss is a sum, so the gradient of a piece does not depend on the others.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from tunesmith.ml.attention import base_model, without_dropout
from tunesmith.ml.sharding import is_divided

LOGITS_BYTES = 256 << 20
"""Logits up to this size are computed at once."""
PIECE_BYTES = 64 << 20
"""Logits of one piece beyond it."""


class Head:
    """Body and head of a language model, called apart."""

    def __init__(self, model: Any) -> None:
        self._whole = base_model(model)
        self.head = self._whole.get_output_embeddings()
        self.body: Any = getattr(self._whole, self._whole.base_model_prefix, None)

    def is_plain(self, compute: torch.dtype | None) -> bool:
        """Whether the model's logits are what the head makes of the body's last states: no scale, no cap, nothing else."""
        if self.body is None or self.body is self._whole or not isinstance(self.head, torch.nn.Linear):
            return False
        weight = self.head.weight
        if is_divided(weight):  # only the whole model knows how to gather it
            return False
        ids = torch.arange(8, device=weight.device)[None] % self._whole.get_input_embeddings().num_embeddings
        kept: list[torch.Tensor] = []
        handle = self.head.register_forward_hook(lambda _module, inputs, output: kept.extend((inputs[0], output)))
        computing = torch.autocast(weight.device.type, compute, enabled=compute is not None)
        try:
            with torch.no_grad(), without_dropout(self._whole), computing:
                logits = self._whole(input_ids=ids, use_cache=False).logits
        finally:
            handle.remove()
        return len(kept) == 2 and kept[1].shape == logits.shape and kept[1].equal(logits.to(kept[1].dtype))

    def summed_loss(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross entropy of each target, summed. ``states``: (targets, hidden size)."""
        row_bytes = 4 * self.head.out_features
        if len(targets) * row_bytes <= LOGITS_BYTES:
            return _loss(self.head, states, targets)
        size = max(1, PIECE_BYTES // row_bytes)
        if not torch.is_grad_enabled():
            parts = zip(states.split(size), targets.split(size), strict=True)
            return torch.stack([_loss(self.head, some, wanted) for some, wanted in parts]).sum()
        learning = [p for p in self.head.parameters() if p.requires_grad]
        loss: torch.Tensor = _LossInPieces.apply(states, targets, self.head, size, *learning)
        return loss


def _loss(head: Any, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(head(states).float(), targets, reduction="sum")


class _LossInPieces(torch.autograd.Function):
    """The sum of losses; its gradients are found piece by piece on the way forward."""

    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, targets: torch.Tensor, head: Any, size: int, *learning: torch.Tensor
    ) -> torch.Tensor:
        """Loss and gradients of each piece."""
        total = torch.zeros((), device=states.device)
        of_states = torch.empty_like(states)
        of_learning = [torch.zeros_like(parameter) for parameter in learning]
        for at in range(0, len(targets), size):
            piece = slice(at, at + size)
            with torch.enable_grad():
                some = states[piece].detach().requires_grad_()
                loss = _loss(head, some, targets[piece])
            gradient, *rest = torch.autograd.grad(loss, [some, *learning])
            of_states[piece] = gradient
            for known, more in zip(of_learning, rest, strict=True):
                known += more
            total += loss.detach()
        ctx.save_for_backward(of_states, *of_learning)
        return total

    @staticmethod
    def backward(ctx: Any, scale: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """What was found, times the gradient of the sum."""
        of_states, *of_learning = ctx.saved_tensors
        scaled = [gradient * scale.to(gradient.dtype) for gradient in of_learning]
        return of_states * scale.to(of_states.dtype), None, None, None, *scaled
