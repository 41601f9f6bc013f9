"""From token counts to an answer: percentiles, truncation, packing, steps and cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tunesmith.domains.datasets.exploration.histograms import histogram
from tunesmith.domains.datasets.schemas.exploration import LengthSummary
from tunesmith.domains.datasets.schemas.tokens import (
    AtLength,
    EpochCost,
    PackedAtLength,
    RefusedRow,
    TextTokens,
    TokenAnalysis,
    TokenAnalysisRequest,
)
from tunesmith.domains.datasets.tokens.counting import Named, TokenCounts
from tunesmith.domains.datasets.tokens.packing import packed_sequences

Integers = NDArray[np.int64]
VERSION = 1
"""Rises when the figures of the same content and tokenizer change."""
PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)
SHORTEST_RUNG = 64
RUNGS_PER_DOUBLING = 4


class Counted(BaseModel):
    """What a pass has counted, as it is kept: the different lengths of sequences, and how often each occurs."""

    version: int = Field(VERSION, description="Version of what is computed.")
    rows: int = Field(description="Rows that were counted.")
    rows_left_out: int = Field(description="Rows that cannot be trained on.")
    rows_refused: int = Field(description="Rows that the chat template refuses.")
    refused: list[RefusedRow] = Field(description="The first of them.")
    raw_tokens: int = Field(description="Tokens of the bare texts.")
    characters: int = Field(description="Their characters.")
    lengths: list[int] = Field(description="Different lengths of sequences, rising.")
    counts: list[int] = Field(description="Sequences of each length.")
    columns: list[TextTokens] = Field(description="Bare texts by column.")
    roles: list[TextTokens] = Field(description="Bare texts by role.")
    turns: list[TextTokens] = Field(description="Bare texts by place.")


def counted(found: TokenCounts) -> Counted:
    """What is kept of a pass."""
    lengths, counts = np.unique(np.frombuffer(found.sequences, dtype=np.uint32), return_counts=True)
    return Counted(
        rows=found.rows,
        rows_left_out=found.rows_left_out,
        rows_refused=found.rows_refused,
        refused=found.refused,
        raw_tokens=found.raw_tokens,
        characters=found.characters,
        lengths=lengths.tolist(),
        counts=counts.tolist(),
        columns=_named(found.columns),
        roles=_named(found.roles),
        turns=_named(found.turns),
    )


def analysis(
    kept: Counted, asked: TokenAnalysisRequest, about: dict[str, Any], look: Callable[[], None] = lambda: None
) -> TokenAnalysis:
    """The answer; ``about`` names the dataset and the model."""
    lengths, counts = np.array(kept.lengths, dtype=np.int64), np.array(kept.counts, dtype=np.int64)
    total = int((lengths * counts).sum())
    packed = []
    for length in asked.lengths:
        look()
        packed.append(_packed(lengths, counts, length, asked.batch_tokens))
    return TokenAnalysis(
        **about,
        rows=kept.rows,
        rows_left_out=kept.rows_left_out,
        rows_refused=kept.rows_refused,
        refused=kept.refused,
        sequences=int(counts.sum()),
        total_tokens=total,
        raw_tokens=kept.raw_tokens,
        template_tokens=total - kept.raw_tokens,
        characters=kept.characters,
        characters_per_token=kept.characters / kept.raw_tokens if kept.raw_tokens else None,
        per_sequence=_summary(lengths, counts),
        percentiles={f"p{p:g}": quantile(lengths, counts, p / 100) for p in PERCENTILES} if len(lengths) else {},
        histogram=histogram(
            lengths.astype(np.float64),
            counts.astype(np.float64),
            measure="tokens",
            bins=asked.bins,
            log=asked.log,
            total=int(counts.sum()),
        ),
        columns=kept.columns,
        roles=kept.roles,
        turns=kept.turns,
        lengths=packed,
        ladder=[_at(lengths, counts, rung) for rung in ladder(int(lengths.max(initial=0)))],
        epoch=_cost(packed[-1], asked),
    )


def quantile(lengths: Integers, counts: Integers, share: float) -> float:
    """A quantile of counted lengths, interpolated as numpy does by default; exact."""
    ends = np.cumsum(counts)
    at = share * (int(ends[-1]) - 1)
    low = int(lengths[np.searchsorted(ends, math.floor(at), side="right")])
    high = int(lengths[np.searchsorted(ends, math.ceil(at), side="right")])
    return low + (high - low) * (at - math.floor(at))


def ladder(longest: int) -> list[int]:
    """Lengths to choose from: four for each doubling, in steps that fit memory, until nothing is cut."""
    rungs: list[int] = []
    base = SHORTEST_RUNG
    while not rungs or rungs[-1] < longest:
        rungs += [base + step * base // RUNGS_PER_DOUBLING for step in range(RUNGS_PER_DOUBLING)]
        base *= 2
    return rungs[: next((at for at, rung in enumerate(rungs) if rung >= longest), len(rungs)) + 1]


def _named(found: Named) -> list[TextTokens]:
    kept = [(name, counts.summary()) for name, counts in found.items()]
    total = sum(summary.total for _, summary in kept if summary is not None)
    return [
        TextTokens(
            name=name[:200], tokens=summary.total, share=summary.total / total if total else 0.0, per_text=summary
        )
        for name, summary in kept
        if summary is not None
    ]


def _summary(lengths: Integers, counts: Integers) -> LengthSummary | None:
    if not len(lengths):
        return None
    n, total = int(counts.sum()), int((lengths * counts).sum())
    squares = float((counts * (lengths - total / n) ** 2).sum())
    q1, median, q3, p90, p95, p99 = (quantile(lengths, counts, share) for share in (0.25, 0.5, 0.75, 0.9, 0.95, 0.99))
    return LengthSummary(
        count=n,
        total=total,
        mean=total / n,
        std=math.sqrt(squares / (n - 1)) if n > 1 else None,
        min=int(lengths[0]),
        q1=q1,
        median=median,
        q3=q3,
        p90=p90,
        p95=p95,
        p99=p99,
        max=int(lengths[-1]),
        exact=True,
        relative_error=0.0,
    )


def _at(lengths: Integers, counts: Integers, length: int) -> AtLength:
    longer = lengths > length
    cut = int(((lengths - length) * counts)[longer].sum())
    truncated, total, n = int(counts[longer].sum()), int((lengths * counts).sum()), int(counts.sum())
    return AtLength(
        length=length,
        truncated=truncated,
        truncated_share=truncated / n if n else 0.0,
        tokens_kept=total - cut,
        tokens_cut=cut,
        tokens_cut_share=cut / total if total else 0.0,
    )


def _packed(lengths: Integers, counts: Integers, length: int, batch_tokens: int | None) -> PackedAtLength:
    at = _at(lengths, counts, length)
    kept, where = np.unique(np.minimum(lengths, length), return_inverse=True)
    sizes = np.bincount(where, weights=counts, minlength=len(kept)).astype(np.int64)
    some = kept > 0
    packed = packed_sequences(kept[some], sizes[some], length)
    longest, n = int(kept.max(initial=0)), int(counts.sum())
    batch = max(batch_tokens or length, length)
    return PackedAtLength(
        **at.model_dump(),
        packed_sequences=packed,
        packing_efficiency=at.tokens_kept / (packed * length) if packed else 0.0,
        padding_efficiency=at.tokens_kept / (n * longest) if n and longest else 0.0,
        steps_per_epoch=math.ceil(packed / (batch // length)),
        batch_tokens=batch,
    )


def _cost(longest: PackedAtLength, asked: TokenAnalysisRequest) -> EpochCost:
    price = asked.price_per_million_tokens
    tokens = round(longest.tokens_kept * asked.epochs)
    return EpochCost(
        length=longest.length,
        epochs=asked.epochs,
        tokens_per_epoch=longest.tokens_kept,
        tokens=tokens,
        steps=math.ceil(longest.steps_per_epoch * asked.epochs),
        price_per_million_tokens=price,
        cost_per_epoch=None if price is None else longest.tokens_kept / 1e6 * price,
        cost=None if price is None else tokens / 1e6 * price,
    )
