"""How fast loaded models answer: `python -m benchmarks.runtime`.

- tokens/s of the bundled model through `/v1`, by llama.cpp and by transformers, one and eight requests at a time (bar: eight give
  ≥ 1.8 × one), beside llama.cpp's own server on the same file with the same settings, asked directly;
- what the way through `/v1` adds to a call that answers with one token (bar: ≤ 3 ms p50, ≤ 10 ms p99 beyond the bare server), and
  how much slower a stream is (bar: ≤ 2 %).

Every figure is a median of rounds that alternate between the two sides.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROUNDS = 3
CALLS = 60
REQUESTS = 8
MAX_TOKENS = 64
ONE_USE = httpx.Limits(max_keepalive_connections=0)
"""llama.cpp closes idle connections at a moment that a client cannot foresee."""
CONVERT = (
    "import sys; from pathlib import Path; from tunesmith.ml.gguf import convert; "
    "convert(Path(sys.argv[1]), Path(sys.argv[2]), 'F16', name='bundled')"
)
BARE = """
import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.hostnames, p.port, p.n_parallel, p.n_ctx = sys.argv[1], ["127.0.0.1"], 0, 4, 4096
p.warmup, p.ui, p.verbosity, p.n_gpu_layers = False, False, 1, 0
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(p)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
Ask = Callable[[httpx.AsyncClient, int, int], Awaitable[int]]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """`tunesmith serve`; answers its address."""
    command = [sys.executable, "-m", "tunesmith.cli.main", "--data-dir", str(folder / "data"), "serve", "--port", "0"]
    environment = {**os.environ, "TUNESMITH_MODELS__ALLOWED_ROOTS": str(folder)}
    log = folder / "server.log"  # not a pipe, which the access log would fill
    with (
        log.open("wb") as output,
        subprocess.Popen([*command, "--no-worker"], stderr=output, env=environment) as process,
    ):
        try:
            while "Tunesmith is ready: " not in (said := log.read_text()):
                assert process.poll() is None, said
                time.sleep(0.05)
            yield said.split("ready: ")[1].split("/app/")[0]
        finally:
            process.terminate()


@contextmanager
def bare(gguf: Path) -> Iterator[str]:
    """llama.cpp's own server on the file; answers its address."""
    command = [sys.executable, "-c", BARE, str(gguf)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.kill()


def through(model: str, *, stream: bool = False) -> Ask:
    """A question to `/v1`; answers the tokens that were written."""

    async def ask(http: httpx.AsyncClient, seed: int, tokens: int) -> int:
        body = {"model": model, "prompt": prompt(seed), "max_tokens": tokens, "temperature": 2, "seed": seed}
        if not stream:
            answer = await http.post("/v1/completions", json=body)
            return int(answer.json()["usage"]["completion_tokens"])
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        written = 0
        async with http.stream("POST", "/v1/completions", json=body) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: {") and (usage := json.loads(line[6:]).get("usage")):
                    written = int(usage["completion_tokens"])
        return written

    return ask


def directly(*, stream: bool = False) -> Ask:
    """The same question to llama.cpp itself."""

    async def ask(http: httpx.AsyncClient, seed: int, tokens: int) -> int:
        body: dict[str, Any] = {"prompt": prompt(seed), "n_predict": tokens, "temperature": 2.0, "seed": seed}
        body |= {"samplers": ["temperature", "top_p"], "top_p": 1.0, "cache_prompt": True}
        if not stream:
            return int((await http.post("/completion", json=body)).json()["tokens_predicted"])
        written = 0
        async with http.stream("POST", "/completion", json=body | {"stream": True}) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    written = int(json.loads(line[6:]).get("tokens_predicted", written))
        return written

    return ask


def prompt(seed: int) -> str:
    """A short question, another for each number."""
    return f"<|im_start|>user\n{seed}번 배는 몇 시에 출발하나요?<|im_end|>\n<|im_start|>assistant\n"


async def tokens_a_second(http: httpx.AsyncClient, ask: Ask, at_once: int) -> float:
    """Speed of ``REQUESTS`` questions, so many at a time."""
    slots = asyncio.Semaphore(at_once)

    async def one(seed: int) -> int:
        async with slots:
            return await ask(http, seed, MAX_TOKENS)

    started = time.perf_counter()
    written = sum(await asyncio.gather(*(one(seed) for seed in range(REQUESTS))))
    return written / (time.perf_counter() - started)


async def milliseconds(http: httpx.AsyncClient, ask: Ask) -> list[float]:
    """Times of calls that answer with one token, one after another."""
    times = []
    for seed in range(CALLS):
        started = time.perf_counter()
        await ask(http, seed % 4, 1)
        times.append((time.perf_counter() - started) * 1000)
    return times


async def measure(ours: str, theirs: str, gguf: Path) -> dict[str, Any]:
    """All figures."""
    file, folder = through(str(gguf)), through("tunesmith/tiny")
    streamed = (through(str(gguf), stream=True), directly(stream=True))
    rates: dict[str, list[float]] = {}
    calls: dict[str, list[float]] = {"gateway": [], "bare": []}
    async with (
        httpx.AsyncClient(base_url=ours, timeout=600, trust_env=False) as http,
        httpx.AsyncClient(base_url=theirs, timeout=600, trust_env=False, limits=ONE_USE) as other,
    ):
        for client, ask in ((http, file), (http, folder), (other, directly())):
            await ask(client, 0, 8)  # loaded and warm
        for _ in range(ROUNDS):
            for at_once in (1, 8):
                for name, client, ask in (
                    ("llamacpp", http, file),
                    ("bare", other, directly()),
                    ("transformers", http, folder),
                ):
                    speed = await tokens_a_second(client, ask, at_once)
                    rates.setdefault(f"{name}_{at_once}", []).append(speed)
            rates.setdefault("stream_gateway", []).append(await tokens_a_second(http, streamed[0], 1))
            rates.setdefault("stream_bare", []).append(await tokens_a_second(other, streamed[1], 1))
            calls["gateway"] += await milliseconds(http, file)
            calls["bare"] += await milliseconds(other, directly())
    speeds = {name: round(statistics.median(found), 1) for name, found in rates.items()}
    cuts = {name: statistics.quantiles(found, n=100) for name, found in calls.items()}
    return {
        "tokens_per_second": speeds,
        "eight_beside_one": {
            name: round(speeds[f"{name}_8"] / speeds[f"{name}_1"], 2) for name in ("llamacpp", "bare", "transformers")
        },
        "llamacpp_beside_bare": {n: round(speeds[f"llamacpp_{n}"] / speeds[f"bare_{n}"], 3) for n in (1, 8)},
        "stream_beside_bare": round(speeds["stream_gateway"] / speeds["stream_bare"], 3),
        "call_ms": {
            f"{name}_{label}": round(found[at], 2)
            for name, found in cuts.items()
            for label, at in (("p50", 49), ("p99", 98))
        },
        "added_ms": {
            label: round(cuts["gateway"][at] - cuts["bare"][at], 2) for label, at in (("p50", 49), ("p99", 98))
        },
    }


def main() -> None:
    """Print one JSON document."""
    import tunesmith

    bundled = Path(tunesmith.__file__).parent / "bundle" / "model"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gguf = folder / "bundled.gguf"
        subprocess.run([sys.executable, "-c", CONVERT, str(bundled), str(gguf)], check=True)
        with serving(folder) as ours, bare(gguf) as theirs:
            print(json.dumps(asyncio.run(measure(ours, theirs, gguf)), indent=2))


if __name__ == "__main__":
    main()
