"""A configuration for a model, a dataset and the memory that is free, with the reason for each value and what else one may take.

The rules, from runs on the bundled data and on generated sets (``benchmarks/training_recommended.py`` measures them):

- learning rate = 2e-4 × (1e9 / parameters)^(1/3), between 5e-5 and 2e-3: small models bear, and need, a high one;
- an update sees a twelfth of the data, between 128 and 8192 tokens, and there are at least 150 updates where 30 passes suffice:
  a small set trained for the usual three passes hardly changes a model;
- what keeps that from being learnt by heart is held-out data: ten evaluations, the best checkpoint, and an early stop;
- a forward pass sees one packed sequence on a CPU, and as many as fit into the memory on a GPU.

All weights, and preferences or rewards, take a smaller share of that rate: a cautious one beside the recipes of the bundled model, and
one that no benchmark has measured yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from tunesmith.wire.recipe import Recipe
from tunesmith.wire.recipe_text import validate_recipe

RUNG_TOKENS = 64
FEWEST_UPDATES = 150
MOST_PASSES, FEWEST_PASSES = 30, 3
PORTIONS_OF_AN_EPOCH = 12
UPDATE_TOKENS = (128, 8192)
PACKED_TOKENS = {"cpu": 512, "mps": 1024, "cuda": 2048}
HELD_OUT_ROWS = 20
"""A set of fewer rows is too small to hold some out."""
MEMORY_SHARE = 0.7
SHORTEST_CUT = 256
"""Rows are not cut shorter than this to save memory."""
PROCESS_BYTES = 600 << 20
SMALL_MODEL = 50e6
FEW_ROWS = 2000
FILLED_SHARE = 0.95
"""Of a packed sequence."""
FULL_SHARE, COMPARED_SHARE = 0.1, 0.35
"""Of the learning rate: where all weights are trained; where answers are compared or scored, not imitated."""
IMITATES = ("sft", "cpt", "orpo")
TWO_ANSWERS = ("dpo", "orpo", "kto", "reward")
"""Each row takes two lines of a forward pass."""
LORA_BYTES, FULL_BYTES = 4.9, 16.0
"""Memory of a parameter: its weight, and what is kept of it for the optimizer."""
LOGIT_BYTES = 12
"""A logit, its probability and its gradient in float32."""


@dataclass(frozen=True)
class Situation:
    """What a configuration is for."""

    model: str
    num_parameters: int
    vocab_size: int
    context_length: int | None
    device: str
    available_memory_bytes: int
    rows: int
    total_tokens: int
    longest_tokens: int
    train: str = "dataset"
    objective: str = "sft"
    adapter: str = "lora"


class Alternative(BaseModel):
    """Another value, and when it is the better one."""

    value: Any = Field(description="The value.")
    when: str = Field(description="When to take it.")


class Choice(BaseModel):
    """One recommended value."""

    parameter: str = Field(description="Key of the recipe.", examples=["training.learning_rate"])
    value: Any = Field(description="What is recommended.")
    reason: str = Field(description="Why.")
    alternatives: list[Alternative] = Field(description="Other values, and when they are better.")


class Recommendation(BaseModel):
    """A full configuration with its reasons."""

    model: str = Field(description="The model that it is for.")
    dataset_id: int | None = Field(None, description="The dataset that it is for.")
    device: str = Field(description="Device that is counted on.")
    rows: int = Field(description="Rows of the data.")
    total_tokens: int = Field(description="Their tokens, estimated from a sample.")
    longest_tokens: int = Field(description="The longest row, estimated from a sample.")
    updates: int = Field(description="Optimizer updates that follow.")
    available_memory_bytes: int = Field(description="Memory that was counted with.")
    estimated_memory_bytes: int = Field(description="Memory that it is estimated to take; a forecast measures it.")
    parameters: dict[str, Any] = Field(description="The values in the words of the short form.")
    choices: list[Choice] = Field(description="Each value with its reason.")
    recipe: dict[str, Any] = Field(description="The same as a recipe, ready to start.")


class Choices:
    """The values that are chosen, in their order."""

    def __init__(self) -> None:
        self.made: list[Choice] = []

    def add(self, parameter: str, value: Any, reason: str, *alternatives: tuple[Any, str]) -> None:
        """Choose a value."""
        others = [Alternative(value=other, when=when) for other, when in alternatives]
        self.made.append(Choice(parameter=parameter, value=value, reason=reason, alternatives=others))

    def to_recipe(self, at: Situation) -> Recipe:
        """The recipe that they make."""
        plan: dict[str, Any] = {
            "name": f"Recommended for {at.model}"[:200],
            "model": {"base": at.model},
            "data": {"train": at.train},
        }
        for choice in self.made:
            *folders, key = choice.parameter.split(".")
            section = plan
            for folder in folders:
                section = section.setdefault(folder, {})
            section[key] = choice.value
        return validate_recipe(plan)


def recommend(at: Situation) -> tuple[Recipe, list[Choice], int, int]:
    """Recipe, choices, updates and estimated bytes for a situation."""
    choices = Choices()
    _adapter(at, choices)
    portions = _fit(at)
    _portions(at, portions, choices)
    updates = _duration(at, portions, choices)
    return choices.to_recipe(at), choices.made, updates, portions.bytes


def _adapter(at: Situation, choices: Choices) -> None:
    """What is trained, and how fast."""
    size = _count(at.num_parameters)
    if at.objective != "sft":
        choices.add("method.objective", at.objective, "As asked for.")
    if at.adapter != "lora":
        choices.add("method.adapter", at.adapter, "As asked for.")
    if at.adapter != "full":
        _lora(at, size, choices)
    rate = learning_rate(at.num_parameters, at.objective, at.adapter)
    choices.add(
        "training.learning_rate",
        rate,
        f"{size} parameters: the smaller the model, the higher the rate that it bears."
        + (" All weights bear a tenth of it." if at.adapter == "full" else "")
        + ("" if at.objective in IMITATES else " Comparing answers wants a third of it."),
        (float(f"{rate / 2:.2g}"), "the loss is unsteady, or old knowledge must not suffer"),
        (float(f"{rate * 2:.2g}"), "the loss falls too slowly"),
    )
    choices.add("training.scheduler", "cosine", "It falls to zero: the last updates settle.", ("linear", "one epoch"))
    choices.add("training.warmup_ratio", 0.05, "Small updates while the optimizer's averages are young.")
    choices.add(
        "training.precision",
        "auto",
        "bf16 where the device computes in it: less memory, the same result.",
        ("fp32", "losses are to be compared to the last digit"),
    )


def _lora(at: Situation, size: str, choices: Choices) -> None:
    """How large the adapter is."""
    is_small = at.num_parameters < SMALL_MODEL
    rank = 32 if is_small else 16
    choices.add(
        "method.lora.r",
        rank,
        f"{size} parameters: "
        + ("a small model needs a high rank to take in new facts." if is_small else "the usual."),
        (rank // 2, "memory is short, or only the tone of the answers is to change"),
        (rank * 2, "the data holds much that the model does not know"),
    )
    choices.add(
        "method.lora.alpha", 2 * rank, "Twice the rank: the update is scaled by 2.", (rank, "the loss is unsteady")
    )
    choices.add(
        "method.lora.target_modules",
        "all-linear",
        "All linear layers learn most for their memory.",
        ("auto", "memory is short: only a part of the attention"),
    )
    few = at.rows < FEW_ROWS
    choices.add(
        "method.lora.dropout",
        0.05 if few else 0.0,
        f"{at.rows} rows: " + ("a little dropout delays learning by heart." if few else "enough data needs none."),
        (0.0 if few else 0.05, "facts are to be learnt by heart" if few else "the evaluation loss rises early"),
    )


def learning_rate(num_parameters: int, objective: str = "sft", adapter: str = "lora") -> float:
    """The highest rate that a model of this size bears well."""
    rate = min(2e-3, max(5e-5, 2e-4 * (1e9 / max(num_parameters, 1)) ** (1 / 3)))
    share = (FULL_SHARE if adapter == "full" else 1.0) * (1.0 if objective in IMITATES else COMPARED_SHARE)
    return float(f"{rate * share:.2g}")


@dataclass(frozen=True)
class Portions:
    """What one sequence, one forward pass and one update hold."""

    needed: int
    max_length: int
    batch_size: int
    accumulated: int
    checkpointing: bool
    updates_per_epoch: int
    bytes: int

    @property
    def update_tokens(self) -> int:
        """Tokens of an update, padding included."""
        return self.max_length * self.batch_size * self.accumulated


def _fit(at: Situation) -> Portions:
    """Portions that fit into the memory that is free, with a margin."""
    context = at.context_length or 1 << 30
    needed = min(context, _rung(at.longest_tokens))
    wanted = int(min(max(at.total_tokens / PORTIONS_OF_AN_EPOCH, UPDATE_TOKENS[0]), UPDATE_TOKENS[1]))
    length = max(needed, min(context, PACKED_TOKENS.get(at.device, 512), _rung(wanted)))
    allowed = int(MEMORY_SHARE * at.available_memory_bytes)

    def is_too_much(length: int, batch: int, checkpointing: bool) -> bool:
        return _bytes(at, length, batch, checkpointing) > allowed

    while length > needed and is_too_much(length, 1, False):
        length = max(needed, _rung(length // 2))
    checkpointing = is_too_much(length, 1, False)
    while length > SHORTEST_CUT and is_too_much(length, 1, checkpointing):
        length = _rung(length // 2)
    batch = 1
    while at.device == "cuda" and 2 * batch * length <= wanted and not is_too_much(length, 2 * batch, checkpointing):
        batch *= 2
    accumulated = max(1, round(wanted / (batch * length)))
    kept = (0.9 if at.rows >= HELD_OUT_ROWS else 1.0) * at.total_tokens
    per_epoch = max(1, math.ceil(kept / (FILLED_SHARE * length * batch * accumulated)))
    taken = _bytes(at, length, batch, checkpointing)
    return Portions(needed, length, batch, accumulated, checkpointing, per_epoch, taken)


def _portions(at: Situation, portions: Portions, choices: Choices) -> None:
    """Say why the portions are as they are."""
    length, batch, checkpointing = portions.max_length, portions.batch_size, portions.checkpointing
    cut = at.longest_tokens > length
    choices.add(
        "training.max_length",
        length,
        f"The longest row has about {at.longest_tokens} tokens"
        + (", more than model or memory allow: it is cut." if cut else "; a packed sequence takes several rows."),
        *([(portions.needed, "memory is short")] if portions.needed < length else []),
    )
    choices.add(
        "training.packing",
        True,
        "Rows share a sequence and none sees another: the same result without padding.",
        (False, "you want one row to a sequence"),
    )
    one = "One packed sequence at a time is fastest on this device, and takes least memory."
    choices.add(
        "training.batch_size",
        batch,
        one if batch == 1 else f"{batch} packed sequences fit well into the free memory.",
        *([(batch // 2, "memory is short; double the accumulation")] if batch > 1 else []),
    )
    choices.add(
        "training.gradient_accumulation_steps",
        portions.accumulated,
        f"About {portions.update_tokens} tokens at a time: few rows need many small steps, many rows need steady ones.",
    )
    choices.add(
        "training.gradient_checkpointing",
        checkpointing,
        "Memory is short: activations are computed again." if checkpointing else "There is memory to keep activations.",
        (not checkpointing, "there is more memory after all" if checkpointing else "memory is short"),
    )


def _duration(at: Situation, portions: Portions, choices: Choices) -> int:
    """How long to train, how often to look, when to stop; answers the updates."""
    passes = math.ceil(FEWEST_UPDATES / portions.updates_per_epoch)
    epochs = float(min(MOST_PASSES, max(FEWEST_PASSES, passes)))
    updates = int(epochs * portions.updates_per_epoch)
    choices.add(
        "training.epochs",
        epochs,
        f"{portions.updates_per_epoch} updates an epoch: {epochs:g} passes make {updates}"
        + ("; fewer hardly change the model." if epochs > FEWEST_PASSES else "."),
        (max(1.0, epochs / 2), "the evaluation loss rises before the end"),
        (epochs * 2, "it still falls at the end"),
    )
    looks = max(1, updates // 10)
    if at.rows >= HELD_OUT_ROWS:
        choices.add(
            "data.split",
            {"train": 0.9, "validation": 0.1, "test": 0.0},
            "A tenth is held out, near duplicates together: without it nobody sees when learning by heart begins.",
        )
        choices.add("training.eval_steps", looks, "Ten looks at the held-out rows.")
        choices.add(
            "training.early_stopping",
            {"patience": 3, "min_delta": 0.0},
            "Three looks without gain end the run; the best checkpoint is the result.",
        )
    choices.add(
        "training.save_steps",
        looks,
        "A checkpoint at each look, so that the best one can be taken.",
        (500, "checkpoints are large"),
    )
    choices.add("training.keep_last_n", 2, "The last two, and the best one besides.")
    return updates


def _bytes(at: Situation, length: int, batch: int, checkpointing: bool) -> int:
    """Estimated memory of a run: process, weights and what learns with its moments, activations, logits."""
    batch *= 2 if at.objective in TWO_ANSWERS else 1
    weights = (FULL_BYTES if at.adapter == "full" else LORA_BYTES) * at.num_parameters
    activations = 48 * math.sqrt(at.num_parameters) * length * batch * (0.3 if checkpointing else 1.0)
    logits = LOGIT_BYTES * at.vocab_size * length * batch
    return int(PROCESS_BYTES + weights + activations + logits)


def _rung(tokens: float) -> int:
    return max(RUNG_TOKENS, math.ceil(tokens / RUNG_TOKENS) * RUNG_TOKENS)


def _count(number: int) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return str(number)
