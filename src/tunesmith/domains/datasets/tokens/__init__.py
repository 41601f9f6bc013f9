"""Tokens of a dataset: counted as the trainer will, and what a maximum length, packing and a price make of them."""

from tunesmith.domains.datasets.tokens.counting import TokenCounts, count_tokens
from tunesmith.domains.datasets.tokens.packing import packed_sequences
from tunesmith.domains.datasets.tokens.report import VERSION, Counted, analysis, counted
from tunesmith.domains.datasets.tokens.sequences import Tokenization

__all__ = [
    "VERSION",
    "Counted",
    "TokenCounts",
    "Tokenization",
    "analysis",
    "count_tokens",
    "counted",
    "packed_sequences",
]
