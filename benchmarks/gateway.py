"""What the way through `/v1/chat/completions` costs: `python -m benchmarks.gateway [--rounds 5] [--json FILE]`.

A backend that answers at once (a stub that speaks OpenAI's API) is asked directly and through `tunesmith serve`, which knows it as
`remote:stub`. The server and its child share one core; the stub and the generator share another. Rounds alternate between the sides:

- milliseconds of a whole answer, one call after another (bar: ≤ 3 ms p50 and ≤ 10 ms p99 more than directly);
- requests a second with many connections open (bar: ≥ 500 through the gateway);
- tokens a second of streams that the stub paces like a model does (bar: ≤ 2 % fewer than directly), and, for information, of one
  stream that it writes as fast as it can.

Every figure is the median of the rounds. Linux only, since it chooses cores.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil

CALLS = 300
CONNECTIONS = 16
SECONDS = 4.0
STREAMS, STREAM_TOKENS, TOKENS_PER_SECOND = 8, 200, 100
FULL_SPEED_TOKENS = 4000
MESSAGES = [
    {"role": "system", "content": "너는 항구의 안내원이다."},
    {"role": "user", "content": "세 번째 배는 몇 시에 출발하나요? 그리고 요금은 얼마인가요?"},
]


class Stub(asyncio.Protocol):
    """OpenAI's API with nothing behind it; ``seed`` says how fast a stream is paced (tokens a second, 0 for at once)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self.transport: Any = transport
        self.read = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request once it is whole."""
        self.read += data
        while (end := self.read.find(b"\r\n\r\n")) >= 0:
            head = self.read[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            if len(self.read) < end + 4 + length:
                return
            body, self.read = self.read[end + 4 : end + 4 + length], self.read[end + 4 + length :]
            asked = json.loads(body) if body else {}
            if asked.get("stream"):
                self.streaming = asyncio.ensure_future(self.stream(asked))
            elif asked:
                message = {"role": "assistant", "content": "세 번째 배는 열한 시에 출발합니다."}
                self.reply({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE})
            else:
                self.reply({"object": "list", "data": [{"id": "stub", "object": "model"}]})

    def reply(self, document: dict[str, Any]) -> None:
        """One JSON answer."""
        body = json.dumps(document | {"id": "x", "model": "stub"}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    async def stream(self, asked: dict[str, Any]) -> None:
        """As many tokens as are asked for."""
        pace = asked.get("seed") or 0
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        started = time.perf_counter()
        for number in range(asked["max_tokens"]):
            if pace:
                await asyncio.sleep(max(0.0, started + number / pace - time.perf_counter()))
            self.event({"choices": [{"index": 0, "delta": {"content": "배 "}, "finish_reason": None}]})
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.event({"choices": [], "usage": USAGE})
        self.transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    def event(self, document: dict[str, Any]) -> None:
        """One server-sent event in a chunk of its own."""
        line = b"data: " + json.dumps(document | {"id": "x", "model": "stub", "created": 0}).encode() + b"\n\n"
        self.transport.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")


USAGE = {"prompt_tokens": 20, "completion_tokens": 12, "total_tokens": 32}


async def stub() -> None:
    """Answer until stdin ends."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


class Connection:
    """One kept-alive connection to either side: as little client as can be."""

    def __init__(self, port: int, model: str) -> None:
        self._port, self._model = port, model

    async def __aenter__(self) -> Connection:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, **fields: Any) -> bytes:
        """The head of the answer; its body is still to be read."""
        body = json.dumps({"model": self._model, "messages": MESSAGES, "temperature": 0, **fields}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\ncontent-length: {len(body)}\r\n"
        self._writer.write(f"{head}content-type: application/json\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer + await self._reader.read(2000)
        return answer.lower()

    async def whole(self) -> None:
        """Ask for an answer and read all of it."""
        head = await self.ask(max_tokens=64)
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        assert b'"usage"' in await self._reader.readexactly(length)

    async def stream(self, tokens: int, pace: int) -> int:
        """Ask for a stream and read it to its end; answers the tokens that came."""
        await self.ask(max_tokens=tokens, stream=True, seed=pace)
        seen = b""
        count = 0
        while not seen.endswith(b"\r\n0\r\n\r\n"):
            got = await self._reader.read(1 << 16)
            assert got, "the stream broke off"
            kept = seen[-16:]
            count += (kept + got).count(b'"content":') - kept.count(b'"content":')
            seen = kept + got
        return count


@contextlib.asynccontextmanager
async def connections(port: int, model: str, count: int) -> AsyncIterator[list[Connection]]:
    """So many connections, each used once already."""
    async with contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(Connection(port, model)) for _ in range(count)]
        for one in opened:
            await one.whole()
        yield opened


async def measure_once(port: int, model: str, cpu_seconds: Callable[[], float]) -> dict[str, Any]:
    """One round on one side."""
    times = []
    async with connections(port, model, 1) as opened:
        for _ in range(CALLS):
            started = time.perf_counter()
            await opened[0].whole()
            times.append((time.perf_counter() - started) * 1000)
    cuts = statistics.quantiles(times, n=100)
    async with connections(port, model, CONNECTIONS) as opened:

        async def keep_asking(one: Connection, until: float) -> int:
            count = 0
            while time.perf_counter() < until:
                await one.whole()
                count += 1
            return count

        started, used = time.perf_counter(), cpu_seconds()
        asked = sum(await asyncio.gather(*(keep_asking(one, started + SECONDS) for one in opened)))
        rate = asked / (time.perf_counter() - started)
        used = cpu_seconds() - used

        started = time.perf_counter()
        paced = sum(await asyncio.gather(*(one.stream(STREAM_TOKENS, TOKENS_PER_SECOND) for one in opened[:STREAMS])))
        paced_rate = paced / (time.perf_counter() - started)
        started = time.perf_counter()
        full = await opened[0].stream(FULL_SPEED_TOKENS, 0)
        full_rate = full / (time.perf_counter() - started)
    assert paced >= STREAMS * STREAM_TOKENS
    assert full >= FULL_SPEED_TOKENS
    return {
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
        "requests_s": rate,
        "cpu_ms_per_request": 1000 * used / asked,
        "paced_tokens_s": paced_rate,
        "full_speed_tokens_s": full_rate,
    }


@contextlib.contextmanager
def started(command: list[str], core: int, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process on one core."""
    process = subprocess.Popen(command, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}), **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def both_sides(folder: Path, cores: list[int]) -> Iterator[dict[str, tuple[int, str, psutil.Process]]]:
    """Port, model and process of the gateway and of the stub."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with started([sys.executable, "-m", "benchmarks.gateway", "--stub"], cores[1], **pipes) as backend:
        assert backend.stdout is not None
        port = int(backend.stdout.readline())
        remotes = {"TUNESMITH_RUNTIME__REMOTES": f"stub=http://127.0.0.1:{port}/v1"}
        serve = [sys.executable, "-m", "tunesmith.cli.main", "--data-dir", str(folder / "data"), "serve"]
        log = folder / "server.log"  # not a pipe, which the access log would fill
        with (
            log.open("w") as output,
            started(
                [*serve, "--port", "0", "--no-worker"], cores[0], stderr=output, env={**os.environ, **remotes}
            ) as gateway,
        ):
            while "Tunesmith is ready: " not in (said := log.read_text()):
                assert gateway.poll() is None, said
                time.sleep(0.05)
            ours = int(said.split("ready: ")[1].split("/app/")[0].rsplit(":", 1)[1])
            yield {
                "direct": (port, "stub", psutil.Process(backend.pid)),
                "gateway": (ours, "remote:stub", psutil.Process(gateway.pid)),
            }


def cpu_seconds(process: psutil.Process) -> float:
    """What a process and its children have computed so far: unlike wall time, it hardly depends on what else runs."""
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children(recursive=True)])


async def measure(sides: dict[str, tuple[int, str, psutil.Process]], rounds: int) -> dict[str, Any]:
    """Medians of all rounds, after one that warms both sides. They take turns at being first."""
    found: dict[str, list[dict[str, Any]]] = {"gateway": [], "direct": []}
    for number in range(rounds + 1):
        for side, (port, model, process) in list(sides.items())[:: -1 if number % 2 else 1]:
            made = await measure_once(port, model, partial(cpu_seconds, process))
            if number:
                found[side].append(made)
    middle = {
        side: {name: round(statistics.median(one[name] for one in made), 2) for name in made[0]}
        for side, made in found.items()
    }
    ours, bare = middle["gateway"], middle["direct"]
    return {
        **middle,
        "added_p50_ms": round(ours["p50_ms"] - bare["p50_ms"], 2),
        "added_p99_ms": round(ours["p99_ms"] - bare["p99_ms"], 2),
        "gateway_requests_s": ours["requests_s"],
        "paced_stream_beside_direct": round(ours["paced_tokens_s"] / bare["paced_tokens_s"], 4),
        "rounds": rounds,
    }


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--stub", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stub:
        asyncio.run(stub())
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("two cores are needed: one for the gateway, one for the stub and the generator")
    os.sched_setaffinity(0, {cores[1]})
    with tempfile.TemporaryDirectory() as folder, both_sides(Path(folder), cores) as sides:
        result = asyncio.run(measure(sides, arguments.rounds))
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
