"""Continuous batching: answers that grow at the same time share each step of the model, and come and go as they like.

Prompts that wait together are read together; their keys and values then join the batch. Rows are aligned at their ends: shorter ones
are padded on the left, and the padding is masked and cut off again when the longest row has left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicLayer

from tunesmith.ml.decode import Row, pick, tell

Forward = Callable[..., Any]
SPARE_COLUMNS = 64
"""Padding that every row has is cut off once there is this much of it: cutting copies the cache."""


class Batch:
    """Rows that are continued together. Used on the model's thread only."""

    def __init__(
        self, forward: Forward, ends: frozenset[int], device: torch.device, decode: Callable[[Sequence[int]], str]
    ) -> None:
        self._forward = forward
        self._decode = decode
        self._ends = ends
        self._device = device
        self.rows: list[Row] = []
        self._cache: Any = None
        self._mask: torch.Tensor = torch.zeros((0, 0), dtype=torch.long, device=device)

    def join(self, rows: list[Row]) -> list[str]:
        """Read the prompts of rows and take their first tokens; answers the text that is certain of each."""
        longest = max(len(row.prompt_ids) for row in rows)
        gaps = [longest - len(row.prompt_ids) for row in rows]
        ids = [[0] * gap + row.prompt_ids for gap, row in zip(gaps, rows, strict=True)]
        seen = [[0] * gap + [1] * (longest - gap) for gap in gaps]
        mask = torch.tensor(seen, device=self._device)
        out = self._forward(
            input_ids=torch.tensor(ids, device=self._device),
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            past_key_values=None,
            last_only=True,
        )
        chosen = pick(out.logits[:, -1], rows)
        for at, (row, token) in enumerate(zip(rows, chosen, strict=True)):
            tell(out.logits[at, -1], row, token, self._decode)
        texts = [row.take(token, self._ends) for row, token in zip(rows, chosen, strict=True)]
        kept = [at for at, row in enumerate(rows) if row.finish_reason is None]
        if kept:
            cache = out.past_key_values
            if len(kept) < len(rows):
                selection = torch.tensor(kept, device=self._device)
                cache.batch_select_indices(selection)
                mask = mask[selection]
            self._adopt([rows[at] for at in kept], cache, mask)
        return texts

    def accepts_more(self) -> bool:
        """Whether another row can join: some kinds of memory (sliding windows, recurrent states) cannot be put together."""
        return not self.rows or all(type(layer) is DynamicLayer for layer in self._cache.layers)

    def step(self) -> list[tuple[Row, str]]:
        """One token for every row; answers what each gained. Rows that ended are gone."""
        self._mask = torch.cat([self._mask, self._mask.new_ones((len(self.rows), 1))], dim=-1)
        last = torch.tensor([[row.token_ids[-1]] for row in self.rows], device=self._device)
        out = self._forward(
            input_ids=last,
            attention_mask=self._mask,
            position_ids=self._mask.sum(-1, keepdim=True) - 1,
            past_key_values=self._cache,
            last_only=True,
        )
        self._cache = out.past_key_values
        chosen = pick(out.logits[:, -1], self.rows)
        for at, (row, token) in enumerate(zip(self.rows, chosen, strict=True)):
            tell(out.logits[at, -1], row, token, self._decode)
        gained = [(row, row.take(token, self._ends)) for row, token in zip(self.rows, chosen, strict=True)]
        self.drop([row for row in self.rows if row.finish_reason is not None])
        return gained

    def drop(self, gone: list[Row]) -> None:
        """Take rows out: they ended, or nobody waits for them any more."""
        if not gone:
            return
        kept = [at for at, row in enumerate(self.rows) if not any(row is other for other in gone)]
        self.rows = [self.rows[at] for at in kept]
        if not kept:
            self._cache = None
            self._mask = self._mask.new_zeros((0, 0))
            return
        selection = torch.tensor(kept, device=self._device)
        self._cache.batch_select_indices(selection)
        self._mask = self._mask[selection]
        self._trim()

    def _adopt(self, rows: list[Row], cache: Any, mask: torch.Tensor) -> None:
        if not self.rows:
            self.rows, self._cache, self._mask = rows, cache, mask
            return
        width = max(self._mask.shape[1], mask.shape[1])
        for ours, theirs in zip(self._cache.layers, cache.layers, strict=True):
            ours.keys = torch.cat([_padded(ours.keys, width), _padded(theirs.keys, width)])
            ours.values = torch.cat([_padded(ours.values, width), _padded(theirs.values, width)])
        self._mask = torch.cat([_left(self._mask, width), _left(mask, width)])
        self.rows += rows

    def _trim(self) -> None:
        spare = int((self._mask.cumsum(-1) == 0).sum(-1).min())
        if spare < SPARE_COLUMNS:
            return
        for layer in self._cache.layers:
            layer.keys = layer.keys[:, :, spare:].contiguous()
            layer.values = layer.values[:, :, spare:].contiguous()
        self._mask = self._mask[:, spare:]


def _padded(states: torch.Tensor, width: int) -> torch.Tensor:
    """Keys or values (rows, heads, positions, size) with empty positions on the left."""
    return torch.nn.functional.pad(states, (0, 0, width - states.shape[2], 0))


def _left(mask: torch.Tensor, width: int) -> torch.Tensor:
    return torch.nn.functional.pad(mask, (width - mask.shape[1], 0))
