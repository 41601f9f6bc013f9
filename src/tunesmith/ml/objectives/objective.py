"""The promise that every objective keeps towards the one trainer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import torch

from tunesmith.ml.policy import Batch, Policy
from tunesmith.ml.token_cache import TokenCache
from tunesmith.text import ChatTemplate, TextTokenizer
from tunesmith.wire.recipe import Recipe

Tell = Callable[[str, Literal["info", "warning"]], None]
"""A sentence for the log, and its level."""


Figures = dict[str, tuple[float, float]]
"""By name, a sum and the number of items in it."""


class Texts:
    """Tokenizer and chat template of the base; the template is read when a row first needs it."""

    def __init__(self, folder: Path, cache: TokenCache | None = None) -> None:
        self.folder = folder
        self.cache = cache or TokenCache(None)
        self._template: ChatTemplate | None = None
        self.tokenizer = TextTokenizer.from_folder(folder)

    @property
    def template(self) -> ChatTemplate:
        """The chat template; raises ChatTemplateMissing."""
        self._template = self._template or ChatTemplate.from_folder(self.folder)
        return self._template

    @property
    def pad_id(self) -> int:
        """What fills lines up."""
        pad = self.tokenizer.pad_id
        return pad if pad is not None else self.tokenizer.eos_id or 0


class Examples(Protocol):
    """The rows of one file, ready to become batches."""

    @property
    def cut(self) -> int:
        """Rows that were longer than ``max_length``."""
        ...

    def __len__(self) -> int:
        """How many examples there are; an update takes ``batch_size`` of them for each forward pass."""
        ...

    @property
    def lengths(self) -> list[int]:
        """Tokens of each example, as the forward pass sees them."""
        ...

    def collate(self, examples: Iterable[dict[str, int]]) -> Batch:
        """One batch of the examples ``{"sequence": number}``. Besides the tensors it has ``tokens`` (without padding) and
        ``counts``: how many of each unit the loss is a mean over.
        """
        ...


@dataclass
class Outcome:
    """What a batch came to.

    ``sums`` are to be minimised: by unit, each divided by how many of the unit the whole update (or evaluation) has.
    ``figures`` are for people: by name, a sum and a number of items; their quotient is shown.
    """

    sums: dict[str, torch.Tensor]
    figures: Figures = field(default_factory=dict)


class Objective(ABC):
    """One way to learn."""

    name: ClassVar[str]
    head: ClassVar[str] = "words"
    """``words``: a language model; ``score``: a head that gives one number."""
    loss_tells_progress: ClassVar[bool] = True
    """Whether less loss on the training rows means a better model."""

    def __init__(self, recipe: Recipe, texts: Texts) -> None:
        self.recipe = recipe
        self.texts = texts
        self.max_length = recipe.training.max_length

    @property
    def needs_reference(self) -> bool:
        """Whether the loss compares with the model as it was before."""
        return False

    @abstractmethod
    def read(self, file: Path, tell: Tell) -> Examples:
        """The rows of a file; tells what was cut and what was left out, and raises when nothing can be learnt."""

    def check(self, examples: Examples, name: str) -> None:  # noqa: B027  # most can learn from any rows that they can read
        """Refuse training rows of the file ``name`` that can be read, and nothing can be learnt from."""

    def prepare(self, policy: Policy, batches: list[Batch], update: int) -> None:  # noqa: B027  # most have nothing to do
        """Fill in what only the model can say, before an update (``update`` is its number) or an evaluation (-1)."""

    @abstractmethod
    def outcome(self, policy: Policy, batch: Batch) -> Outcome:
        """The loss of a batch as sums, and what to show of it."""


def mean_loss(outcome: Outcome, counts: dict[str, int]) -> torch.Tensor:
    """The loss: each sum divided by how many of its unit there are in all."""
    parts = [total / max(counts[unit], 1) for unit, total in outcome.sums.items()]
    return torch.stack(parts).sum() if len(parts) > 1 else parts[0]


def add_counts(batches: Iterable[Batch]) -> dict[str, int]:
    """The counts of several batches, added up."""
    total: dict[str, int] = {}
    for batch in batches:
        for unit, count in batch["counts"].items():
            total[unit] = total.get(unit, 0) + count
    return total


def averages(figures: Figures) -> dict[str, float]:
    """Sums and numbers as means; what was measured nowhere is left out."""
    return {name: total / number for name, (total, number) in figures.items() if number}


def add_figures(into: Figures, more: dict[str, tuple[Any, Any]]) -> None:
    """Add the figures of one more batch."""
    for name, (total, number) in more.items():
        had, of = into.get(name, (0.0, 0.0))
        into[name] = (had + float(total), of + float(number))
