"""Bytes that arrive on the event loop and are written in a thread, both at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable


async def pour(pieces: AsyncIterator[bytes], write: Callable[[bytes], Awaitable[None]], piece_bytes: int) -> None:
    """Hand what arrives to ``write`` in order, at least ``piece_bytes`` at a time, and gather the next while it writes.

    One piece is written and one gathered at any moment, so memory stays bounded. What had arrived when ``pieces`` raises is
    still written before that is raised on; when ``write`` raises, nothing more is read.
    """
    writing: asyncio.Future[None] | None = None

    async def hand_over(buffer: bytearray) -> asyncio.Future[None]:
        if writing is not None:
            await asyncio.shield(writing)
        return asyncio.ensure_future(write(bytes(buffer)))

    buffer = bytearray()
    try:
        try:
            async for piece in pieces:
                buffer += piece
                if len(buffer) >= piece_bytes:
                    writing = await hand_over(buffer)
                    buffer = bytearray()
        finally:
            if buffer:
                writing = await hand_over(buffer)
            if writing is not None:
                await asyncio.shield(writing)
    finally:
        if writing is not None and not writing.done():  # cancelled: the thread must not outlive the file it writes to
            await asyncio.wait([writing])
