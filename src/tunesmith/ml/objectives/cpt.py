"""Continued pre-training: plain text, every token of it. A text longer than a sequence goes on in the next one."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tunesmith.ml.objectives.objective import Examples, Tell
from tunesmith.ml.objectives.sft import Supervised
from tunesmith.ml.rows import tokenize_texts


class ContinuedPretraining(Supervised):
    """Cross entropy over every token."""

    name: ClassVar[str] = "cpt"

    def read(self, file: Path, tell: Tell) -> Examples:
        """Texts, each from the beginning-of-text token, where the model has one, to the end-of-text token."""
        tokenizer = self.texts.tokenizer
        rows = self._rows(file, "whole-texts", tell, lambda: tokenize_texts(file, tokenizer, self.max_length))
        batches = self._batches(file, rows, tell)
        if rows.divided:
            tell(
                f"{rows.divided} texts are longer than {self.max_length} tokens and were divided; nothing of them is lost",
                "info",
            )
        return batches
