"""What is asked of a token analysis, and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tunesmith.domains.datasets.schemas.exploration import Histogram, LengthSummary

Length = Annotated[int, Field(ge=8, le=2**20)]


class TokenAnalysisRequest(BaseModel):
    """Which tokenizer, and which lengths to try."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"model": "tunesmith/tiny", "lengths": [512, 2048], "batch_tokens": 16384}]},
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="Model whose tokenizer and chat template count; default is the current one, else `tunesmith/tiny`.",
    )
    lengths: list[Length] = Field(
        default=[512, 1024, 2048, 4096],
        min_length=1,
        max_length=20,
        description="Maximum lengths in tokens for which truncation, packing and steps are told.",
    )
    batch_tokens: int | None = Field(
        None, ge=8, le=2**30, description="Tokens of one update; default is one sequence of the maximum length."
    )
    epochs: float = Field(1, gt=0, le=1000, description="Passes over the data for the cost.")
    price_per_million_tokens: float | None = Field(
        None, ge=0, le=1e9, description="Price of a million trained tokens, in any currency."
    )
    bins: int = Field(20, ge=1, le=200, description="Bars of the histogram.")
    log: bool = Field(False, description="Bars that grow by a constant factor.")

    @field_validator("lengths")
    @classmethod
    def _in_order(cls, value: list[int]) -> list[int]:
        return sorted(set(value))


class TextTokens(BaseModel):
    """Tokens of the bare texts of one column, role or turn, without the chat template."""

    name: str = Field(description="Column, role, or place of the turn from 1 (`21+`: all later ones).")
    tokens: int = Field(description="Their sum.")
    share: float = Field(description="Share of all bare texts of this kind.")
    per_text: LengthSummary = Field(description="Tokens of each text.")


class AtLength(BaseModel):
    """What a maximum length does to the data."""

    length: int = Field(description="Maximum length in tokens.")
    truncated: int = Field(description="Sequences that are longer, and so lose their end.")
    truncated_share: float = Field(description="Their share.")
    tokens_kept: int = Field(description="Tokens that remain.")
    tokens_cut: int = Field(description="Tokens that are lost.")
    tokens_cut_share: float = Field(description="Their share.")


class PackedAtLength(AtLength):
    """The same, with what packing and padding make of it."""

    packed_sequences: int = Field(
        description="Sequences after packing: best fit, longest first, on the real lengths, as the trainer packs."
    )
    packing_efficiency: float = Field(description="Tokens as a share of the room in packed sequences.")
    padding_efficiency: float = Field(description="Tokens as a share of the room when each is padded to the longest.")
    steps_per_epoch: int = Field(description="Updates in one pass, packed, with `batch_tokens` in each.")
    batch_tokens: int = Field(description="Tokens of one update.")


class EpochCost(BaseModel):
    """What training reads, at the longest of the lengths."""

    length: int = Field(description="Maximum length that is assumed.")
    epochs: float = Field(description="Passes over the data.")
    tokens_per_epoch: int = Field(description="Tokens of one pass after truncation.")
    tokens: int = Field(description="Tokens of all passes.")
    steps: int = Field(description="Updates of all passes.")
    price_per_million_tokens: float | None = Field(description="Price that was given.")
    cost_per_epoch: float | None = Field(description="Price of one pass; null without a price.")
    cost: float | None = Field(description="Price of all passes; null without a price.")


class RefusedRow(BaseModel):
    """A row that the chat template does not take."""

    row: int = Field(description="Row number, from 1.")
    message: str = Field(description="Why.")


class TokenAnalysis(BaseModel):
    """Tokens of a dataset, counted as the trainer will."""

    dataset_id: int = Field(description="Dataset that was counted.")
    model: str = Field(description="Model whose tokenizer and chat template count.")
    tokenizer_sha256: str = Field(description="SHA-256 of its tokenizer.json.")
    template_sha256: str | None = Field(description="SHA-256 of its chat template; null when it has none.")
    vocab_size: int = Field(description="Entries of the tokenizer.")
    context_length: int | None = Field(description="Tokens that the model can read.")
    rows: int = Field(description="Rows that were counted.")
    rows_left_out: int = Field(description="Rows that cannot be trained on: the doctor's red findings have them.")
    refused: list[RefusedRow] = Field(description="The first 20 rows that the chat template refuses.")
    rows_refused: int = Field(description="How many rows the chat template refuses.")
    sequences: int = Field(description="Sequences that training reads: one a row, two for a preference pair.")
    total_tokens: int = Field(description="Tokens of all sequences, with the chat template.")
    raw_tokens: int = Field(description="Tokens of the bare texts of the turns.")
    template_tokens: int = Field(description="What the chat template adds.")
    characters: int = Field(description="Characters of the bare texts of the turns.")
    characters_per_token: float | None = Field(description="Characters for each token of the bare texts.")
    per_sequence: LengthSummary | None = Field(description="Tokens of each sequence, with the chat template.")
    percentiles: dict[str, float] = Field(description="Of the same: p1, p5, p10, p25, p50, p75, p90, p95, p99, p99.9.")
    histogram: Histogram | None = Field(description="Of the same.")
    columns: list[TextTokens] = Field(description="Bare texts by column.")
    roles: list[TextTokens] = Field(
        description="Bare texts by role; the answers of a pair are `chosen` and `rejected`, plain text is `text`."
    )
    turns: list[TextTokens] = Field(description="Bare texts by place in the conversation.")
    lengths: list[PackedAtLength] = Field(description="What each of the lengths that were asked for does.")
    ladder: list[AtLength] = Field(description="Truncation at lengths from 64 up to the longest sequence.")
    epoch: EpochCost = Field(description="What training reads, and its price.")
