"""What both tools inherit from the trainer of transformers, and so call the same: the schedule, and what is done every so often."""

from __future__ import annotations

from typing import Any

from tunesmith.wire.foreign.carrying import Carrier, Refusal, is_true, number, one_of, whole

SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant", "constant_with_warmup": "constant"}

BEST_BY = {
    "loss": "loss",
    "eval_loss": "eval_loss",
    "eval_rewards/accuracies": "eval_accuracy",
    "eval_rewards/margins": "eval_margin",
    "eval_reward": "eval_reward",
}
"""What makes a checkpoint the best, in the trainer's words and in ours."""


def take_schedule(carrier: Carrier, scheduler_key: str) -> None:
    """Carry learning rate, warm-up, decay, clipping and cadence; ``scheduler_key`` is what the tool calls the schedule."""
    carrier.take("learning_rate", "training.learning_rate", number)
    carrier.take(scheduler_key, "training.scheduler", one_of(SCHEDULERS, "schedule"))
    carrier.take("warmup_ratio", "training.warmup_ratio", number)
    carrier.take("warmup_steps", "training.warmup_ratio", lambda steps: ratio_of(steps, carrier))
    carrier.take("weight_decay", "training.weight_decay", number)
    carrier.take("max_grad_norm", "training.max_grad_norm", number)
    carrier.take("logging_steps", "training.logging_steps", whole)
    carrier.take("eval_steps", "training.eval_steps", whole)
    carrier.take("save_steps", "training.save_steps", whole)
    carrier.take("save_total_limit", "training.keep_last_n", whole)
    carrier.take(
        "metric_for_best_model",
        "training.metric_for_best",
        one_of(BEST_BY, "metric"),
    )
    carrier.take("greater_is_better", "training.metric_mode", lambda value: "max" if is_true(value) else "min")


def ratio_of(steps: Any, carrier: Carrier) -> float:
    """A number of warm-up updates as a share, where the length of the run is known."""
    count = number(steps)
    training = carrier.recipe.get("training", {})
    if "warmup_ratio" in training:
        raise Refusal("warmup_ratio is given too")
    if count == 0:
        return 0.0
    if "max_steps" not in training:
        raise Refusal("a number of updates is a share only where max_steps is known: set training.warmup_ratio")
    share: float = count / training["max_steps"]
    if share >= 1:
        raise Refusal("the warm-up is longer than the run")
    return round(share, 6)
