"""Drawing the next token works for every temperature and share that the API lets in."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from tunesmith.ml.decode import pick


@pytest.mark.parametrize("top_p", [5e-324, 1e-9, 0.5, 1.0])
@pytest.mark.parametrize("temperature", [5e-324, 1e-30, 1e-3, 1.0, 2.0])
def test_every_allowed_setting_draws_a_token(temperature: float, top_p: float) -> None:
    logits = torch.randn(4, 300, generator=torch.Generator().manual_seed(1)) * 50
    rows = [
        SimpleNamespace(
            request=SimpleNamespace(temperature=temperature, top_p=top_p),
            generator=torch.Generator().manual_seed(seed),
        )
        for seed in range(4)
    ]
    drawn = pick(logits, rows)  # type: ignore[arg-type]
    if temperature < 1e-2 or top_p < 1e-2:
        assert drawn == logits.argmax(-1).tolist()
    assert all(0 <= token < 300 for token in drawn)
