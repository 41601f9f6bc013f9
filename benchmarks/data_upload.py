"""Uploading 2 GiB beside a plain ASGI program that receives, writes, hashes and fsyncs the same bytes: `python -m benchmarks.data_upload`.

- bytes a second of an upload in parts and of a form (bar: ≥ 0.6 of the plain program), medians of alternating runs;
- growth of the server's resident memory while it receives (bar: < 100 MiB).

Both run in uvicorn in a process of their own, and one sender serves all of them over a socket.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

PEER = """
import asyncio, hashlib, os, sys
import uvicorn

FOLDER = sys.argv[1]


def write(file, digest, piece):
    file.write(piece)
    digest.update(piece)


async def app(scope, receive, send):
    path = os.path.join(FOLDER, "received.bin")
    digest, waiting, more = hashlib.sha256(), bytearray(), True
    with open(path, "wb") as file:
        while more:
            message = await receive()
            waiting += message.get("body", b"")
            more = message.get("more_body", False)
            if len(waiting) >= 1 << 20 or not more:
                await asyncio.to_thread(write, file, digest, bytes(waiting))
                waiting.clear()
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    body = digest.hexdigest().encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})
    await send({"type": "http.response.body", "body": body})


config = uvicorn.Config(app, port=0, log_level="info", access_log=False, lifespan="off")
uvicorn.Server(config).run()
"""
ROW = json.dumps(
    {"question": "배는 언제 떠나나요? " * 4, "answer": "정오에 제2부두에서 떠납니다. " * 20}, ensure_ascii=False
)
PIECE = ((ROW + "\n") * (1 + (1 << 20) // len(ROW.encode()))).encode()
PART_BYTES = 64 << 20
DATASETS = "/api/v1/admin/training/datasets"
JSON = {"content-type": "application/json"}


@contextmanager
def server(command: list[str], mark: str) -> Iterator[tuple[int, psutil.Process]]:
    """A server in a process of its own: its port, and the process."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if mark in line)
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield int(line.split("127.0.0.1:")[1].split("/")[0].split(" ")[0]), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def pieces(size: int) -> Iterator[bytes]:
    """``size`` bytes of rows."""
    for left in range(size, 0, -len(PIECE)):
        yield PIECE if left >= len(PIECE) else PIECE[:left]


def call(connection: http.client.HTTPConnection, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    """One request; raises unless the answer is a success."""
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status >= 300:
        raise RuntimeError(f"{method} {path}: {response.status} {answer[:300]!r}")
    return answer


def plain(port: int, size: int, number: int) -> None:
    """One request with all bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    call(connection, "PUT", "/", pieces(size), {"content-length": str(size)})


def in_parts(port: int, size: int, number: int) -> None:
    """An upload in parts, and a dataset of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"file_name": f"{number}.jsonl", "size_bytes": size})
    upload = json.loads(call(connection, "POST", "/api/v1/admin/uploads", body, JSON))["id"]
    stream = pieces(size)
    rest = b""
    for offset in range(0, size, PART_BYTES):
        length = min(PART_BYTES, size - offset)
        part, rest = take(stream, rest, length)
        headers = {"content-length": str(length), "content-type": "application/octet-stream"}
        call(connection, "PUT", f"/api/v1/admin/uploads/{upload}?offset={offset}", part, headers)
    call(connection, "POST", f"/api/v1/admin/uploads/{upload}/complete", b"", {})
    call(connection, "POST", DATASETS, json.dumps({"name": f"parts {number}", "upload_id": upload}), JSON)


def take(stream: Iterator[bytes], rest: bytes, length: int) -> tuple[list[bytes], bytes]:
    """The next ``length`` bytes of a stream, and what is over; the pieces themselves are shared."""
    taken: list[bytes] = []
    for piece in itertools.chain([rest], stream):
        taken.append(piece[:length])
        if len(piece) >= length:
            return taken, piece[length:]
        length -= len(piece)
    return taken, b""


def as_form(port: int, size: int, number: int) -> None:
    """A form with the file in it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=1 << 20)
    head = (
        f'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nform {number}\r\n'
        f'--b\r\ncontent-disposition: form-data; name="file"; filename="{number}.jsonl"\r\n\r\n'
    ).encode()
    tail = b"\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b", "content-length": str(len(head) + size + len(tail))}
    path = f"{DATASETS}?max_file_size_bytes={size}"
    call(connection, "POST", path, itertools.chain([head], pieces(size), [tail]), headers)


def measured(
    way: Callable[[int, int, int], None], port: int, process: psutil.Process, size: int, number: int
) -> tuple[float, float]:
    """Mebibytes a second, and how many mebibytes the process grew on the way."""
    before = process.memory_info().rss
    highest, is_over = before, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not is_over.wait(0.05):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    way(port, size, number)
    seconds = time.perf_counter() - started
    is_over.set()
    watcher.join()
    return (size >> 20) / seconds, (highest - before) / 2**20


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2.0, help="size of the file")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    size = int(given.gib * 2**30)
    speeds: dict[str, list[float]] = {"plain": [], "parts": [], "form": []}
    grown: dict[str, list[float]] = {"plain": [], "parts": [], "form": []}
    with tempfile.TemporaryDirectory() as name:
        peer = Path(name) / "peer.py"
        peer.write_text(PEER)
        ours = [
            sys.executable,
            "-m",
            "tunesmith.cli.main",
            "--data-dir",
            f"{name}/data",
            "serve",
            "--port",
            "0",
            "--no-worker",
        ]
        with (
            server([sys.executable, str(peer), name], "running on") as (peer_port, peer_process),
            server(ours, "Tunesmith is ready:") as (our_port, our_process),
        ):
            for number in range(given.runs):
                for what, way, port, process in (
                    ("plain", plain, peer_port, peer_process),
                    ("parts", in_parts, our_port, our_process),
                    ("form", as_form, our_port, our_process),
                ):
                    # another byte each time, so that no run finds its content in the store
                    speed, growth = measured(way, port, process, size + number + 10 * (what == "form"), number)
                    speeds[what].append(speed)
                    grown[what].append(growth)
    medians = {what: statistics.median(found) for what, found in speeds.items()}
    report = {
        "size_bytes": size,
        "mib_per_second": {what: round(speed, 1) for what, speed in medians.items()},
        "ratio_parts": round(medians["parts"] / medians["plain"], 2),
        "ratio_form": round(medians["form"] / medians["plain"], 2),
        "bar": 0.6,
        "grown_mib": {what: round(max(found), 1) for what, found in grown.items()},
        "grown_bar_mib": 100,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
