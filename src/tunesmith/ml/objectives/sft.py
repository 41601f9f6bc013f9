"""Supervised fine-tuning: the assistant's tokens, each as likely as can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from tunesmith.ml.objectives.objective import Examples, Objective, Outcome, Tell
from tunesmith.ml.policy import Batch, Policy
from tunesmith.ml.rows import Batches, TokenRows, tokenize_file


class Supervised(Objective):
    """Cross entropy over the assistant's tokens."""

    name: ClassVar[str] = "sft"

    def read(self, file: Path, tell: Tell) -> Examples:
        """Conversations, packed when the recipe wants it."""
        texts = self.texts
        rows = self._rows(
            file, "messages", tell, lambda: tokenize_file(file, texts.tokenizer, texts.template, self.max_length)
        )
        return self._batches(file, rows, tell)

    def _rows(self, file: Path, kind: str, tell: Tell, tokenize: Callable[[], TokenRows]) -> TokenRows:
        rows, was_there = self.texts.cache.rows(file, self.texts.folder, kind, self.max_length, tokenize)
        if was_there:
            tell(f"{file.name}: tokenised before, with the same tokenizer and template", "info")
        return rows

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
        """Cross entropy, summed."""
        return Outcome({"tokens": policy.summed_loss(batch)})
