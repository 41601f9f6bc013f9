"""Odds-ratio preference optimisation, our own loss (Hong, Lee and Thorne 2024, arXiv 2403.07691).

L = NLL(better answer) - β log σ(log odds(better) - log odds(worse)), with odds(y) = p / (1 - p) and log p the mean
log-probability of the answer's tokens. No reference model. As in the paper the first term is over the answer's tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F

from tunesmith.ml.objectives.dpo import preference_figures
from tunesmith.ml.objectives.objective import Examples, Objective, Outcome, Tell
from tunesmith.ml.objectives.pairs import read_pairs
from tunesmith.ml.policy import Batch, Policy
from tunesmith.text import IGNORED
from tunesmith.wire.methods import OrpoSection


class OddsRatio(Objective):
    """The better answer is learnt, and its odds rise above the worse one's."""

    name: ClassVar[str] = "orpo"

    def read(self, file: Path, tell: Tell) -> Examples:
        """Preference pairs."""
        return read_pairs(file, self.texts, self.max_length, tell)

    def outcome(self, policy: Policy, batch: Batch) -> Outcome:
        """NLL over the better answers' tokens and the odds term over pairs."""
        plan = self.recipe.method.orpo or OrpoSection()
        summed = policy.log_probs(batch)
        means = summed / (batch["targets"] != IGNORED).sum(-1)
        chosen, rejected = means.chunk(2)
        odds = log_odds(chosen) - log_odds(rejected)
        sums = {
            "chosen_tokens": -summed.chunk(2)[0].sum(),
            "pairs": -plan.beta * F.logsigmoid(odds).sum(),
        }
        return Outcome(sums, preference_figures(plan.beta * chosen, plan.beta * rejected))


def log_odds(log_probs: torch.Tensor) -> torch.Tensor:
    """log(p / (1 - p)) from log p, without cancellation near p = 1."""
    log_probs = log_probs.clamp(max=-1e-7)
    return log_probs - torch.log(-torch.expm1(log_probs))
