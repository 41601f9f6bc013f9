"""Learning from answers marked good or bad (Ethayarajh et al. 2024, arXiv 2402.01306, equation 7).

A good answer costs λ_D (1 - σ(β (r - z))), a bad one λ_U (1 - σ(β (z - r))), where r is the answer's log-ratio to the reference
and z, the drift of the model from it, is estimated from answers that belong to other prompts: never below 0, and without a
gradient. Which answer lends itself to which prompt depends on the file alone, so a resumed run meets the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import torch

from tunesmith.ml.failures import data_failure
from tunesmith.ml.objectives.objective import Examples, Figures, Objective, Outcome, Tell
from tunesmith.ml.objectives.pairs import Answered, Lines, answer_of, fit
from tunesmith.ml.policy import Batch, Policy
from tunesmith.ml.rows import read_rows
from tunesmith.text import IGNORED
from tunesmith.wire.methods import KtoSection


class Labelled:
    """Answers with their marks, and each prompt with the answer to another one."""

    def __init__(
        self, answers: list[Answered], strangers: list[Answered], good: list[bool], pad_id: int, cut: int = 0
    ) -> None:
        self._lines = Lines(answers)
        self._strangers = Lines(strangers)
        self.good = good
        self.cut = cut
        self._pad_id = pad_id

    def __len__(self) -> int:
        return len(self.good)

    @property
    def lengths(self) -> list[int]:
        """Tokens of an answer with its prompt, and of the stranger with it."""
        return [len(a) + len(b) for a, b in zip(self._lines.answers, self._strangers.answers, strict=True)]

    def collate(self, examples: Iterable[dict[str, int]]) -> Batch:
        """The answers, and beside them (``stranger_…``) the same prompts with answers to others."""
        numbers = [example["sequence"] for example in examples]
        batch = self._lines.tensors(numbers, self._pad_id)
        other = self._strangers.tensors(numbers, self._pad_id)
        batch |= {f"stranger_{name}": other[name] for name in ("input_ids", "position_ids", "targets")}
        batch["good"] = torch.tensor([self.good[number] for number in numbers])
        trained = int((batch["targets"] != IGNORED).sum())
        return batch | {"counts": {"tokens": trained, "rows": len(numbers)}}


class KahnemanTversky(Objective):
    """Good answers gain over the reference, bad ones lose."""

    name: ClassVar[str] = "kto"

    @property
    def needs_reference(self) -> bool:
        """Always: it is what the gain is measured from."""
        return True

    def read(self, file: Path, tell: Tell) -> Examples:
        """Labelled answers; a preference pair gives a good and a bad one."""
        prompts: list[list[dict[str, Any]]] = []
        rows: list[tuple[int, dict[str, Any], str, bool]] = []
        for number, row in read_rows(file):
            for name, mark in _answers(row):
                rows.append((number, row, name, mark))
                prompts.append(row["prompt"])
        answers: list[Answered] = []
        strangers: list[Answered] = []
        cut = 0
        for at, (number, row, name, _) in enumerate(rows):
            lender = _stranger(prompts, at)
            own = answer_of(number, row, name, self.texts)
            lent = {**row, "lent": rows[lender][1][rows[lender][2]]}
            (own,), was_cut = fit((own,), self.max_length)
            (other,), _ = fit((answer_of(number, lent, "lent", self.texts),), self.max_length)
            cut += was_cut
            answers.append(own)
            strangers.append(other)
        good = [row[3] for row in rows]
        if not good:
            raise data_failure(f"There is nothing to learn: {file.name} has no rows.", "Give it labelled answers.")
        tell(
            f"{file.name}: {sum(good)} good and {len(good) - sum(good)} bad answers, {sum(map(len, answers))} tokens; "
            f"{cut} cut to {self.max_length} tokens (the prompt's beginning first, then the answer's end)",
            "info",
        )
        return Labelled(answers, strangers, good, self.texts.pad_id, cut)

    def check(self, examples: Examples, name: str) -> None:
        """Good and bad answers are both needed; what is only evaluated may have one kind."""
        good = examples.good if isinstance(examples, Labelled) else []
        if all(good) or not any(good):
            raise data_failure(
                f"There is nothing to compare: all {len(good)} answers of {name} are marked {'good' if all(good) else 'bad'}.",
                "Rows need answers of both kinds; to learn from good ones alone use objective sft.",
            )

    def outcome(self, policy: Policy, batch: Batch) -> Outcome:
        """The loss over rows; rewards of good and bad answers, and how often the mark can be told from them."""
        plan = self.recipe.method.kto or KtoSection()
        gains = policy.log_probs_gained(batch)
        good = batch["good"]
        drift = torch.zeros((), device=gains.device)
        if plan.loss == "kto":
            stranger = {name: batch[f"stranger_{name}"] for name in ("input_ids", "position_ids", "targets")}
            with torch.no_grad():
                drift = policy.log_probs_gained(stranger).mean().clamp(min=0)
        good_loss = plan.desirable_weight * (1 - torch.sigmoid(plan.beta * (gains - drift)))
        bad_loss = plan.undesirable_weight * (1 - torch.sigmoid(plan.beta * (drift - gains)))
        losses = torch.where(good, good_loss, bad_loss)
        rewards = (plan.beta * gains).detach().double()
        right = torch.where(good, rewards > 0, rewards < 0).sum() + 0.5 * (rewards == 0).sum()
        figures: Figures = {
            "accuracy": (float(right), len(good)),
            "reward_good": (float(rewards[good].sum()), int(good.sum())),
            "reward_bad": (float(rewards[~good].sum()), int((~good).sum())),
            "kl": (float(drift), 1),
        }
        return Outcome({"rows": losses.sum()}, figures)


def _answers(row: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    if "completion" in row:
        yield "completion", bool(row["label"])
    else:
        yield from (("chosen", True), ("rejected", False))


def _stranger(prompts: list[Any], at: int) -> int:
    """The next row, in a circle, whose prompt is another; itself when there is none."""
    for step in range(1, len(prompts)):
        other = (at + step) % len(prompts)
        if prompts[other] != prompts[at]:
            return other
    return at
