"""The model in training as objectives ask it: log-probabilities, scores, and the frozen model that it is compared with."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.nn.functional as F
from peft import PeftModel

from tunesmith.ml.attention import base_model, without_dropout
from tunesmith.ml.head import Head
from tunesmith.text import IGNORED

Batch = dict[str, Any]
"""``input_ids``, ``position_ids`` and ``targets`` of shape (lines, width), and what an objective adds."""


class Policy:
    """The model in training, computing in ``autocast`` where that is given.

    With ``offloads`` what the backward pass needs lies in the processor's memory until then.

    The reference is the model as it was before: with an adapter, the model without it; without one, a frozen copy in the
    format that is computed in (an eighth of what AdamW keeps besides).
    """

    def __init__(
        self, model: Any, autocast: torch.dtype | None, *, needs_reference: bool = False, offloads: bool = False
    ) -> None:
        self.model = model
        self._offloads = offloads
        self.autocast_dtype = autocast
        self._frozen: Any = None
        if needs_reference and not isinstance(model, PeftModel):
            self._frozen = copy.deepcopy(model).to(autocast or torch.float32).requires_grad_(False).eval()

    @property
    def reference(self) -> Any:
        """The frozen copy, where the reference is one."""
        return self._frozen

    def logits(self, batch: Batch, places: torch.Tensor | int = 0) -> torch.Tensor:
        """Logits in float32 at ``places`` of each line (all of them by default)."""
        return self._logits(self.model, batch, places)

    def summed_loss(self, batch: Batch) -> torch.Tensor:
        """Cross entropy of all targets, summed; the head runs only where there is one."""
        if not self.has_plain_head:
            places = target_places(batch["targets"])
            logits, targets = self.logits(batch, places), batch["targets"][:, places]
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
        where = (batch["targets"] != IGNORED).nonzero(as_tuple=True)
        with self._computing(batch):
            states = self._head.body(
                input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
            ).last_hidden_state
            return self._head.summed_loss(states[where], batch["targets"][where])

    @functools.cached_property
    def _head(self) -> Head:
        return Head(self.model)

    @functools.cached_property
    def has_plain_head(self) -> bool:
        """Whether logits are what the head makes of the body's states, so that it can run in pieces."""
        return self._head.is_plain(self.autocast_dtype)

    def log_probs(self, batch: Batch) -> torch.Tensor:
        """Log-probability of the targets of each line, summed: shape (lines,)."""
        return self._log_probs(self.model, batch).sum(-1)

    def token_log_probs(self, batch: Batch, temperature: float = 1.0) -> torch.Tensor:
        """Log-probability of each target, 0 where there is none: shape (lines, places with a target in some line)."""
        return self._log_probs(self.model, batch, temperature)

    def reference_log_probs(self, batch: Batch) -> torch.Tensor:
        """Of the reference what ``log_probs`` gives, without a gradient."""
        return self.reference_token_log_probs(batch).sum(-1)

    def reference_token_log_probs(self, batch: Batch, temperature: float = 1.0) -> torch.Tensor:
        """Of the reference what ``token_log_probs`` gives, without a gradient."""
        with torch.no_grad(), self._as_before() as model:
            return self._log_probs(model, batch, temperature)

    def evaluating(self) -> AbstractContextManager[None]:
        """Without dropout; the mode is what it was afterwards."""
        return without_dropout(self.model)

    def next_token(self, **inputs: Any) -> Any:
        """The model as generation calls it (``decode.Forward``): with a cache, logits of the last place only."""
        inputs.pop("last_only", None)
        with self._computing(inputs):
            return self.model(**inputs, use_cache=True, logits_to_keep=1)

    def log_probs_gained(self, batch: Batch) -> torch.Tensor:
        """Log-ratio of each line's targets to the reference: shape (lines,)."""
        before = self.reference_log_probs(batch)
        return self.log_probs(batch) - before

    def scores(self, batch: Batch) -> torch.Tensor:
        """What the score head says after the last token of each line: shape (lines,)."""
        whole = base_model(self.model)
        body = getattr(whole, whole.base_model_prefix)
        with self._computing(batch):
            states = body(
                input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
            ).last_hidden_state
        lines = torch.arange(len(states), device=states.device)
        last = states[lines, batch["lengths"] - 1]
        return whole.score(last.float()).float().squeeze(-1)

    def _logits(self, model: Any, batch: Batch, places: torch.Tensor | int) -> torch.Tensor:
        with self._computing(batch):
            logits: torch.Tensor = model(
                input_ids=batch["input_ids"],
                position_ids=batch["position_ids"],
                use_cache=False,
                logits_to_keep=places,
            ).logits
        return logits.float()

    def _log_probs(self, model: Any, batch: Batch, temperature: float = 1.0) -> torch.Tensor:
        places = target_places(batch["targets"])
        logits, targets = self._logits(model, batch, places), batch["targets"][:, places]
        if temperature != 1.0:
            logits = logits / temperature
        losses = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none")
        return -losses

    @contextlib.contextmanager
    def _computing(self, batch: Batch) -> Iterator[None]:
        device_type = batch["input_ids"].device.type
        offloaded = torch.autograd.graph.save_on_cpu(pin_memory=device_type == "cuda")
        with (
            torch.autocast(device_type, self.autocast_dtype, enabled=self.autocast_dtype is not None),
            offloaded if self._offloads and torch.is_grad_enabled() else contextlib.nullcontext(),
        ):
            yield

    @contextlib.contextmanager
    def _as_before(self) -> Iterator[Any]:
        if self._frozen is not None:
            yield self._frozen
        else:
            with self.model.disable_adapter():
                yield self.model


def target_places(targets: torch.Tensor) -> torch.Tensor:
    """The places at which at least one line has a target: the head runs only there."""
    return (targets != IGNORED).any(dim=0).nonzero().squeeze(1)
