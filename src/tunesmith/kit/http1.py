"""A client for one HTTP/1.1 origin that is asked very often: connections are kept, answers are parsed in C, and nothing else is done.

What an ordinary client adds to a call (0.5–1 ms of this machine's time) is more than a gateway may add in all. There are no redirects,
cookies, proxies or content codings here. Addresses that people type in for other purposes go through httpx.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httptools

MOST_BUFFERED_BYTES = 1 << 18
"""A body that is read more slowly than it comes is not taken from the socket beyond this."""
HEAD_ERRORS = (httptools.HttpParserError, httptools.HttpParserCallbackError)


class TransportError(Exception):
    """The other side cannot be reached, went away, or does not speak HTTP."""


class TransportTimeout(TransportError):
    """The other side was silent for too long."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    content: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.content)


class _Connection(asyncio.Protocol):
    """One connection; one answer at a time is read from it."""

    def __init__(self) -> None:
        self.status = 0
        self.alive = True
        self.reusable = False
        self.touched = False
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._body = bytearray()
        self._headed = self._done = self._delimited = self._paused = self._ended = False
        self._failure: TransportError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes) -> None:
        """Send a request; its answer is read next."""
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        self._headed = self._done = self._delimited = self.reusable = self.touched = False
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        """Let go of the socket at once."""
        self.alive = False
        if self._transport is not None:
            self._transport.abort()

    async def head(self, timeout_seconds: float) -> int:
        """The status, once it is known."""
        while not self._headed:
            await self._more(timeout_seconds)
        return self.status

    async def block(self, timeout_seconds: float) -> bytes:
        """What has come of the body since the last call; empty at its end."""
        while not self._body and not self._done:
            await self._more(timeout_seconds)
        block = bytes(self._body)
        self._body.clear()
        if self._paused and self._transport is not None and self.alive:
            self._paused = False
            self._transport.resume_reading()
        return block

    async def _more(self, timeout_seconds: float) -> None:
        if self._failure is not None:
            raise self._failure
        if not self.alive:
            raise TransportError("the connection was closed")
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(timeout_seconds, self._too_late, timeout_seconds)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None
        if self._failure is not None:
            raise self._failure

    def _too_late(self, timeout_seconds: float) -> None:
        self._fail(TransportTimeout(f"no answer within {timeout_seconds:g} seconds"))

    def _fail(self, failure: TransportError) -> None:
        self._failure = self._failure or failure
        self.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.touched = True
        if self._parser is None or self._done:
            self.close()  # nobody has asked for this
            return
        try:
            self._parser.feed_data(data)
        except HEAD_ERRORS as error:
            self._fail(TransportError(f"the answer is not HTTP: {error}"))
            return
        if len(self._body) > MOST_BUFFERED_BYTES and not self._paused:
            assert self._transport is not None
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        if self._headed and not self._done and not self._delimited and self._ended:
            self._done = True  # a body without a length ends with its connection
        if not self._done:
            self._failure = self._failure or TransportError(str(exc or "the other side closed the connection"))
        self._wake()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._delimited = True

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self.status = self._parser.get_status_code()
        self.reusable = self._delimited and self._parser.should_keep_alive()
        self._headed = True

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._done = True

    @property
    def idle(self) -> bool:
        """Whether the answer was read to its end, so that another may be asked for."""
        return self._done and not self._body and self.alive and self.reusable


class StreamedAnswer:
    """An answer whose body is still coming."""

    def __init__(self, connection: _Connection, status: int, read_seconds: float) -> None:
        self.status = status
        self._connection = connection
        self._read_seconds = read_seconds

    async def blocks(self) -> AsyncGenerator[bytes]:
        """The body as it comes: whatever has arrived since the last block."""
        while block := await self._connection.block(self._read_seconds):
            yield block

    async def lines(self) -> AsyncGenerator[bytes]:
        """The body as lines, without their ends."""
        rest = b""
        async for block in self.blocks():
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r")
        if rest:
            yield rest

    async def read(self) -> bytes:
        """The rest of the body."""
        return b"".join([block async for block in self.blocks()])


class Origin:
    """One ``scheme://host:port`` with the connections that are kept to it. Raises ``TransportError`` from every call."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        connect_seconds: float = 10.0,
        read_seconds: float = 600.0,
        kept: int = 64,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url = url
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http address")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        lines = {"host": parts.netloc.rsplit("@", 1)[-1], "accept": "*/*", **(headers or {})}
        for name, value in lines.items():
            if not (name + value).isprintable():
                raise ValueError(f"the header {name!r} has characters that no header may have")
        self._lines = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._most_kept = kept
        self._free: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._closed = False

    async def request(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """A whole answer. Being cancelled closes the connection, which the other side sees."""
        async with self.stream(method, path, body) as answer:
            return Answer(answer.status, await answer.read())

    @contextlib.asynccontextmanager
    async def stream(self, method: str, path: str, body: bytes | None = None) -> AsyncIterator[StreamedAnswer]:
        """An answer that is read piece by piece; leaving before its end closes the connection."""
        content = b"" if body is None else b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
        head = f"{method} {path} HTTP/1.1\r\n".encode() + self._lines + content + b"\r\n"
        connection, status = await self._asked(head + (body or b""))
        try:
            yield StreamedAnswer(connection, status, self._read_seconds)
        finally:
            self._release(connection)

    async def close(self) -> None:
        """Close every connection; calls that wait fail."""
        self._closed = True
        for connection in list(self._open):
            connection.close()
        self._open.clear()
        self._free.clear()
        await asyncio.sleep(0)  # the loop closes the sockets

    async def _asked(self, request: bytes) -> tuple[_Connection, int]:
        while True:
            connection = next((c for c in iter(self._kept, None) if c.alive), None)
            is_fresh = connection is None
            connection = connection or await self._connect()
            try:
                connection.ask(request)
                return connection, await connection.head(self._read_seconds)
            except TransportTimeout:
                self._release(connection)
                raise
            except TransportError:
                self._release(connection)
                if is_fresh or connection.touched or self._closed:
                    raise
                # a kept connection that the other side had closed meanwhile: the request was not read (RFC 9110, 9.2.2)
            except BaseException:
                self._release(connection)
                raise

    def _kept(self) -> _Connection | None:
        return self._free.pop() if self._free else None

    async def _connect(self) -> _Connection:
        if self._closed:
            raise TransportError("the client is closed")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._tls)
        except TimeoutError as error:
            raise TransportTimeout(f"no connection within {self._connect_seconds:g} seconds") from error
        except OSError as error:
            raise TransportError(str(error)) from error
        self._open.add(connection)
        return connection

    def _release(self, connection: _Connection) -> None:
        if connection.idle and not self._closed and len(self._free) < self._most_kept:
            self._free.append(connection)
            return
        connection.close()
        self._open.discard(connection)
