"""Several calls at once: their order, how many there are, and that none outlives a failure."""

from __future__ import annotations

import asyncio

import pytest

from tunesmith.kit.side_by_side import side_by_side


async def test_answers_keep_their_order_and_few_run_at_once() -> None:
    running = most = 0

    async def call(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 - number):
            await asyncio.sleep(0)
        running -= 1
        return number * number

    assert await side_by_side(call, range(10), 3) == [n * n for n in range(10)]
    assert (running, most) == (0, 3)


async def test_the_first_failure_ends_the_others() -> None:
    ended: list[int] = []

    async def call(number: int) -> None:
        try:
            if number == 1:
                raise ValueError("no")
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    with pytest.raises(ValueError, match="no"):
        await side_by_side(call, range(3), 2)
    assert {0, 1} <= set(ended)
    assert len(asyncio.all_tasks()) == 1


async def test_nothing_of_nothing() -> None:
    assert await side_by_side(asyncio.sleep, [], 4) == []
