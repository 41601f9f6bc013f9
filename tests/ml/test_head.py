"""The loss in pieces is the loss at once, gradients too; a head with something behind it is left alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.ml.documents import batches_of, documents, tiny
from tunesmith.ml import head
from tunesmith.ml.policy import Policy


def found(model: Any, compute: torch.dtype | None) -> tuple[float, float, dict[str, torch.Tensor]]:
    """Loss with and without a gradient, and the gradients."""
    model.zero_grad()
    (batch,) = batches_of(documents(), packing=True, together=True)
    policy = Policy(model, compute)
    loss = policy.summed_loss(batch)
    (loss / 3).backward()
    with torch.no_grad():
        silent = policy.summed_loss(batch)
    return loss.item(), silent.item(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PEFT asks transformers by a deprecated name
@pytest.mark.parametrize("compute", [None, torch.bfloat16])
@pytest.mark.parametrize("adapter", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_loss_in_pieces_is_the_loss(
    tied: bool, adapter: bool, compute: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny("llama", num_key_value_heads=2, tie_word_embeddings=tied)
    if adapter:
        model = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    whole = found(model, compute)
    monkeypatch.setattr(head, "LOGITS_BYTES", 0)
    monkeypatch.setattr(head, "PIECE_BYTES", 4 * 64 * 5)  # five targets
    seen: list[int] = []
    handle = model.get_output_embeddings().register_forward_hook(lambda _m, _i, out: seen.append(len(out)))
    pieces = found(model, compute)
    handle.remove()
    assert max(seen[1:]) == 5, "the first call looks at the model"
    assert pieces[:2] == pytest.approx(whole[:2], rel=1e-5 if compute is None else 1e-3)
    assert set(pieces[2]) == set(whole[2])
    for name, gradient in whole[2].items():
        scale = max(float(gradient.abs().max()), 1e-6)
        assert float((pieces[2][name] - gradient).abs().max()) < (1e-5 if compute is None else 4e-2) * scale, name


@pytest.mark.parametrize(
    ("family", "extra", "plain"),
    [
        ("llama", {"num_key_value_heads": 2}, True),
        ("gemma2", {"head_dim": 16, "final_logit_softcapping": 3.0}, False),
        ("cohere", {"num_key_value_heads": 2, "logit_scale": 0.25}, False),
        ("granite", {"num_key_value_heads": 2, "logits_scaling": 4.0}, False),
    ],
)
def test_a_head_with_something_behind_it_is_left_alone(family: str, extra: dict[str, Any], plain: bool) -> None:
    model = tiny(family, **extra).eval()
    assert head.Head(model).is_plain(None) == plain
    (batch,) = batches_of(documents(), packing=False, together=True)
    policy = Policy(model, None)
    assert policy.summed_loss(batch).item() == pytest.approx(-policy.log_probs(batch).sum().item(), rel=1e-5)
