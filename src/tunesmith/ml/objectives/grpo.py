"""Group-relative policy optimisation (Shao et al. 2024, arXiv 2402.03300).

For each question the model gives several answers; rules of the recipe give them points, and each answer's advantage is how
far its points lie from the mean of its group, divided by the group's spread (unless ``scale_rewards`` is off: Dr. GRPO, Liu
et al. 2025, 2503.20783). Each group is used for one update, so the policy gradient needs no clipping; it is a mean over all
answer tokens of the update (DAPO, Yu et al. 2025, 2503.14476). ``beta`` adds the k3 estimate of the divergence from the base.

What is drawn depends on seed, update and place alone: a resumed run draws the same answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from tunesmith.kit.errors import TunesmithError
from tunesmith.ml.decode import Row, TextStream, continue_rows
from tunesmith.ml.failures import data_failure
from tunesmith.ml.objectives.objective import Examples, Figures, Objective, Outcome, Tell
from tunesmith.ml.objectives.pairs import Answered, Lines
from tunesmith.ml.objectives.rewards import points
from tunesmith.ml.policy import Batch, Policy, target_places
from tunesmith.ml.rows import read_rows
from tunesmith.text import IGNORED
from tunesmith.wire.methods import GrpoSection
from tunesmith.wire.serving import GenerateRequest

EVALUATION = -1
LINES_AT_ONCE = 64


@dataclass(frozen=True)
class Question:
    """Token ids of a prompt, and what its row says that rules may compare with."""

    prompt_ids: list[int]
    columns: dict[str, Any]


class Questions:
    """Questions by number; their answers come when an update begins."""

    def __init__(self, questions: list[Question], cut: int = 0) -> None:
        self.questions = questions
        self.cut = cut

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each prompt."""
        return [len(question.prompt_ids) for question in self.questions]

    def collate(self, examples: Iterable[dict[str, int]]) -> Batch:
        """The questions; ``GroupRelative.prepare`` fills in the rest."""
        asked = [self.questions[example["sequence"]] for example in examples]
        return {"asked": asked, "tokens": 0, "counts": {"tokens": 0, "rows": 0}}


class GroupRelative(Objective):
    """Answers that earn more than their group's mean become likelier."""

    name: ClassVar[str] = "grpo"
    loss_tells_progress: ClassVar[bool] = False
    """A policy gradient's loss is no measure: its advantages add up to nothing."""

    @property
    def plan(self) -> GrpoSection:
        """Its settings."""
        return self.recipe.method.grpo or GrpoSection()

    @property
    def needs_reference(self) -> bool:
        """Only when the distance to the base is penalised."""
        return self.plan.beta > 0

    def read(self, file: Path, tell: Tell) -> Examples:
        """Conversations: what comes before the last answer is the question, the answer is the column ``answer``."""
        found, unasked, longest = [], [], 0
        most = self.max_length - self.plan.max_new_tokens
        if most < 1:
            raise data_failure(
                f"training.max_length {self.max_length} leaves no room for a question beside "
                f"{self.plan.max_new_tokens} new tokens.",
                "Raise training.max_length or lower method.grpo.max_new_tokens.",
            )
        for number, row in read_rows(file):
            messages = row["messages"]
            last = next((i for i, m in reversed(list(enumerate(messages))) if m.get("role") == "assistant"), None)
            if not last:
                unasked.append(number)
                continue
            try:
                tools = {"tools": row["tools"]} if row.get("tools") else {}
                text = self.texts.template.render(messages[:last], add_generation_prompt=True, **tools)
            except TunesmithError as error:
                raise data_failure(f"Row {number}: {error.message}", error.hint) from error
            ids = self.texts.tokenizer.encode(text).ids
            longest += len(ids) > most
            columns = {**(row.get("columns") or {}), "answer": messages[last].get("content") or ""}
            found.append(Question(ids[-most:], columns))
        if not found:
            raise data_failure(
                f"There is nothing to ask: no row of {file.name} has a question before an answer.",
                "Rows need a user's message and the assistant's answer that rules compare with.",
            )
        self._check_columns(found)
        tell(f"{file.name}: {len(found)} questions; {longest} cut at their beginning to {most} tokens", "info")
        if unasked:
            tell(f"{len(unasked)} rows have no question with an answer and are left out", "warning")
        return Questions(found, longest)

    def _check_columns(self, found: list[Question]) -> None:
        for rule in self.plan.rewards:
            if rule.column and not any(rule.column in question.columns for question in found):
                there = sorted({name for question in found[:100] for name in question.columns})
                raise data_failure(
                    f"A reward compares with the column {rule.column!r}, which no row has.",
                    f"The rows have {', '.join(there)}.",
                )

    def prepare(self, policy: Policy, batches: list[Batch], update: int) -> None:
        """Draw the answers of an update (one greedy answer each in an evaluation) and give them their points."""
        with policy.evaluating():
            for place, batch in enumerate(batches):
                batch |= self._answered(policy, batch.pop("asked"), update, place)

    def _answered(self, policy: Policy, asked: list[Question], update: int, place: int) -> Batch:
        count = 1 if update == EVALUATION else self.plan.generations
        temperature = 0.0 if update == EVALUATION else self.plan.temperature
        rows = []
        for index, question in enumerate(question for question in asked for _ in range(count)):
            seed = _seed(self.recipe.seed, update, place, index)
            request = GenerateRequest(
                prompt="-",
                max_new_tokens=self.plan.max_new_tokens,
                temperature=temperature,
                top_p=self.plan.top_p,
                seed=seed,
            )
            stream = TextStream(self.texts.tokenizer.decode, ())
            rows.append(Row(index, question.prompt_ids, request, stream, self.plan.max_new_tokens))
        ends = frozenset(i for i in (self.texts.tokenizer.eos_id, *_ends(policy.model)) if i is not None)
        device = next(policy.model.parameters()).device
        for first in range(0, len(rows), LINES_AT_ONCE):
            part = rows[first : first + LINES_AT_ONCE]
            with torch.no_grad():
                for _ in continue_rows(policy.next_token, part, ends, self.texts.pad_id, device):
                    pass
        earned = [points(self.plan.rewards, row.text, asked[row.index // count].columns) for row in rows]
        return self._lines(rows, torch.tensor(earned), count, is_evaluation=update == EVALUATION)

    def _lines(self, rows: list[Row], earned: torch.Tensor, count: int, *, is_evaluation: bool) -> Batch:
        said = [row.token_ids + ([] if row.stop_token_id is None else [row.stop_token_id]) for row in rows]
        answers = [Answered(row.prompt_ids + ids, len(row.prompt_ids)) for row, ids in zip(rows, said, strict=True)]
        batch = Lines(answers).tensors(range(len(answers)), self.texts.pad_id)
        groups = earned.view(-1, count)
        advantages = groups - groups.mean(-1, keepdim=True)
        spread = groups.std(-1, keepdim=True) if count > 1 else torch.zeros_like(advantages)
        if self.plan.scale_rewards:
            advantages = advantages / (spread + 1e-4)
        trained = int((batch["targets"] != IGNORED).sum())
        return batch | {
            "rewards": earned,
            "advantages": advantages.flatten(),
            "spread": float(spread.mean()),
            "is_evaluation": is_evaluation,
            "counts": {"tokens": trained, "rows": len(rows)},
        }

    def outcome(self, policy: Policy, batch: Batch) -> Outcome:
        """The policy gradient over answer tokens; in an evaluation the lack of points, so that less is better."""
        rewards = batch["rewards"].double()
        figures: Figures = {
            "reward": (float(rewards.sum()), len(rewards)),
            "answer_tokens": (batch["counts"]["tokens"], len(rewards)),
        }
        if batch["is_evaluation"]:
            return Outcome({"rows": -rewards.sum()}, figures)
        figures["reward_spread"] = (batch["spread"], 1)
        drawn_at = self.plan.temperature  # the probabilities by which the answers were drawn
        before = policy.reference_token_log_probs(batch, drawn_at) if self.plan.beta else None
        log_probs = policy.token_log_probs(batch, drawn_at)
        gains = torch.exp(log_probs - log_probs.detach()) * batch["advantages"].to(log_probs)[:, None]
        targets = batch["targets"]
        said = targets[:, target_places(targets)] != IGNORED
        losses = -gains
        if before is not None:
            away = torch.exp(before - log_probs) - (before - log_probs) - 1
            losses = losses + self.plan.beta * away
            figures["kl"] = (float((away * said).sum().detach()), batch["counts"]["tokens"])
        return Outcome({"tokens": (losses * said).sum()}, figures)


def _seed(*parts: int) -> int:
    digest = hashlib.sha256(",".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big")


def _ends(model: Any) -> list[int]:
    named = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    return named if isinstance(named, list) else [named] if named is not None else []
