"""An engine for vectors says truly how busy it is, whoever hangs up meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ml import tiny_models
from tunesmith.ml import serve_embedding
from tunesmith.ml.serve_embedding import EmbeddingEngine
from tunesmith.ml.serve_http import Refused
from tunesmith.wire.spec import ServeSpec


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


class Gate:
    """An engine whose passes wait until they may go on."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        model = tiny_models.save_model(folder / "m", "qwen3", num_hidden_layers=1)
        self.engine = EmbeddingEngine(ServeSpec(backend="transformers", model_path=str(model), device="cpu"))
        self.may_go_on = threading.Event()
        self.passes = 0
        self._inner = self.engine._embedder.embed_ids
        monkeypatch.setattr(self.engine._embedder, "embed_ids", self._embed_ids)

    def _embed_ids(self, *given: Any) -> Any:
        self.passes += 1
        assert self.may_go_on.wait(60)
        return self._inner(*given)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(tmp_path, monkeypatch)


async def test_whoever_hangs_up_in_the_queue_waits_no_more(gate: Gate) -> None:
    engine = gate.engine
    first = asyncio.create_task(engine.embed(["one"], None))
    await until(lambda: engine.health().active == 1)
    second = asyncio.create_task(engine.embed(["two"], None))
    await until(lambda: engine.health().waiting == 1)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert engine.health().waiting == 0
    gate.may_go_on.set()
    vectors, _ = await first
    assert len(vectors) == 1
    assert engine.health().active == 0


async def test_a_pass_whose_client_hung_up_ends_before_the_next_begins(gate: Gate) -> None:
    first = asyncio.create_task(gate.engine.embed(["one"], None))
    await until(lambda: gate.passes == 1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(gate.engine.embed(["two"], None))
    await until(lambda: gate.engine.health().waiting == 1)
    assert gate.passes == 1
    gate.may_go_on.set()
    vectors, _ = await second
    assert (len(vectors), gate.passes) == (1, 2)


async def test_a_long_queue_is_refused(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_embedding, "MOST_WAITING", 1)
    calls = [asyncio.create_task(gate.engine.embed(["one"], None)) for _ in range(2)]
    await until(lambda: gate.engine.health().waiting == 1)
    with pytest.raises(Refused, match="wait for"):
        await gate.engine.embed(["three"], None)
    gate.may_go_on.set()
    assert len(await asyncio.gather(*calls)) == 2
