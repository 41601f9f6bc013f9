"""Tiny models in memory and random documents in packed or padded batches."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tunesmith.ml.rows import Batches, TokenRows

LENGTHS = [11, 7, 7, 5, 3, 12, 2]


def tiny(family: str, **extra: Any) -> Any:
    """A random model whose attention matters."""
    torch.manual_seed(3)
    config = AutoConfig.for_model(
        family,
        **{
            "vocab_size": 64,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 64,
            "initializer_range": 0.3,
            "bos_token_id": None,
            "eos_token_id": None,
            "attn_implementation": "eager" if family == "gemma2" else "sdpa",
            **extra,
        },
    )
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def documents() -> TokenRows:
    """Random documents, all of them trained on."""
    starts = torch.tensor([0, *LENGTHS]).cumsum(0)
    ids = torch.randint(0, 64, (int(starts[-1]),), generator=torch.Generator().manual_seed(5))
    trained = torch.ones(len(ids), dtype=torch.bool)
    return TokenRows(ids.int().numpy(), trained.numpy(), starts.numpy())


def batches_of(rows: TokenRows, *, packing: bool, together: bool) -> list[dict[str, Any]]:
    made = Batches(rows, packing=packing, max_length=20, pad_id=0)
    numbers = [{"sequence": i} for i in range(len(made))]
    return [made.collate(numbers)] if together else [made.collate([number]) for number in numbers]
