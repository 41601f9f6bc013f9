"""Bytes that arrive while others are written: all of them, in order, and nothing after a fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.kit.pour import pour


async def arriving(pieces: list[bytes], then: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece
    if then is not None:
        raise then


class Disk:
    """Keeps what is written, a little at a time; refuses after ``room`` bytes."""

    def __init__(self, room: int = 2**30) -> None:
        self.kept, self.room, self.is_busy = b"", room, False

    async def write(self, piece: bytes) -> None:
        assert not self.is_busy, "two pieces are written at the same time"
        self.is_busy = True
        await asyncio.sleep(0)
        self.is_busy = False
        if len(self.kept) + len(piece) > self.room:
            raise OSError("no space left")
        self.kept += piece


@given(pieces=st.lists(st.binary(max_size=40)), size=st.integers(1, 64), breaks=st.booleans())
def test_everything_is_written_in_order_also_when_the_stream_breaks(
    pieces: list[bytes], size: int, breaks: bool
) -> None:
    disk, broken = Disk(), ConnectionAbortedError("the client went away")

    async def run() -> None:
        await pour(arriving(pieces, broken if breaks else None), disk.write, size)

    if breaks:
        with pytest.raises(ConnectionAbortedError):
            asyncio.run(run())
    else:
        asyncio.run(run())
    assert disk.kept == b"".join(pieces)


async def test_nothing_more_is_read_once_writing_has_failed() -> None:
    read = []

    async def watched() -> AsyncIterator[bytes]:
        async for piece in arriving([b"0123456789"] * 50):
            read.append(piece)
            yield piece

    disk = Disk(room=25)
    with pytest.raises(OSError, match="no space"):
        await pour(watched(), disk.write, 10)
    assert disk.kept == b"0123456789" * 2
    assert len(read) <= 5


async def test_a_cancelled_stream_waits_for_the_piece_that_is_being_written() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def write(piece: bytes) -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    task = asyncio.create_task(pour(arriving([b"a", b"b", b"c"]), write, 1))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
