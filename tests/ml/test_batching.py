"""Prompts that wait together are read in one pass, each gets the answer that it gets alone, and one that fails takes no other with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.ml import tiny_models
from tunesmith.ml.batch import Batch
from tunesmith.ml.decode import Row, TextStream, continue_rows
from tunesmith.ml.scheduler import READ_TOKENS, Scheduler
from tunesmith.ml.serve_http import Refused
from tunesmith.wire.serving import GenerateRequest

ENDS: frozenset[int] = frozenset()
CPU = torch.device("cpu")
PROMPTS = [[9, 8, 7], [30, 31, 32, 33, 34, 35, 36], [5], [11, 12, 13, 14], [60, 61]]


@pytest.fixture(scope="module")
def forward(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """A tiny model of one layer as the engine calls it."""
    folder = tiny_models.save_model(tmp_path_factory.mktemp("m") / "m", "qwen3", num_hidden_layers=1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def call(**inputs: Any) -> Any:
        inputs.pop("last_only")
        return model(**inputs, use_cache=True)

    return call


def decode(ids: Any) -> str:
    return "".join(chr(0x4E00 + i) for i in ids)


def row(ids: list[int]) -> Row:
    """Six greedy tokens after ``ids``."""
    return Row(0, ids, GenerateRequest(token_ids=ids, max_new_tokens=6), TextStream(decode, []), 6)


class Watched:
    """The model, with what each reading of prompts was given; the first reading waits until it may go on."""

    def __init__(self, forward: Callable[..., Any], refuses: int | None = None) -> None:
        self.read: list[tuple[int, int]] = []
        self.may_go_on = threading.Event()
        self._forward, self._refuses = forward, refuses

    def __call__(self, **inputs: Any) -> Any:
        ids = inputs["input_ids"]
        if inputs["past_key_values"] is None:
            self.read.append(tuple(ids.shape))
            if len(self.read) == 1:
                assert self.may_go_on.wait(60)
            if self._refuses is not None and (ids == self._refuses).any():
                raise MemoryError("no room")
        return self._forward(**inputs)


async def answers(watched: Watched, prompts: list[list[int]]) -> list[list[int] | str]:
    """Token ids of each answer, or the code that it was refused with; all but the first wait while that is read."""
    scheduler = Scheduler(lambda _: Batch(watched, ENDS, CPU, decode))
    rows = [row(ids) for ids in prompts]

    async def one(made: Row) -> list[int] | str:
        try:
            async for _ in scheduler.submit_row(made, None).outputs():
                continue
        except Refused as refused:
            return refused.code
        return made.token_ids

    tasks = [asyncio.create_task(one(made)) for made in rows]
    async with asyncio.timeout(60):
        while scheduler.waiting < len(rows) - 1:
            await asyncio.sleep(0.01)
        watched.may_go_on.set()
        return list(await asyncio.gather(*tasks))


def alone(forward: Callable[..., Any], ids: list[int]) -> list[int]:
    made = row(ids)
    with torch.inference_mode():
        for _ in continue_rows(forward, [made], ENDS, 0, CPU):
            continue
    return made.token_ids


async def test_prompts_that_wait_together_are_read_together(forward: Callable[..., Any]) -> None:
    watched = Watched(forward)
    made = await answers(watched, PROMPTS)
    assert made == [alone(forward, ids) for ids in PROMPTS]
    assert len({tuple(ids) for ids in made}) > 1
    assert watched.read == [(1, 3), (4, 7)]


async def test_long_prompts_are_read_one_after_another(forward: Callable[..., Any]) -> None:
    long = [[3 + n] * (READ_TOKENS // 4 + 1) for n in range(3)]
    watched = Watched(forward)
    made = await answers(watched, [PROMPTS[0], *long, PROMPTS[1]])
    assert made == [alone(forward, ids) for ids in (PROMPTS[0], *long, PROMPTS[1])]
    assert watched.read == [(1, 3), (3, READ_TOKENS // 4 + 1), (1, 7)]


async def test_a_prompt_that_fails_takes_no_other_with_it(forward: Callable[..., Any]) -> None:
    watched = Watched(forward, refuses=5)
    made = await answers(watched, PROMPTS)
    assert made[2] == "runtime-memory"
    assert [made[at] for at in (0, 1, 3, 4)] == [alone(forward, PROMPTS[at]) for at in (0, 1, 3, 4)]
