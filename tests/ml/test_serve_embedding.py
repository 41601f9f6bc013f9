"""An engine for vectors says truly how busy it is, whoever hangs up meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ml import tiny_models
from tunesmith.ml.serve_embedding import EmbeddingEngine
from tunesmith.wire.spec import ServeSpec


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_whoever_hangs_up_in_the_queue_waits_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_models.save_model(tmp_path / "m", "qwen3", num_hidden_layers=1)
    engine = EmbeddingEngine(ServeSpec(backend="transformers", model_path=str(folder), device="cpu"))
    may_go_on, inner = threading.Event(), engine._embedder.embed_ids

    def embed_ids(*given: Any) -> Any:
        assert may_go_on.wait(60)
        return inner(*given)

    monkeypatch.setattr(engine._embedder, "embed_ids", embed_ids)
    first = asyncio.create_task(engine.embed(["one"], None))
    await until(lambda: engine.health().active == 1)
    second = asyncio.create_task(engine.embed(["two"], None))
    await until(lambda: engine.health().waiting == 1)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert engine.health().waiting == 0
    may_go_on.set()
    vectors, _ = await first
    assert len(vectors) == 1
    assert engine.health().active == 0
