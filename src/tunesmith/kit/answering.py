"""A process that answers: one JSON object a line in, one a line out. It keeps a heavy or fragile library out of this process.

The other side reads its standard input to the end and leaves then, so it never outlives its parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_LINE_BYTES = 32 << 20
LAST_LINES = 5


class NoAnswer(Exception):
    """The process ended, or did not answer in time; the message has its last lines."""


class AnsweringProcess:
    """Started at the first question; a question that gets no answer in time ends it, and the next one starts another."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._said: list[str] = []
        self._listener: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def ask(self, question: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """The answer to one question. Raises NoAnswer."""
        async with self._turn:
            process = await self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                async with asyncio.timeout(timeout_seconds):
                    process.stdin.write(json.dumps(question).encode() + b"\n")
                    await process.stdin.drain()
                    line = await process.stdout.readline()
                    if not line:
                        await process.wait()
                        raise NoAnswer(f"it ended with code {process.returncode}{self._last_words()}")
                    answer: dict[str, Any] = json.loads(line)
                    return answer
            except TimeoutError:
                await self._end()
                raise NoAnswer(f"no answer within {timeout_seconds:g} s{self._last_words()}") from None
            except (OSError, ValueError) as error:
                await self._end()
                raise NoAnswer(f"{error}{self._last_words()}") from None
            except asyncio.CancelledError:
                await self._end()  # its answer would be taken for the next question's
                raise

    async def close(self, grace_seconds: float = 20.0) -> None:
        """Let it finish what it has and leave."""
        async with self._turn:
            process = self._process
            if process is not None and process.returncode is None and process.stdin is not None:
                process.stdin.close()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), grace_seconds)
            await self._end()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            await self._end()
            self._said = []
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=MAX_LINE_BYTES,
            )
            self._listener = asyncio.create_task(self._listen(self._process))
        return self._process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        with contextlib.suppress(ValueError):
            while line := await process.stderr.readline():
                self._said = [*self._said, line.decode(errors="replace").rstrip()][-LAST_LINES:]

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None

    def _last_words(self) -> str:
        return f"; its last lines: {' | '.join(self._said)}" if self._said else ""
