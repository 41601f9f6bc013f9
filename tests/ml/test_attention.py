"""Attention document by document: each document of a packed batch gets what it gets alone, and gives the same gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.masking_utils import (
    and_masks,
    blockwise_overlay,
    causal_mask_function,
    chunked_causal_mask_function,
    or_masks,
    packed_sequence_mask_function,
    sliding_window_causal_mask_function,
)

from tests.ml import training_runs as runs
from tests.ml.documents import batches_of, documents, tiny
from tunesmith.ml import attention
from tunesmith.ml.attention import NAME, Documents, attend_by_document
from tunesmith.ml.policy import Policy

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama, grouped heads": ("llama", {"num_key_value_heads": 2}),
    "qwen3, norms of heads": ("qwen3", {"num_key_value_heads": 1, "head_dim": 16}),
    "mistral, window shorter than rows": ("mistral", {"num_key_value_heads": 2, "sliding_window": 4}),
    "mistral, window longer than rows": ("mistral", {"num_key_value_heads": 2, "sliding_window": 64}),
    "gemma2, soft caps and windows": ("gemma2", {"head_dim": 16, "sliding_window": 4, "attn_logit_softcapping": 2.0}),
    "gemma3, two kinds of layers": ("gemma3_text", {"head_dim": 16, "sliding_window": 4}),
    "gpt2, learnt positions": ("gpt2", {"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0}),
    "phi3, one projection": ("phi3", {"num_key_value_heads": 2, "pad_token_id": 0}),
}


def loss_and_gradients(model: Any, batches: list[dict[str, Any]]) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    total = torch.zeros(())
    for batch in batches:
        total = total - Policy(model, None).token_log_probs(batch).sum()
    total.backward()
    return total.item(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("name", FAMILIES)
def test_packed_is_each_document_alone(name: str, checkpointing: bool) -> None:
    """Loss and gradients: packed, padded, and each document in a batch of its own (which needs no mask of ours)."""
    family, extra = FAMILIES[name]
    model = tiny(family, **extra)
    rows = documents()
    if checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
        model.train()
    alone, gradients = loss_and_gradients(model, batches_of(rows, packing=False, together=False))
    assert attend_by_document(model, None)
    assert model.config._attn_implementation == NAME
    for packing in (True, False):
        loss, found = loss_and_gradients(model, batches_of(rows, packing=packing, together=True))
        assert loss == pytest.approx(alone, rel=1e-6, abs=1e-4), packing
        assert set(found) == set(gradients)
        for key, gradient in gradients.items():
            largest = max(float(gradient.abs().max()), 1e-3)
            assert float((found[key] - gradient).abs().max()) < 1e-4 * largest, (packing, key)


def test_no_mask_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for packed nor for padded batches, where rows fit into the window."""
    model = tiny("mistral", num_key_value_heads=2, sliding_window=64)
    assert attend_by_document(model, None)
    drawn = []
    monkeypatch.setattr(attention, "sdpa_mask", lambda **what: drawn.append(what))
    for packing in (True, False):
        (batch,) = batches_of(documents(), packing=packing, together=True)
        Policy(model, None).log_probs(batch)
    assert not drawn


POSITIONS = torch.tensor([[0, 0, 0, 0, 1, 1, 2, 3], [0, 0, 0, 1, 1, 1, 1, 1]])
PACKED = packed_sequence_mask_function(POSITIONS)
CHUNKS = chunked_causal_mask_function(2, torch.zeros(2, dtype=torch.long))
BLOCKS = blockwise_overlay(torch.tensor([[-1, 0, 0, -1, -1, -1, -1, -1], [-1] * 8]))


@pytest.mark.parametrize(
    ("mask", "lengths"),
    [
        (and_masks(causal_mask_function, PACKED), [4, 2, 1, 1, 3, 5]),
        (and_masks(sliding_window_causal_mask_function(5), PACKED), [4, 2, 1, 1, 3, 5]),
        (and_masks(CHUNKS, PACKED), [2, 2, 2, 1, 1, 2, 1, 1, 2, 2]),
        (and_masks(sliding_window_causal_mask_function(3), PACKED), None),
        (or_masks(and_masks(causal_mask_function, PACKED), BLOCKS), None),
        (lambda b, h, q, k: (q >= 0) & (k >= 0), None),
        (lambda b, h, q, k: k < q, None),
    ],
)
def test_documents_stand_for_the_mask_that_would_be_drawn(mask: Any, lengths: list[int] | None) -> None:
    found = Documents.find(mask, 2, 8, "cpu")
    assert (found and found.lengths) == lengths
    if found:
        assert found.borders.tolist() == [0, *torch.tensor(lengths).cumsum(0).tolist()]
        places, lines = torch.arange(8), torch.arange(2).view(2, 1, 1, 1)
        head = torch.zeros(1, 1, 1, 1, dtype=torch.long)
        assert found.mask.equal(mask(lines, head, places[:, None], places[None]).expand(2, 1, 8, 8))


def test_a_model_that_handles_masks_itself_stays_as_it_was() -> None:
    """One that adds something to its mask: the rehearsal meets what is no tensor, and the old attention goes on."""
    model = tiny("llama")
    layer = model.model.layers[0]
    inner = layer.forward

    def adds(*args: Any, attention_mask: Any = None, **rest: Any) -> Any:
        return inner(*args, attention_mask=attention_mask & torch.ones(1, dtype=torch.bool), **rest)

    layer.forward = adds
    assert not attend_by_document(model, None)
    assert model.config._attn_implementation == "sdpa"


def test_a_model_that_attends_otherwise_stays_as_it_was() -> None:
    """One whose attention gets more than the interface knows: the results differ, and the old attention goes on."""
    model = tiny("llama")
    module = model.model.layers[1].self_attn
    inner = module.forward

    def scaled(*args: Any, **rest: Any) -> Any:
        factor = 1.0 if module.config._attn_implementation == "sdpa" else 1.5
        out, weights = inner(*args, **rest)
        return out * factor, weights

    module.forward = scaled
    assert not attend_by_document(model, None)
    assert model.config._attn_implementation == "sdpa"


def test_a_run_says_how_it_attends(tmp_path: Path) -> None:
    model, rows = runs.tiny_model(tmp_path / "model"), runs.write_rows(tmp_path / "rows.jsonl", 4)
    run = runs.new_attempt(tmp_path, 1, model, runs.recipe(model, max_steps=1), rows)
    runs.train(run)
    told = [event.message for event in runs.events(run) if event.type == "log"]
    assert any("attention document by document" in line for line in told)
