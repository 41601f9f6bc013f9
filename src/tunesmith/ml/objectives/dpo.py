"""Direct preference optimisation and its relatives.

Rafailov et al. 2023 (arXiv 2305.18290): -log σ(β Δ), where Δ is how much more the better answer has gained over the
reference than the worse one. IPO: Azar et al. 2023 (2310.12036); hinge: Zhao et al. 2023 (2305.10425); robust: Chowdhury et
al. 2024 (2403.00409); APO: D'Oosterlinck et al. 2024 (2408.06266); EXO: Ji et al. 2024 (2402.00856); NCA: Chen et al. 2024
(2402.05369). ``ipo`` and ``sigmoid_norm`` take means over the answer's tokens, the others sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F

from tunesmith.ml.objectives.objective import Examples, Objective, Outcome, Tell
from tunesmith.ml.objectives.pairs import read_pairs
from tunesmith.ml.policy import Batch, Policy
from tunesmith.text import IGNORED
from tunesmith.wire.methods import DpoSection


@dataclass(frozen=True)
class Gains:
    """Log-ratios to the reference of both answers, and their lengths in tokens: shape (pairs,)."""

    chosen: torch.Tensor
    rejected: torch.Tensor
    chosen_tokens: torch.Tensor
    rejected_tokens: torch.Tensor

    @property
    def delta(self) -> torch.Tensor:
        """How much more the better answer gained."""
        return self.chosen - self.rejected

    @property
    def mean_delta(self) -> torch.Tensor:
        """The same for each token."""
        return self.chosen / self.chosen_tokens - self.rejected / self.rejected_tokens


Rule = Callable[[Gains, DpoSection], torch.Tensor]


def _sigmoid(gains: Gains, plan: DpoSection) -> torch.Tensor:
    x, smoothing = plan.beta * gains.delta, plan.label_smoothing
    return -F.logsigmoid(x) * (1 - smoothing) - F.logsigmoid(-x) * smoothing


def _robust(gains: Gains, plan: DpoSection) -> torch.Tensor:
    x, smoothing = plan.beta * gains.delta, plan.label_smoothing
    return (-F.logsigmoid(x) * (1 - smoothing) + F.logsigmoid(-x) * smoothing) / (1 - 2 * smoothing)


def _exo_pair(gains: Gains, plan: DpoSection) -> torch.Tensor:
    x, smoothing = plan.beta * gains.delta, plan.label_smoothing
    better = torch.sigmoid(x) * (F.logsigmoid(x) - math.log1p(-smoothing))
    return better + torch.sigmoid(-x) * (F.logsigmoid(-x) - math.log(smoothing))


def _nca_pair(gains: Gains, plan: DpoSection) -> torch.Tensor:
    chosen, rejected = plan.beta * gains.chosen, plan.beta * gains.rejected
    return -F.logsigmoid(chosen) - 0.5 * F.logsigmoid(-chosen) - 0.5 * F.logsigmoid(-rejected)


LOSSES: dict[str, Rule] = {
    "sigmoid": _sigmoid,
    "robust": _robust,
    "exo_pair": _exo_pair,
    "nca_pair": _nca_pair,
    "ipo": lambda gains, plan: (gains.mean_delta - 1 / (2 * plan.beta)) ** 2,
    "sigmoid_norm": lambda gains, plan: -F.logsigmoid(plan.beta * gains.mean_delta),
    "hinge": lambda gains, plan: torch.relu(1 - plan.beta * gains.delta),
    "apo_zero": lambda gains, plan: (
        1 - torch.sigmoid(plan.beta * gains.chosen) + torch.sigmoid(plan.beta * gains.rejected)
    ),
    "apo_down": lambda gains, plan: (
        torch.sigmoid(plan.beta * gains.chosen) + 1 - torch.sigmoid(plan.beta * gains.delta)
    ),
}


class DirectPreference(Objective):
    """The better answer gains more over the reference than the worse one."""

    name: ClassVar[str] = "dpo"

    @property
    def plan(self) -> DpoSection:
        """Its settings."""
        return self.recipe.method.dpo or DpoSection()

    @property
    def needs_reference(self) -> bool:
        """Always: it is what the gain is measured from."""
        return True

    def read(self, file: Path, tell: Tell) -> Examples:
        """Preference pairs."""
        return read_pairs(file, self.texts, self.max_length, tell)

    def outcome(self, policy: Policy, batch: Batch) -> Outcome:
        """The loss over pairs, and over the better answer's tokens where ``sft_weight`` asks for it."""
        reference = policy.reference_log_probs(batch)
        log_probs = policy.log_probs(batch)
        chosen, rejected = (log_probs - reference).chunk(2)
        lengths = (batch["targets"] != IGNORED).sum(-1)
        gains = Gains(chosen, rejected, *lengths.chunk(2))
        sums = {"pairs": LOSSES[self.plan.loss](gains, self.plan).sum()}
        if self.plan.sft_weight:
            sums["chosen_tokens"] = -self.plan.sft_weight * log_probs.chunk(2)[0].sum()
        return Outcome(sums, preference_figures(self.plan.beta * chosen, self.plan.beta * rejected))


def preference_figures(chosen: torch.Tensor, rejected: torch.Tensor) -> dict[str, tuple[float, float]]:
    """How often the better answer has the higher reward, and by how much; equal rewards count as half right."""
    margins = (chosen - rejected).detach().double()
    right = (margins > 0).sum() + 0.5 * (margins == 0).sum()
    return {"accuracy": (float(right), len(margins)), "margin": (float(margins.sum()), len(margins))}
