"""A model that scores answers: a head that gives one number, learnt from pairs.

Bradley and Terry 1952, as in Ouyang et al. 2022 (arXiv 2203.02155): -log σ(score(better) - score(worse)); the optional centring
term c (score + score)² is Eisenstein et al. 2023 (2312.09244).
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch.nn.functional as F

from tunesmith.ml.objectives.dpo import preference_figures
from tunesmith.ml.objectives.objective import Examples, Objective, Outcome, Tell
from tunesmith.ml.objectives.pairs import read_pairs
from tunesmith.ml.policy import Batch, Policy
from tunesmith.wire.methods import RewardSection


class RewardModel(Objective):
    """The better answer scores higher."""

    name: ClassVar[str] = "reward"
    head: ClassVar[str] = "score"

    def read(self, file: Path, tell: Tell) -> Examples:
        """Preference pairs."""
        return read_pairs(file, self.texts, self.max_length, tell)

    def outcome(self, policy: Policy, batch: Batch) -> Outcome:
        """The loss over pairs; its measure is how often the better answer scores higher."""
        plan = self.recipe.method.reward or RewardSection()
        chosen, rejected = policy.scores(batch).chunk(2)
        losses = -F.logsigmoid(chosen - rejected) + plan.center * (chosen + rejected) ** 2
        return Outcome({"pairs": losses.sum()}, preference_figures(chosen, rejected))
