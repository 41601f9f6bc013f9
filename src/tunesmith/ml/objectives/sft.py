"""Supervised fine-tuning: the assistant's tokens, each as likely as can be."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch.nn.functional as F

from tunesmith.ml.objectives.objective import Examples, Objective, Outcome, Tell
from tunesmith.ml.policy import Batch, Policy, target_places
from tunesmith.ml.rows import Batches, TokenRows, tokenize_file
from tunesmith.text import IGNORED


class Supervised(Objective):
    """Cross entropy over the assistant's tokens."""

    name: ClassVar[str] = "sft"

    def read(self, file: Path, tell: Tell) -> Examples:
        """Conversations, packed when the recipe wants it."""
        rows = tokenize_file(file, self.texts.tokenizer, self.texts.template, self.max_length)
        return self._batches(file, rows, tell)

    def _batches(self, file: Path, rows: TokenRows, tell: Tell) -> Batches:
        packing = self.recipe.training.packing
        batches = Batches(rows, packing=packing, max_length=self.max_length, pad_id=self.texts.pad_id)
        tell(
            f"{file.name}: {len(rows)} rows in {len(batches)} sequences, {len(rows.input_ids)} tokens, "
            f"{int(rows.trained.sum())} of them trained on; {rows.cut} rows cut to {self.max_length} tokens",
            "info",
        )
        if rows.without_target:
            named = ", ".join(map(str, rows.without_target[:10]))
            tell(f"{len(rows.without_target)} rows have no answer to learn and are left out: {named}", "warning")
        return batches

    def outcome(self, policy: Policy, batch: Batch) -> Outcome:
        """Cross entropy, summed. The head runs only where at least one line has a target."""
        places = target_places(batch["targets"])
        logits = policy.logits(batch, places)
        loss = F.cross_entropy(
            logits.flatten(0, 1), batch["targets"][:, places].flatten(), ignore_index=IGNORED, reduction="sum"
        )
        return Outcome({"tokens": loss})
