"""Recommends a configuration for a model and a dataset that are here: looks at both, and at the memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tunesmith.db import Unit
from tunesmith.domains.datasets import DatasetService
from tunesmith.domains.models import ModelStore, ResolvedModel
from tunesmith.domains.training.recommending import Recommendation, Situation, recommend
from tunesmith.domains.training.short_form import hyperparameters_of
from tunesmith.kit.memory import available_bytes
from tunesmith.text import TextTokenizer

SAMPLED_ROWS = 200
TURN_TOKENS = 8
"""What a chat template adds to a turn."""
MARGIN, SAMPLE_MARGIN = 1.15, 1.5
"""How much longer the longest row may be than it was estimated, when all rows were looked at and when not."""


class Adviser:
    """Looks at model, data and machine, and recommends."""

    def __init__(self, *, models: ModelStore, datasets: DatasetService) -> None:
        self._models = models
        self._datasets = datasets

    async def recommend(
        self,
        unit: Unit,
        model: ResolvedModel,
        dataset_id: int,
        *,
        objective: str = "sft",
        adapter: str = "lora",
        available_memory_bytes: int | None = None,
    ) -> Recommendation:
        """A configuration for ``model`` and a dataset. Raises DatasetNotFoundError."""
        dataset = await self._datasets.get(unit, dataset_id)
        sample = await self._datasets.preview(unit, dataset_id, 0, SAMPLED_ROWS)
        lengths = await asyncio.to_thread(row_lengths, model.path, [row.data for row in sample.rows])
        rows = dataset.total_samples or len(lengths)
        margin = MARGIN if rows <= len(lengths) else SAMPLE_MARGIN
        at = Situation(
            model=model.reference,
            num_parameters=model.metadata.num_parameters,
            vocab_size=model.metadata.vocab_size,
            context_length=model.metadata.context_length,
            device=self._models.device(),
            available_memory_bytes=available_memory_bytes or self._free_bytes(),
            rows=rows,
            total_tokens=round(rows * sum(lengths) / max(1, len(lengths))),
            longest_tokens=round(margin * max(lengths, default=1)),
            train=f"dataset:{dataset.name}@{dataset.version}",
            objective=objective,
            adapter=adapter,
        )
        recipe, choices, updates, taken = recommend(at)
        plain = recipe.to_plain()
        return Recommendation(
            model=at.model,
            dataset_id=dataset.id,
            device=at.device,
            rows=rows,
            total_tokens=at.total_tokens,
            longest_tokens=at.longest_tokens,
            updates=updates,
            available_memory_bytes=at.available_memory_bytes,
            estimated_memory_bytes=taken,
            parameters=hyperparameters_of(plain),
            choices=choices,
            recipe=plain,
        )

    def _free_bytes(self) -> int:
        """Of the GPU where there is one, else of this machine or this memory group."""
        if self._models.device() == "cuda":
            return int(self._models.memory().available_gb * 1e9)
        return available_bytes()


def row_lengths(folder: Path, rows: list[Any]) -> list[int]:
    """About how many tokens each row has, its chat template included."""
    tokenizer = TextTokenizer.from_folder(folder)
    found = []
    for row in rows:
        texts = list(_texts(row))
        found.append(sum(len(tokenizer.encode(text).ids) for text in texts) + TURN_TOKENS * max(1, len(texts)))
    return found


def _texts(value: Any) -> list[str]:
    """The texts of a row; the names of roles are none."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, dict):
        return [text for name, part in value.items() if name not in ("role", "from", "id") for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []
