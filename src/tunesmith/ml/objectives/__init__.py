"""What a run optimises: each objective says how rows become batches, the loss of a batch, and what is measured."""

from __future__ import annotations

from tunesmith.ml.objectives.cpt import ContinuedPretraining
from tunesmith.ml.objectives.dpo import DirectPreference
from tunesmith.ml.objectives.grpo import GroupRelative
from tunesmith.ml.objectives.kto import KahnemanTversky
from tunesmith.ml.objectives.objective import Examples, Objective, Outcome, Texts
from tunesmith.ml.objectives.orpo import OddsRatio
from tunesmith.ml.objectives.reward import RewardModel
from tunesmith.ml.objectives.sft import Supervised
from tunesmith.wire.recipe import Recipe

__all__ = ["OBJECTIVES", "Examples", "Objective", "Outcome", "Texts", "objective_of"]

OBJECTIVES: dict[str, type[Objective]] = {
    kind.name: kind
    for kind in (
        Supervised,
        ContinuedPretraining,
        DirectPreference,
        OddsRatio,
        KahnemanTversky,
        RewardModel,
        GroupRelative,
    )
}


def objective_of(recipe: Recipe, texts: Texts) -> Objective:
    """The objective that ``recipe`` asks for."""
    return OBJECTIVES[recipe.method.objective](recipe, texts)
