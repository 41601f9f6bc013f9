"""The small client against a server that is written here byte by byte: what it keeps, what it takes for an end, what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tunesmith.kit.http1 import MOST_BUFFERED_BYTES, Origin, TransportError, TransportTimeout

OK = b"HTTP/1.1 200 OK\r\n"
Play = Callable[["Line", int], Awaitable[None]]


@dataclass
class Line:
    """One connection as the server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """Head and body of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        return head + (await self.reader.readexactly(int(length)) if length else b"")

    def say(self, data: bytes) -> None:
        """Send some bytes."""
        self.writer.write(data)


@dataclass
class House:
    """A server that plays one scene on each connection."""

    url: str = ""
    lines: list[Line] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@contextlib.asynccontextmanager
async def house(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[House]:
    """Serve ``play``, which gets the connection and its number."""
    place = House()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        place.lines.append(line)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await play(line, len(place.lines))
        writer.close()
        place.gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    place.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield place
        for line in place.lines:
            line.writer.close()
            with contextlib.suppress(ConnectionError):
                await line.writer.wait_closed()


def whole(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def test_a_connection_is_kept_and_requests_carry_headers_and_body() -> None:
    async def echo(line: Line, number: int) -> None:
        while True:
            asked = await line.request()
            assert b"x-token: secret\r\n" in asked
            line.say(whole(asked.partition(b"\r\n\r\n")[2] or b"none"))

    async with house(echo) as place:
        origin = Origin(place.url, headers={"x-token": "secret"})
        assert (await origin.request("GET", "/a")).content == b"none"
        made = await origin.request("POST", "/b", '{"말": 1}'.encode())
        assert made.json() == {"말": 1}
        assert len(place.lines) == 1
        both = await asyncio.gather(*(origin.request("POST", "/c", b"%d" % n) for n in range(3)))
        assert [one.content for one in both] == [b"0", b"1", b"2"]
        assert len(place.lines) == 3
        await origin.close()
        with pytest.raises(TransportError):
            await origin.request("GET", "/d")


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    async def once(line: Line, number: int) -> None:
        await line.request()
        line.say(whole(b"%d" % number))
        if number == 1:
            await line.request()  # and goes without a word

    async with house(once) as place:
        origin = Origin(place.url)
        assert [(await origin.request("GET", "/")).content for _ in range(2)] == [b"1", b"2"]
        await origin.close()


async def test_pieces_come_as_they_are_sent_and_a_body_without_length_ends_with_its_connection() -> None:
    heard = asyncio.Event()

    async def scenes(line: Line, number: int) -> None:
        await line.request()
        if number == 1:
            line.say(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab")
            await heard.wait()
            line.say(b"c\r\n0\r\n\r\n")
            await line.request()
        line.say(OK + b"\r\nto the end")

    async with house(scenes) as place:
        origin = Origin(place.url)
        async with origin.stream("GET", "/") as answer:
            blocks = answer.blocks()
            assert await anext(blocks) == b"ab"
            heard.set()
            assert b"".join([block async for block in blocks]) == b"c"
        assert (await origin.request("GET", "/")).content == b"to the end"
        assert len(place.lines) == 1
        assert (await origin.request("GET", "/")).content == b"to the end"
        assert len(place.lines) == 2
        await origin.close()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-hello\r\n",
        OK + b"Content-Length: 9\r\n\r\nhalf",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
async def test_what_breaks_off_or_is_not_http_is_an_error(said: bytes) -> None:
    async def broken(line: Line, number: int) -> None:
        await line.request()
        line.say(said)

    async with house(broken) as place:
        origin = Origin(place.url)
        with pytest.raises(TransportError) as refused:
            await origin.request("GET", "/")
        assert not isinstance(refused.value, TransportTimeout)
        await origin.close()
    with pytest.raises(TransportError):
        await Origin(place.url).request("GET", "/")  # nobody listens any more


async def test_silence_is_a_timeout_and_leaving_early_is_seen_by_the_other_side() -> None:
    async def silent(line: Line, number: int) -> None:
        await line.request()
        if number == 2:
            line.say(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await line.reader.read()

    async with house(silent) as place:
        origin = Origin(place.url, read_seconds=0.2)
        with pytest.raises(TransportTimeout):
            await origin.request("GET", "/")
        place.gone.clear()
        async with origin.stream("GET", "/") as answer:
            assert await anext(answer.blocks()) == b"abc"
        await asyncio.wait_for(place.gone.wait(), 10)
        place.gone.clear()
        waiting = asyncio.create_task(Origin(place.url).request("GET", "/"))
        async with asyncio.timeout(10):
            while len(place.lines) < 3:
                await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait_for(place.gone.wait(), 10)
        await origin.close()


async def test_a_reader_that_is_slow_holds_the_writer_back() -> None:
    size, sent = 64 * MOST_BUFFERED_BYTES, 0

    async def flood(line: Line, number: int) -> None:
        nonlocal sent
        await line.request()
        line.say(OK + b"Content-Length: %d\r\n\r\n" % size)
        while sent < size:
            line.say(b"x" * MOST_BUFFERED_BYTES)
            await line.writer.drain()
            sent += MOST_BUFFERED_BYTES

    async with house(flood) as place:
        origin = Origin(place.url)
        async with origin.stream("GET", "/") as answer:
            before = -1
            while sent != before:  # until the writer stands still
                before = sent
                await asyncio.sleep(0.2)
            assert sent < size
            assert len(await answer.read()) == size
        await origin.close()


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "both.pem").write_bytes(made.public_bytes(pem) + secret)
    return folder / "both.pem"


async def test_an_encrypted_address_is_trusted_only_with_a_known_certificate(tmp_path: Path) -> None:
    async def answer(line: Line, number: int) -> None:
        while True:
            await line.request()
            line.say(whole(b"x" * (2 * MOST_BUFFERED_BYTES)))

    file = certificate(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(file)
    async with house(answer, theirs) as place:
        origin = Origin(place.url, tls=ssl.create_default_context(cafile=str(file)))
        assert [len((await origin.request("GET", "/")).content) for _ in range(2)] == [2 * MOST_BUFFERED_BYTES] * 2
        assert len(place.lines) == 1
        await origin.close()
        with pytest.raises(TransportError, match="certificate"):
            await Origin(place.url, tls=httpx.create_ssl_context(trust_env=False)).request("GET", "/")


def test_an_address_or_a_header_that_cannot_be_is_refused() -> None:
    for url in ("ftp://host/", "http://", "nowhere"):
        with pytest.raises(ValueError):
            Origin(url)
    with pytest.raises(ValueError):
        Origin("http://127.0.0.1:1", headers={"x-token": "a\r\nhost: b"})
