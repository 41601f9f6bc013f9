"""In which order a run meets its rows: shuffled anew in every epoch, rows of like length together where they are not packed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.utils.data import Sampler

WINDOW = 32
"""Updates among which rows are sorted by length: the wider, the less padding, and the more alike the rows of an update."""


class LengthOrder(Sampler[int]):
    """A new order in every epoch in which an update's rows are of like length.

    Rows are shuffled, sorted by length inside windows of 32 updates, and dealt to updates, which are shuffled again. Which rows
    an update has depends on seed, epoch and how many rows an update has, not on how they are portioned into forward passes: a
    run that goes on with smaller portions learns the same. Inside an update the longest come first.
    """

    def __init__(self, lengths: Sequence[int], update: int, seed: int, epoch: Callable[[], int]) -> None:
        self.lengths, self.update, self.seed, self.epoch = lengths, update, seed, epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch())
        shuffled = torch.randperm(len(self.lengths), generator=generator).tolist()
        whole = len(shuffled) // self.update * self.update
        updates: list[list[int]] = []
        for at in range(0, whole, WINDOW * self.update):
            window = sorted(shuffled[at : min(at + WINDOW * self.update, whole)], key=lambda row: -self.lengths[row])
            updates += [window[first : first + self.update] for first in range(0, len(window), self.update)]
        for number in torch.randperm(len(updates), generator=generator).tolist():
            yield from updates[number]
        yield from sorted(shuffled[whole:], key=lambda row: -self.lengths[row])  # the last update is a smaller one
