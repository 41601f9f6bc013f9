"""The held-out loss by a plain loop: one row at a time, transformers, labels found by rendering with and without the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def plain_loss(folder: Path, conversations: list[list[dict[str, Any]]]) -> float:
    """Mean loss over the tokens of the assistant, end of turn included."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    total, count = 0.0, 0
    for messages in conversations:
        prompt = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
        before = len(tokenizer(prompt, add_special_tokens=False).input_ids)
        ids = tokenizer(prompt + messages[-1]["content"] + "<|im_end|>", add_special_tokens=False).input_ids
        with torch.no_grad():
            predicted = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        for at in range(before, len(ids)):
            total -= float(predicted[at - 1, ids[at]])
            count += 1
    return total / count
