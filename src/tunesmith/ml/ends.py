"""Which tokens end an answer."""

from __future__ import annotations

from typing import Any

from tunesmith.text import TextTokenizer


def end_ids(config: dict[str, Any], generation: dict[str, Any], tokenizer: TextTokenizer) -> list[int]:
    """Every token that ends an answer, of the generation settings, the configuration and the tokenizer, each once."""
    named = [generation.get("eos_token_id"), config.get("eos_token_id"), tokenizer.eos_id]
    flat = [i for entry in named if entry is not None for i in (entry if isinstance(entry, list) else [entry])]
    return list(dict.fromkeys(flat))
