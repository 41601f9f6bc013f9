"""Several calls at once, as far as one asker may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


async def side_by_side(call: Callable[[Item], Awaitable[Answer]], items: Iterable[Item], at_once: int) -> list[Answer]:
    """What ``call`` answers for each item, in their order, ``at_once`` at a time.

    The first one that fails, or a cancelled wait, ends the others: nothing of it goes on when this returns.
    """
    turns = asyncio.Semaphore(at_once)

    async def called(item: Item) -> Answer:
        async with turns:
            return await call(item)

    tasks = [asyncio.ensure_future(called(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
